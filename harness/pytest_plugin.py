"""The pytest plugin: options, the `lab` fixture, and failures that explain themselves."""

import argparse
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.clock import duration_s
from harness.provision.kafka import KAFKA_VERSION

SAID = "harness"
"""The name of the property under which a test keeps what it says at the end."""
_PLAYED = pytest.StashKey[list[Path]]()
_REPORTED = pytest.StashKey[str]()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.campaign.replayed import Replay
    from harness.campaign.sessions import Drawing
    from harness.progress import LiveLine
    from harness.run.events import Event, Observer
    from harness.run.session import LabSession

_REPLAY = pytest.StashKey["Replay"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's options."""
    group = parser.getgroup("harness", "fault injection on a real Kafka lab")
    group.addoption("--backend", default="auto", help="where the lab runs: auto, local or docker")
    group.addoption(
        "--images", default="auto", help="what the docker backend starts: public, own or auto"
    )
    group.addoption("--profile", default="fast", help="time-outs: fast or production")
    group.addoption(
        "--kafka", default=KAFKA_VERSION, help=f"release of Kafka (default: {KAFKA_VERSION})"
    )
    group.addoption(
        "--report",
        default="reports/latest.html",
        metavar="FILE",
        help="the report of the runs of this session (default: reports/latest.html)",
    )
    group.addoption("--runs", default="runs", help="where run folders are made (default: runs)")
    _add_options_of_what_is_played(group)


def _add_options_of_what_is_played(group: pytest.OptionGroup) -> None:
    group.addoption("--all", action="store_true", help="play every scenario, the long ones too")
    group.addoption(
        "--schedules",
        type=int,
        default=4,
        metavar="N",
        help="how many drawn schedules are played, about (default: 4)",
    )
    group.addoption(
        "--time",
        type=_seconds,
        default=None,
        metavar="TIME",
        help="drawn schedules go on for so long, e.g. 10m, instead of --schedules",
    )
    group.addoption(
        "--replay",
        type=Path,
        default=None,
        metavar="FILE",
        help="play this alone: a schedule.json, a run folder or a pinned regression",
    )
    group.addoption(
        "--times", type=_times, metavar="N", help="how often --replay plays it (default: 1)"
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
    if config.getoption("--replay") is not None:
        _play_alone(config)
    elif config.getoption("--times") is not None:
        raise pytest.UsageError("--times says how often --replay FILE is played: name the file")


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
    if "drawing" in metafunc.fixturenames:
        drawings = _drawings(metafunc.config)
        metafunc.parametrize("drawing", list(drawings.values()), ids=list(drawings))


def pytest_report_header(config: pytest.Config) -> str:
    """Say what scenarios are played on, and where run folders go."""
    asked = config.getoption
    return (
        f"harness: backend {asked('--backend')}, profile {asked('--profile')}, "
        f"Kafka {asked('--kafka')}, runs in {asked('--runs')}, --seed {asked('--seed')}"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what scenarios recorded (what became of a regression, say), and where the report is."""
    reports = [each for some in terminalreporter.stats.values() for each in some]
    said = [
        text
        for report in reports
        for name, text in getattr(report, "user_properties", ())
        if name == SAID and getattr(report, "when", None) == "call"
    ]
    if said:
        terminalreporter.section("harness")
        for text in said:
            terminalreporter.line(str(text))
    if report := terminalreporter.config.stash.get(_REPORTED, ""):
        terminalreporter.line(report)


def _play_alone(config: pytest.Config) -> None:
    """Let a scenario of our own take the place of all others, in whatever repository this is."""
    from harness.campaign import replayed  # noqa: PLC0415
    from harness.errors import HarnessError  # noqa: PLC0415

    asked = config.getoption
    try:
        config.stash[_REPLAY] = replayed.Replay(asked("--replay"), times=asked("--times") or 1)
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    config.args[:] = [str(replayed.__file__)]


def _drawings(config: pytest.Config) -> "dict[str, Drawing]":
    """Return what is to be drawn, by the name of its test."""
    from harness.campaign.sessions import NEW_ONES, Drawing  # noqa: PLC0415

    seed, time_s = config.getoption("--seed"), config.getoption("--time")
    if time_s is not None:
        return {"until-the-time-is-up": Drawing(root_seed=seed, time_s=time_s)}
    sessions = range(-(-max(0, config.getoption("--schedules")) // NEW_ONES))
    return {f"session-{each}": Drawing(root_seed=seed, session=each) for each in sessions}


def _seconds(text: str) -> float:
    try:
        return duration_s(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _times(text: str) -> int:
    if not (text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of times: write 1 or more")
    return int(text)


@pytest.fixture(scope="session")
def lab_session(request: pytest.FixtureRequest) -> "Iterator[LabSession]":
    """One lab for the whole session, started when the first scenario needs it."""
    from harness.lab.choice import choose  # noqa: PLC0415
    from harness.progress import LiveLine, PlainLines  # noqa: PLC0415
    from harness.provision.backend import choose as choose_backend  # noqa: PLC0415
    from harness.run.session import default_session  # noqa: PLC0415

    asked = request.config.getoption
    choice = choose(profile=asked("--profile"), kafka_version=asked("--kafka"))
    choice = choice.on(
        choose_backend(asked("--backend"), images=asked("--images"), kafka_version=asked("--kafka"))
    )
    plain = PlainLines(_print)
    screen = None
    if sys.__stderr__ is not None and sys.__stderr__.isatty():
        screen = _Screen(request.config, LiveLine(sys.__stderr__))
    observers: list[Observer] = [plain, screen] if screen else [plain]
    progress = screen.note if screen else plain.note
    runs = Path(asked("--runs"))
    with default_session(choice, runs=runs, progress=progress, observers=observers) as session:
        yield session


@pytest.fixture
def lab(lab_session: "LabSession", request: pytest.FixtureRequest) -> "Iterator[LabSession]":
    """Return the lab that a scenario plays on: `lab.run(pipeline("outbox"), kill(leader(…)))`.

    Folder and outcome of each run become properties of the test, for `--junitxml`.
    """
    before = len(lab_session.played)
    yield lab_session
    played = lab_session.played[before:]
    request.config.stash.setdefault(_PLAYED, []).extend(played)
    for folder in played:  # not by `record_property`, as in `say`
        request.node.user_properties += [("run", str(folder)), ("outcome", _outcome(folder))]


def _outcome(folder: Path) -> str:
    try:
        verdict = json.loads((folder / "verdict.json").read_bytes())
    except (OSError, ValueError):
        return "incomplete"
    return str(verdict.get("outcome"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the report of the runs of this session, whatever became of them."""
    played = session.config.stash.get(_PLAYED, [])
    if not played:
        return
    from harness.report import publish_at_the_end  # noqa: PLC0415

    failed = session.testsfailed
    red = f"pytest counts {failed} of {session.testscollected} scenarios as failed: see its output."
    session.config.stash[_REPORTED] = publish_at_the_end(
        played,
        Path(session.config.getoption("--report")),
        title=f"pytest {' '.join(Path(each).name for each in session.config.args)}",
        notes=[red] if failed else [],
    )


@pytest.fixture
def say(request: pytest.FixtureRequest) -> "Callable[[str], None]":
    """Return what a scenario tells a sentence to that the end of the session shows."""

    def tell(sentence: str) -> None:
        # Not by `record_property`: under pytest's default family of JUnit files that is a warning.
        request.node.user_properties.append((SAID, sentence))

    return tell


@pytest.fixture
def replay(request: pytest.FixtureRequest) -> "Replay":
    """Return what `--replay` names, read and found to be playable."""
    return request.config.stash[_REPLAY]


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
