"""Conditions are SQL expressions: parsed, typed, and read in two ways that agree, as a code table and as DuckDB SQL."""
