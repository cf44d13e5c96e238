"""The journal: facts in one durable order, from which everything else can be rebuilt."""
