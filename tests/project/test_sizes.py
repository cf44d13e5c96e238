"""A function has one subject and fits a screen; a file has one subject. Past these sizes it has two."""

from statistics import median

from tests.project.sources import functions, python_files, shown, tree_of

FUNCTION_LINES_MAX = 70  # from `def` to its last line; how many arguments a kernel takes is its own affair
FUNCTION_LINES_MEDIAN = 10
FILE_LINES_MAX = 500

FOLDERS = ("src", "tests", "bench", "examples")


def lines_of(function):
    return function.end_lineno - function.lineno + 1


def test_a_file_has_one_subject():
    sizes = {shown(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*FOLDERS)}
    assert {path: size for path, size in sizes.items() if size > FILE_LINES_MAX} == {}


def test_a_function_fits_a_screen():
    found = [(path, function) for path in python_files(*FOLDERS) for function in functions(tree_of(path))]
    sizes = {f"{shown(path)} {function.name}": lines_of(function) for path, function in found}
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES_MAX} == {}


def test_most_functions_are_short():
    sizes = [lines_of(function) for path in python_files("src") for function in functions(tree_of(path))]
    assert median(sizes) <= FUNCTION_LINES_MEDIAN
