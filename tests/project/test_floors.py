"""The house has floors, and imports go down them: who changes a room knows who may be standing on it."""

import ast
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from onevoice.engine.kernel import _SOURCES as FOLLOWED
from tests.project.sources import ROOT, SOURCES, foreign_imports, imports, modules, own_imports, reached, tree_of

# From the roof to the ground. A room imports rooms of lower floors, never one of its own floor or above.
FLOORS = (
    ("cli",),
    ("demo",),
    ("",),  # the package's own dozen names
    ("auditing",),
    ("runtime",),
    ("history",),
    ("compiler", "importing"),
    ("engine",),
    ("compiled",),
    ("program",),
    ("events",),
    ("playbook",),
    ("conditions", "journal", "starter"),
    ("errors", "many", "near", "tables", "zones", "engine.kernel"),
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
# It makes no thread: a lock keeps two that parse from undoing each other's setting of how deep calls may go.
TAKES_TURNS = {"onevoice.conditions.parse": {"threading"}}
READS_CLOCK = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter"}

MODULES = sorted(modules())


def room_of(module):
    """The room of a module: the longest listed name that begins its own."""
    name = module.removeprefix("onevoice").removeprefix(".")
    while name and name not in FLOOR_OF:
        name = name.rpartition(".")[0]
    return name


ENGINE = [module for module in MODULES if room_of(module) == "engine"]


def running_with_the_engine():
    return set().union(*(reached(module) for module in ENGINE)) - {KEEPS_KERNELS}


def test_every_module_has_a_room():
    """A new room takes its place in the list above before anything can import it."""
    homeless = [module for module in MODULES if not room_of(module) and module != "onevoice"]
    assert homeless == []


def test_every_room_has_a_module():
    assert set(FLOOR_OF) == {room_of(module) for module in MODULES}


def test_the_page_of_rooms_says_the_same():
    """`docs/architecture.md` has a row for each room, with its floor; the package itself goes by its name."""
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", (ROOT / "docs" / "architecture.md").read_text("utf-8"), re.MULTILINE)
    told = {room: int(floor) for floor, names in rows for room in re.findall(r"`(.+?)`", names)}
    assert told == {room or "onevoice": floor - 1 for room, floor in FLOOR_OF.items()}


def goes_down(module, other):
    own, below = room_of(module), room_of(other)
    return own == below or FLOOR_OF[own] > FLOOR_OF[below]


def test_imports_go_down():
    """Also those inside functions and those for annotations: who must know a type depends on it."""
    found = {(module, other) for module in MODULES for other in own_imports(module)}
    assert {pair for pair in found if not goes_down(*pair)} == set()


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


def test_the_engine_touches_no_world():
    found = {module: foreign_imports(module) & CLOCK for module in ENGINE}
    assert {module: names for module, names in found.items() if names} == {}


def test_what_runs_with_the_engine_touches_no_world():
    """Not by a detour through a lower floor either."""
    found = {
        module: (foreign_imports(module, for_types=False) & WORLD) - TAKES_TURNS.get(module, set())
        for module in running_with_the_engine()
    }
    assert {module: names for module, names in found.items() if names} == {}


def test_no_global_randomness_and_no_clock():
    """Seeds and time come in with the journal."""
    for module in running_with_the_engine():
        nodes = list(ast.walk(tree_of(modules()[module])))
        called = {
            node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert "random" not in {node.attr for node in nodes if isinstance(node, ast.Attribute)}, module
        assert called & READS_CLOCK == set(), module


def test_the_engine_knows_little_of_the_decoder():
    known = set().union(*(own_imports(module) for module in ENGINE))
    assert {module for module in known if room_of(module) == "events"} <= ENGINE_READS_OF_EVENTS


def test_kernels_are_made_in_one_way():
    """`numba` is imported where kernels are made, and nowhere else; a stray decorator has other settings."""
    makers = {module for module in MODULES if any(name.split(".")[0] == "numba" for name in imports(module))}
    assert makers == {KEEPS_KERNELS, "onevoice.tables", "onevoice.events.lean"}


def test_the_floors_can_be_broken():
    """The rule itself: down is allowed, up and sideways are not."""
    assert goes_down("onevoice.runtime.node", "onevoice.errors")
    assert goes_down("onevoice.engine.facts", "onevoice.engine.kernel")
    assert not goes_down("onevoice.engine.kernel", "onevoice.engine.facts")
    assert not goes_down("onevoice.events.decode", "onevoice.engine.state")
    assert not goes_down("onevoice.conditions.parse", "onevoice.journal.port")


def test_compiled_kernels_notice_every_source():
    """The cache of compiled kernels follows each file a kernel takes a function or a constant from."""
    package = SOURCES / "onevoice"
    followed = {path for pattern in FOLLOWED for path in package.glob(pattern)}
    makers = [module for module in MODULES if f"{KEEPS_KERNELS}.kernel" in imports(module)]
    unseen = {
        (module, name)
        for module in makers
        for name in imports(module, for_types=False)
        for source in [modules().get(name.rpartition(".")[0])]
        if source and name.rpartition(".")[2].isupper() and source not in followed
    }
    assert {modules()[module] for module in makers} <= followed
    assert unseen == set()
