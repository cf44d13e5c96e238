"""The slow, obvious twin of the engine, written from docs/semantics.md alone."""
