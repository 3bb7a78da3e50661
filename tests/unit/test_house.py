"""The bars that ARCHITECTURE.md and the style put up, measured on the sources as they are."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "harness").rglob("*.py"))
LOCKS = [
    ROOT / "requirements.lock",
    *(lock for folder in ("harness", "tests") for lock in sorted((ROOT / folder).rglob("*.lock"))),
]
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40
FORBIDDEN_NAMES = {"utils.py", "base.py", "manager.py", "helpers.py", "common.py"}
TOPS = ("top of a process", "top of a thread")
Check = Callable[[str], Iterator[str]]


def long_functions(source: str) -> Iterator[str]:
    """Yield each function that is too long, with its line and length."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {length} lines"


def broad_handlers(source: str) -> Iterator[str]:
    """Yield each handler that swallows every error and does not say what it tops."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not _raises(node):
            nearby = " ".join(lines[max(0, node.lineno - 3) : node.lineno + 2])
            if not any(top in nearby for top in TOPS):
                yield f"{node.lineno}: {lines[node.lineno - 1].strip()}"


def _raises(handler: ast.ExceptHandler) -> bool:
    """Tell whether the handler only tidies up and hands the error on."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    named = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(ast.unparse(each) in {"Exception", "BaseException"} for each in named)


def sleeps(source: str) -> Iterator[str]:
    """Yield each call of a sleep that is not the clock's."""
    tree = ast.parse(source)
    from_time = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in {"time", "asyncio"}
        for alias in node.names
        if alias.name == "sleep"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in {"time.sleep", "asyncio.sleep"} | from_time:
                yield f"{node.lineno}: {called}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_keeps_the_bars(path: Path) -> None:
    """Length, functions, handlers, sleeps, name and docstring of one module."""
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_MODULE
    assert list(long_functions(source)) == []
    assert list(broad_handlers(source)) == []
    assert path == ROOT / "harness" / "clock.py" or list(sleeps(source)) == []
    assert path.name not in FORBIDDEN_NAMES
    assert ast.get_docstring(ast.parse(source)), "a module says what it owns"


def test_half_of_the_modules_and_functions_are_short() -> None:
    """The medians: 150 lines a module, 10 lines a function."""
    sources = [path.read_text(encoding="utf-8") for path in MODULES]
    functions = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert sorted(len(source.splitlines()) for source in sources)[len(sources) // 2] <= 150
    assert sorted(functions)[len(functions) // 2] <= 10


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_hashes_and_no_place(lock: Path) -> None:
    """Every requirement has a hash; no index, host or folder of a machine stands in the file."""
    text = lock.read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(requirements) >= 1
    assert [line for line in requirements if "--hash=sha256:" not in line] == []
    assert re.findall(r"://|--index|--find-links|@ |\b/\w+/", text) == []


def test_the_lock_pins_what_the_project_asks_for() -> None:
    """Each dependency of pyproject.toml, and those that build and install it, is in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=!~; ]", each)[0] for each in asked}
    pinned = set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", LOCKS[0].read_text(), re.MULTILINE))
    assert names - pinned == set()
    assert {"uv", "hatchling", "editables"} <= pinned


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION),
        (broad_handlers, "try:\n    f()\nexcept:\n    pass"),
        (broad_handlers, "try:\n    f()\nexcept (ValueError, Exception) as e:\n    pass"),
        (sleeps, "import time\ntime.sleep(1)"),
        (sleeps, "from time import sleep as nap\nnap(1)"),
    ],
)
def test_a_planted_breach_is_seen(check: Check, source: str) -> None:
    """Each bar falls when something is put across it."""
    assert len(list(check(source))) == 1


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * (LONGEST_FUNCTION - 1)),
        (broad_handlers, "try:\n    f()\nexcept ValueError:\n    pass"),
        (broad_handlers, "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
        (broad_handlers, "try:\n    f()\n# the top of a process\nexcept Exception:\n    exit(4)"),
        (sleeps, "from harness import clock\nclock.sleep(1)"),
    ],
)
def test_what_is_allowed_passes_the_bars(check: Check, source: str) -> None:
    """The bars do not fall for what the style allows."""
    assert list(check(source)) == []
