"""The pytest plugin: options, the `lab` fixture, and failures that explain themselves."""

import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.provision.kafka import KAFKA_VERSION

DRAWN_A_SESSION = 4
"""Drawn schedules that a session adds to the simplest one, which all of them share."""

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.progress import LiveLine
    from harness.run.events import Event, Observer
    from harness.run.session import LabSession


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's options."""
    group = parser.getgroup("harness", "fault injection on a real Kafka lab")
    group.addoption("--backend", default="auto", help="where the lab runs: auto or local")
    group.addoption("--profile", default="fast", help="time-outs: fast or production")
    group.addoption(
        "--kafka", default=KAFKA_VERSION, help=f"release of Kafka (default: {KAFKA_VERSION})"
    )
    group.addoption("--runs", default="runs", help="where run folders are made (default: runs)")
    group.addoption("--all", action="store_true", help="play every scenario, the long ones too")
    group.addoption(
        "--schedules",
        type=int,
        default=4,
        metavar="N",
        help="how many drawn schedules are played, about (default: 4)",
    )
    group.addoption(
        "--seed", type=int, default=None, help="root seed of drawn schedules; default: a new one"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Teach pytest the marker of unsafe twins."""
    config.addinivalue_line("markers", "unsafe: an unsafe twin that the harness must catch")
    config.addinivalue_line("markers", "thorough: played with --all only")
    if config.getoption("--seed") is None:
        config.option.seed = secrets.randbits(32)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the thorough ones for `--all`, unless one is named."""
    if config.getoption("--all") or any("::" in argument for argument in config.args):
        return
    left = [item for item in items if item.get_closest_marker("thorough")]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a scenario that plays drawn schedules its sessions."""
    if "drawn_session" in metafunc.fixturenames:
        asked = metafunc.config.getoption
        new_ones = DRAWN_A_SESSION
        sessions = range(-(-max(0, asked("--schedules")) // new_ones))
        metafunc.parametrize(
            "drawn_session",
            [(asked("--seed"), session) for session in sessions],
            ids=[f"session-{session}" for session in sessions],
        )


def pytest_report_header(config: pytest.Config) -> str:
    """Say what scenarios are played on, and where run folders go."""
    asked = config.getoption
    return (
        f"harness: backend {asked('--backend')}, profile {asked('--profile')}, "
        f"Kafka {asked('--kafka')}, runs in {asked('--runs')}, --seed {asked('--seed')}"
    )


@pytest.fixture(scope="session")
def lab_session(request: pytest.FixtureRequest) -> "Iterator[LabSession]":
    """One lab for the whole session, started when the first scenario needs it."""
    from harness.lab.choice import choose  # noqa: PLC0415
    from harness.progress import LiveLine, PlainLines  # noqa: PLC0415
    from harness.run.session import LabSession, choose_backend, default_start  # noqa: PLC0415

    asked = request.config.getoption
    choose_backend(asked("--backend"))
    choice = choose(profile=asked("--profile"), kafka_version=asked("--kafka"))
    plain = PlainLines(_print)
    screen = None
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        screen = _Screen(request.config, LiveLine(sys.__stderr__))
    observers: list[Observer] = [plain, screen] if screen else [plain]
    start = default_start(progress=screen.note if screen else plain.note, choice=choice)
    runs = Path(asked("--runs"))
    with LabSession(start=start, runs=runs, observers=observers) as session:
        yield session


@pytest.fixture
def lab(lab_session: "LabSession") -> "LabSession":
    """Return the lab that a scenario plays on: `lab.run(pipeline("outbox"), kill(leader(…)))`."""
    return lab_session


def _print(text: str) -> None:
    sys.stdout.write(text)  # whatever stdout is now: pytest shows it with a failure


class _Screen:
    """Draws the live line past pytest's capturing of output."""

    def __init__(self, config: pytest.Config, line: "LiveLine") -> None:
        self._capture = config.pluginmanager.getplugin("capturemanager")
        self._line = line

    def __call__(self, event: "Event") -> None:
        """Draw an event."""
        with self._capture.global_and_fixture_disabled():
            self._line(event)

    def note(self, text: str) -> None:
        """Draw what is fetched or started."""
        with self._capture.global_and_fixture_disabled():
            self._line.note(text)
