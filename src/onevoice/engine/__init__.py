"""The engine: a deterministic step over columns. Pure: no clock, no file, no socket, no randomness."""
