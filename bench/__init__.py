"""Benchmarks: a file is a row of the table in docs/operating/benchmarks.md, with its estimate and its peer or limit."""
