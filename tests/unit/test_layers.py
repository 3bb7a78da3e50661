"""Imports go downwards only, as ARCHITECTURE.md says, and the pure rooms stay pure."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A room may import rooms below its own row, and itself; never one beside it.
ROWS = (
    ("harness.errors",),
    ("harness.background", "harness.clock", "harness.role_life", "harness.strict"),
    ("harness.schedule", "harness.ledger"),
    ("harness.provision",),
    ("harness.pipeline", "harness.lab"),
    ("harness.faults",),
    ("harness.run",),
    ("harness.campaign",),
    ("harness.report",),
    ("harness.progress", "harness.scenario"),
    ("harness.cli", "harness.pytest_plugin"),
)
KINDS_OF_LABS = ("harness.lab.local", "harness.lab.docker")
"""What both of them need stands beside them in `harness.lab`, and knows neither."""
LEVEL = {room: level for level, rooms in enumerate(ROWS) for room in rooms}
REFERENCE = "harness.pipeline.reference"
REFERENCE_MAY = ("harness.pipeline.probe", REFERENCE, "harness.clock", "harness.errors")
PURE = ("harness.schedule", "harness.ledger.checker")
SYSTEM = (
    "asyncio",
    "confluent_kafka",
    "docker",
    "glob",
    "io",
    "os",
    "pathlib",
    "psutil",
    "psycopg",
    "pyarrow.parquet",
    "requests",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "tempfile",
    "time",
    "urllib",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name and where it stands."""

    module: str
    line: int
    target: str
    """As far as it is known to be a module: "harness.lab" or "harness.lab.protocol"."""
    at_runtime: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def imports(sources: Mapping[str, str]) -> Iterator[Import]:
    """Yield every import of every module, however deep it stands."""
    for module, source in sources.items():
        tree = ast.parse(source)
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            for statement in node.body
            for inner in ast.walk(statement)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for target in _targets(node, module=module, known=sources):
                yield Import(
                    module=module,
                    line=node.lineno,
                    target=target,
                    at_runtime=id(node) not in for_types,
                )


def _targets(
    node: ast.Import | ast.ImportFrom, *, module: str, known: Mapping[str, str]
) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    origin = node.module or ""
    if node.level:
        package = module if _is_package(module, known) else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        origin = f"{package}.{origin}".rstrip(".")
    named = [f"{origin}.{alias.name}" for alias in node.names]
    # "from pyarrow import parquet" is an import of pyarrow.parquet as well as of pyarrow.
    return [name if _may_be_module(name, known) else origin for name in named]


def _may_be_module(name: str, known: Mapping[str, str]) -> bool:
    return name in known if name.startswith("harness") else name in SYSTEM


def _is_package(module: str, known: Mapping[str, str]) -> bool:
    return any(each.startswith(f"{module}.") for each in known)


def violations(sources: Mapping[str, str]) -> list[str]:
    """Return one sentence for each import that the map does not allow."""
    found = {broken for each in imports(sources) if (broken := _broken(each)) is not None}
    return sorted(found) + cycles(sources)


def _broken(each: Import) -> str | None:
    if _within(each.target, "harness"):
        return _broken_inside(each)
    if any(_within(each.module, pure) for pure in PURE):
        for system in SYSTEM:
            if _within(each.target, system):
                return f"{each}, but {each.module} does no I/O"
    return None


def _broken_inside(each: Import) -> str | None:
    if _within(each.module, REFERENCE):
        if any(_within(each.target, allowed) for allowed in REFERENCE_MAY):
            return None
        return f"{each}, but the reference is a client: only {', '.join(REFERENCE_MAY)}"
    if each.target == "harness" or each.module == "harness":
        # The front door re-exports; nobody inside goes through it.
        return f"{each}, which is the front door" if each.target == "harness" else None
    own, other = _room(each.module), _room(each.target)
    if own is None or other is None:
        return f"{each}, but {each.module if own is None else each.target} is in no known room"
    if own != other and LEVEL[other] >= LEVEL[own]:
        return f"{each}, but {own} stands {_where(own, other)} {other}"
    return _broken_inside_the_lab(each)


def _broken_inside_the_lab(each: Import) -> str | None:
    kind = next((kind for kind in KINDS_OF_LABS if _within(each.target, kind)), None)
    if kind is None or not _within(each.module, "harness.lab") or _within(each.module, kind):
        return None
    return f"{each}, but {kind} is one kind of lab: what others need of it stands beside it"


def _where(own: str, other: str) -> str:
    return "beside" if LEVEL[own] == LEVEL[other] else "below"


def _within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def _room(module: str) -> str | None:
    return next((room for room in LEVEL if _within(module, room)), None)


def cycles(sources: Mapping[str, str]) -> list[str]:
    """Return each import cycle between modules once, as "a → b → a"."""
    graph: dict[str, set[str]] = {module: set() for module in sources}
    for each in imports(sources):
        if each.target in sources and each.target != each.module and each.at_runtime:
            graph[each.module].add(each.target)
    found: dict[frozenset[str], str] = {}
    done: set[str] = set()
    for start in sorted(graph):
        _visit(start, graph=graph, path=[], done=done, found=found)
    return list(found.values())


