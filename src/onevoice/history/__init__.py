"""What happened and what was decided, as tables to be asked: reports over all customers."""
