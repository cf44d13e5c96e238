"""Events from bytes and tables into columns."""
