"""The house has floors, and imports go down them: who changes a room knows who may be standing on it."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.project.sources import foreign_imports, imports, modules, own_imports, reached, tree_of

# From the roof to the ground. A room imports rooms of lower floors, never one of its own floor or above.
FLOORS = (
    ("cli",),
    ("",),  # the package's own dozen names
    ("runtime",),
    ("compiler",),
    ("engine",),
    ("program",),
    ("events",),
    ("playbook",),
    ("conditions", "journal"),
    ("errors", "tables", "zones", "engine.kernel"),
)
FLOOR_OF = {room: len(FLOORS) - height for height, rooms in enumerate(FLOORS) for room in rooms}

# Ports and what adapts them to the world: only the runtime joins them with the rest.
ASIDE = {"journal": {"runtime"}}
# What the engine may know of the decoder: the shape of a batch, and the hash by which names are compared.
ENGINE_READS_OF_EVENTS = {"onevoice.events.batch", "onevoice.events.siphash"}

WORLD = {
    *("asyncio", "concurrent", "glob", "http", "io", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil"),
    *("signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid"),
    *("apsw", "duckdb", "pyarrow"),
}
CLOCK = WORLD | {"datetime", "zoneinfo"}
# The kernels' cache folder lies in the user's home; it decides where machine code is kept, not what it computes.
KEEPS_KERNELS = "onevoice.engine.kernel"
READS_CLOCK = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"}

MODULES = sorted(modules())


def room_of(module):
    """The room of a module: the longest listed name that begins its own."""
    name = module.removeprefix("onevoice").removeprefix(".")
    while name and name not in FLOOR_OF:
        name = name.rpartition(".")[0]
    return name


def pure_modules():
    return [module for module in MODULES if room_of(module) == "engine"]


def test_every_module_has_a_room():
    """A new room takes its place in the list above before anything can import it."""
    homeless = [module for module in MODULES if not room_of(module) and module != "onevoice"]
    assert homeless == []


def test_every_room_has_a_module():
    assert set(FLOOR_OF) == {room_of(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module):
    """Also those inside functions and those for annotations: who must know a type depends on it."""
    own = room_of(module)
    wrong = {
        other for other in own_imports(module) if room_of(other) != own and FLOOR_OF[room_of(other)] >= FLOOR_OF[own]
    }
    assert wrong == set()


def test_no_circles():
    """Modules can be read one after another, each after those it needs."""
    graph = {module: own_imports(module, for_types=False) for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as found:
        pytest.fail(" <- ".join(found.args[1]))


@pytest.mark.parametrize("room", sorted(ASIDE))
def test_only_the_runtime_joins_a_port_with_the_rest(room):
    users = {room_of(module) for module in MODULES if any(room_of(other) == room for other in own_imports(module))}
    assert users - {room} <= ASIDE[room]


@pytest.mark.parametrize("module", pure_modules())
def test_the_engine_touches_no_world(module):
    assert foreign_imports(module) & CLOCK == set()


@pytest.mark.parametrize("module", pure_modules())
def test_what_runs_with_the_engine_touches_no_world(module):
    """Not by a detour through a lower floor either."""
    found = {other: foreign_imports(other, for_types=False) & WORLD for other in reached(module) - {KEEPS_KERNELS}}
    assert {other: names for other, names in found.items() if names} == {}


@pytest.mark.parametrize("module", pure_modules())
def test_no_global_randomness_and_no_clock(module):
    """Seeds and time come in with the journal."""
    for other in reached(module) - {KEEPS_KERNELS}:
        named = {node.attr for node in ast.walk(tree_of(modules()[other])) if isinstance(node, ast.Attribute)}
        called = {
            node.func.attr
            for node in ast.walk(tree_of(modules()[other]))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert "random" not in named, other
        assert called & READS_CLOCK == set(), other


@pytest.mark.parametrize("module", pure_modules())
def test_the_engine_knows_little_of_the_decoder(module):
    assert {name for name in own_imports(module) if room_of(name) == "events"} <= ENGINE_READS_OF_EVENTS


def test_kernels_are_made_in_one_way():
    """`numba` is imported where kernels are made, and nowhere else; a stray decorator has other settings."""
    makers = {module for module in MODULES if any(name.split(".")[0] == "numba" for name in imports(module))}
    assert makers == {KEEPS_KERNELS, "onevoice.tables", "onevoice.events.lean"}
