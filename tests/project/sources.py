"""What the tests of the project itself read: its files, and which module imports which."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
FOLDERS = ("src", "tests", "bench", "examples", "docs", ".ci")
TEXTS = {".py", ".md", ".yaml", ".toml", ".txt", ""}


def python_files(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def text_files():
    """Every text we wrote: the files of our folders and those beside them, but none that was generated or installed."""
    found = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    found += sorted(ROOT.glob("*"))
    return [path for path in found if path.is_file() and path.suffix in TEXTS and path.stat().st_size < 1_000_000]


def shown(path):
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path):
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def modules():
    """Each module of the package by its dotted name."""
    found = {}
    for path in python_files("src"):
        parts = path.relative_to(SOURCES).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def imported_names(node):
    """What one import statement names: `from a import b` names `a.b`, which may be a module or something in `a`."""
    if isinstance(node, ast.Import):
        return {each.name for each in node.names}
    if isinstance(node, ast.ImportFrom):
        return {f"{node.module}.{each.name}" for each in node.names}
    return set()


def is_for_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


@cache
def imports(module, *, for_types=True):
    """Every name a module imports, also inside a function; with or without those that only annotations need."""

    def walk(node):
        if not for_types and is_for_types(node):
            return set()
        return imported_names(node).union(*(walk(child) for child in ast.iter_child_nodes(node)))

    return walk(tree_of(modules()[module]))


def own_imports(module, *, for_types=True):
    """The modules of this package that a module imports."""
    known = modules()
    named = {name for name in imports(module, for_types=for_types) if name.split(".")[0] == "onevoice"}
    return {name if name in known else name.rpartition(".")[0] for name in named} - {module}


def foreign_imports(module, *, for_types=True):
    """The packages of others that a module imports."""
    return {name.split(".")[0] for name in imports(module, for_types=for_types)} - {"onevoice"}


def reached(module):
    """A module and all of ours that run when it is imported."""
    found, todo = set(), {module}
    while todo:
        found |= todo
        todo = set().union(*(own_imports(each, for_types=False) for each in todo)) - found
    return found