def _visit(
    module: str,
    *,
    graph: Mapping[str, set[str]],
    path: list[str],
    done: set[str],
    found: dict[frozenset[str], str],
) -> None:
    if module in path:
        ring = path[path.index(module) :]
        found.setdefault(frozenset(ring), f"import cycle: {' → '.join([*ring, module])}")
        return
    if module in done:
        return
    for target in sorted(graph[module]):
        _visit(target, graph=graph, path=[*path, module], done=done, found=found)
    done.add(module)


def project() -> dict[str, str]:
    """Return the source of every module under harness/ by its dotted name."""
    sources = {}
    for path in sorted((ROOT / "harness").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        sources[name.removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return sources


def test_the_house_keeps_its_own_map() -> None:
    """No module under harness/ imports upwards, sideways, in a circle, or I/O into a pure room."""
    sources = project()
    assert len(sources) > 10
    assert violations(sources) == []


LAYOUT = {
    "harness": "",
    "harness.errors": "",
    "harness.clock": "",
    "harness.schedule": "",
    "harness.schedule.values": "",
    "harness.ledger": "",
    "harness.ledger.checker": "",
    "harness.ledger.witnesses": "",
    "harness.provision": "",
    "harness.provision.parts": "",
    "harness.pipeline": "",
    "harness.pipeline.probe": "",
    "harness.pipeline.spec": "",
    "harness.pipeline.reference": "",
    "harness.pipeline.reference.relay": "",
    "harness.lab": "",
    "harness.lab.protocol": "",
    "harness.lab.local": "",
    "harness.faults": "",
    "harness.run": "",
    "harness.cli": "",
    "harness.pytest_plugin": "",
}


@pytest.mark.parametrize(
    ("module", "source", "said"),
    [
        ("harness.lab.protocol", "\nimport harness.faults", "harness.lab.protocol:2 imports"),
        ("harness.lab.protocol", "from harness import run", "harness.lab stands below harness.run"),
        ("harness.provision", "from harness.lab import protocol", "stands below harness.lab"),
        ("harness.pipeline.spec", "import harness.lab.protocol", "stands beside harness.lab"),
        ("harness.run", "def f():\n    import harness.cli", "harness.run:2 imports harness.cli"),
        ("harness.cli", "import harness.pytest_plugin", "stands beside harness.pytest_plugin"),
        ("harness.ledger", "import harness.schedule.values", "stands beside harness.schedule"),
        ("harness.errors", "import harness.clock", "harness.errors stands below harness.clock"),
        ("harness.lab.docker", "from harness.lab import local", "is one kind of lab"),
        ("harness.lab.protocol", "import harness.lab.docker.engine", "is one kind of lab"),
        ("harness.run", "from harness import __version__", "the front door"),
        ("harness.faults", "import harness.odd.room", "harness.odd.room is in no known room"),
        ("harness.odd", "import harness.errors", "harness.odd is in no known room"),
        (
            "harness.faults.links",
            "from ..run import play",
            "harness.faults stands below harness.run",
        ),
        ("harness.pipeline.reference.relay", "import harness.pipeline.spec", "is a client"),
        ("harness.pipeline.reference.relay", "import harness.ledger", "is a client"),
        ("harness.schedule.values", "import os.path", "does no I/O"),
        ("harness.ledger.checker", "from pathlib import Path", "does no I/O"),
        ("harness.ledger.checker", "from pyarrow import parquet", "imports pyarrow.parquet"),
    ],
)
def test_a_planted_violation_is_named(module: str, source: str, said: str) -> None:
    """Each way of breaking the map is found, with the module and the line."""
    found = violations({**LAYOUT, module: source})
    assert any(said in sentence for sentence in found), found
    assert any(f"{module}:" in sentence for sentence in found), found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.cli", "from harness.run import play\nimport harness.errors"),
        ("harness.provision.parts", "from harness import clock\nimport subprocess"),
        ("harness.pipeline.reference.relay", "from harness.pipeline import probe\nimport os"),
        ("harness.ledger.checker", "import pyarrow as pa\nfrom pyarrow import compute"),
        ("harness.ledger.witnesses", "from pyarrow import parquet"),
        ("harness.lab.local", "from harness.lab import protocol\nimport harness.lab.local"),
        ("harness.run", "from harness.lab import local"),
        ("harness", "from harness.schedule.values import kill"),
    ],
)
def test_what_the_map_allows_is_not_accused(module: str, source: str) -> None:
    """Downward imports, and I/O in rooms that may do it, are no violation."""
    assert violations({**LAYOUT, module: source}) == []


def test_a_cycle_within_a_room_is_named_once() -> None:
    """Two modules that import each other are one cycle, told with its way round."""
    planted = {
        "harness.lab.links": "from harness.lab import nodes",
        "harness.lab.nodes": "import harness.lab.links",
    }
    assert violations({**LAYOUT, **planted}) == [
        "import cycle: harness.lab.links → harness.lab.nodes → harness.lab.links"
    ]


def test_an_import_for_types_only_makes_no_cycle() -> None:
    """What stands under TYPE_CHECKING never runs, so it cannot go round."""
    planted = {
        "harness.lab.links": "if TYPE_CHECKING:\n    from harness.lab import nodes",
        "harness.lab.nodes": "import harness.lab.links",
    }
    assert violations({**LAYOUT, **planted}) == []
