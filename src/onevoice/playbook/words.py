"""Words that names may not be, because a line or a condition would read them otherwise."""

from __future__ import annotations

from typing import Final

# Words of the lines of a playbook: no name at all.
LINE_WORDS: Final = frozenset({"any", "for", "no", "of", "offers", "over", "where", "within"})

# Words that SQL reads as something else even in place of a column: nothing that a condition can name.
SQL_WORDS: Final = LINE_WORDS | frozenset(
    {"all", "alter", "and", "as", "between", "by", "case", "cast", "connect_by_root", "create", "cross"}
    | {"current_catalog", "current_date", "current_time", "current_timestamp", "current_user", "desc", "describe"}
    | {"distinct", "drop", "else", "end", "escape", "except", "exists", "extract", "false", "fetch", "force", "from"}
    | {"glob", "grant", "group", "having", "if", "ilike", "in", "inner", "insert", "install", "intersect", "interval"}
    | {"into", "is", "join", "lateral", "like", "localtime", "localtimestamp", "map", "not", "notnull", "null", "on"}
    | {"only", "or", "outer", "partitioned_by", "positional", "qualify", "regexp", "returning", "revoke", "rlike"}
    | {"rollback", "select", "session_user", "summarize", "table", "tablesample", "then", "true", "uncache", "union"}
    | {"using", "values", "when", "where", "with", "xor"}
)

# Words that stand for something else in a condition about a customer.
CUSTOMER_WORDS: Final = SQL_WORDS | frozenset({"event", "lever", "now", "offer", "priority", "propensity", "weight"})
