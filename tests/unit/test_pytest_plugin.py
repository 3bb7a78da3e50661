"""pytest's options, as a stranger's repository meets them; the lab itself is left out."""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

import harness.campaign.replayed
import harness.progress
import harness.scenario  # noqa: F401  # pytester forgets what is first imported inside of it
from harness.campaign.regression import Regression, write_regression
from harness.ledger.findings import Hop, Kind, Outcome, Total, Verdict
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.codec import to_json
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader

pytest_plugins = ["pytester"]

SCENARIO = """
from harness.scenario import DrawnSchedules, Drawing, LabSession, pipeline

def test_drawn(lab, drawing):
    DrawnSchedules(lab, pipeline("outbox")).play(drawing)
"""
REGRESSION = """
from pathlib import Path
from harness.scenario import play_regression, read_regression

def test_pinned(lab, say):
    repeats = play_regression(lab, read_regression(Path("pinned.json")), name="pinned")
    say(str(repeats))
    repeats.assert_as_pinned()
"""
LOST = (Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=3),)
KILL = Schedule(pipeline="outbox", faults=(kill(leader("orders", 0)),))
Outcomes = Callable[..., list[Schedule]]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Outcomes:
    """Return what makes runs end in these outcomes, in turn; it returns what was played."""

    def every(*outcomes: Outcome, expects: tuple[str, str | None] | None = None) -> list[Schedule]:
        played: list[Schedule] = []
        following = cycle(outcomes)

        def play(
            _session: LabSession, _pipeline: object, schedule: Schedule, **_: object
        ) -> RunResult:
            outcome = next(following)
            played.append(schedule)
            totals = LOST if outcome is Outcome.FAILED else ()
            verdict = Verdict(outcome=outcome, reasons=(f"it is {outcome}",), totals=totals)
            return RunResult(folder=Path("run"), verdict=verdict, took_s=1.0, expects=expects)

        monkeypatch.setattr(LabSession, "play", play)
        return played

    return every


def pinned(variant: str | None, *, failed: int, of: int, repeats: int) -> None:
    """Pin a regression in the working folder."""
    schedule = Schedule(pipeline="outbox", variant=variant, faults=KILL.faults)
    write_regression(
        Regression(
            schedule=schedule,
            finding="lost",
            hop="acked-not-in-log",
            failed=failed,
            of=of,
            repeats=repeats,
            kafka="4.3.1",
        ),
        Path("pinned.json"),
    )


def test_schedules_are_drawn_in_sessions_of_their_own(
    pytester: pytest.Pytester, ends: Outcomes
) -> None:
    """Eight schedules are two tests."""
    played = ends(Outcome.PASSED)
    pytester.makepyfile(test_drawn=SCENARIO)
    pytester.runpytest("--schedules", "8", "--seed", "3").assert_outcomes(passed=2)
    assert len(played) == 10  # eight, and for each session the simplest one there is
    assert len({to_json(each) for each in played}) == 9


class ThreeSessions:
    """A deadline that passes after the third look, however fast the machine is."""

    def __init__(self, seconds: float) -> None:
        assert seconds == 600
        self._looks = 0

    def passed(self) -> bool:
        """Tell whether it was looked at three times."""
        self._looks += 1
        return self._looks == 3


def test_with_a_time_sessions_go_on_until_it_is_up(
    pytester: pytest.Pytester, ends: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many fit; the number of schedules says nothing then."""
    monkeypatch.setattr("harness.campaign.sessions.Deadline", ThreeSessions)
    played = ends(Outcome.PASSED)
    pytester.makepyfile(test_drawn=SCENARIO)
    result = pytester.runpytest("--time", "10m", "--schedules", "4", "--seed", "3", "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*until-the-time-is-up*PASSED*"])
    assert len(played) == 13  # the simplest one, and four new ones in each of three sessions


def test_until_the_time_is_up_a_failing_session_does_not_end_the_others(
    pytester: pytest.Pytester, ends: Outcomes
) -> None:
    """Three failing sessions are enough, and all three are told."""
    ends(Outcome.FAILED)
    pytester.makepyfile(test_drawn=SCENARIO)
    result = pytester.runpytest("--time", "1h", "--seed", "3")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*session 0: FAILED*", "*session 1: FAILED*", "*session 2: *"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--time", "10"], "'10' is no length of time: write 90s, 30m or 2h"),
        (["--replay", "x.json", "--times", "0"], "'0' is no number of times"),
        (["--times", "3"], "--times says how often --replay FILE is played"),
        (["--replay", "x.json"], "The schedule x.json cannot be read: No such file"),
        (["--replay", "typo.json"], "typo.json: `fault` is not a key that exists there"),
        (["--replay", "aim.json"], "there is no topic order"),
    ],
)
def test_a_wrong_option_is_said_before_anything_is_collected(
    pytester: pytest.Pytester, options: list[str], said: str
) -> None:
    """One sentence, and the exit code of a usage error."""
    text = to_json(KILL)
    pytester.makefile(
        ".json", typo=text.replace('"faults"', '"fault"'), aim=text.replace('"orders"', '"order"')
    )
    result = pytester.runpytest(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])


def test_a_schedule_from_a_file_is_a_scenario_of_its_own(
    pytester: pytest.Pytester, ends: Outcomes
) -> None:
    """It is played alone, as often as asked, and the summary counts."""
    played = ends(Outcome.PASSED, Outcome.FAILED)
    pytester.makepyfile(test_other="def test_other(): raise AssertionError")
    pytester.makefile(".json", schedule=to_json(KILL))
    strict = ("-W", "error", "--junit-xml", "junit.xml")
    result = pytester.runpytest("--replay", "schedule.json", "--times", "4", *strict)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*replay of schedule.json: failed 2/4 (15% to 85%)"])
    assert played == [KILL] * 4
    assert "replay of schedule.json: failed 2/4" in Path("junit.xml").read_text()


def test_a_run_folder_can_be_replayed_as_well(pytester: pytest.Pytester, ends: Outcomes) -> None:
    """Its schedule is played; what stands in a test file is not asked for."""
    ends(Outcome.PASSED)
    pytester.mkdir("run").joinpath("schedule.json").write_text(to_json(KILL))
    result = pytester.runpytest("--replay", "run")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*replay of run: failed 0/1 *"])


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([Outcome.FAILED], "passed"),
        ([Outcome.PASSED], "failed"),
        ([Outcome.PASSED, Outcome.FAILED], "passed"),
    ],
)
def test_an_unsafe_variant_in_a_file_has_to_be_caught_in_one_of_the_plays(
    pytester: pytest.Pytester, ends: Outcomes, outcomes: list[Outcome], verdict: str
) -> None:
    """As its twin in a scenario has to be; the line says how often it was."""
    ends(*outcomes, expects=("lost", "acked-not-in-log"))
    pytester.makefile(".json", schedule=to_json(KILL))
    result = pytester.runpytest("--replay", "schedule.json", "--times", "2")
    result.assert_outcomes(**{verdict: 1})


def test_a_regression_that_no_longer_fails_is_reported(
    pytester: pytest.Pytester, ends: Outcomes
) -> None:
    """A pipeline that ought to be safe passes then; the summary says that it was looked at."""
    played = ends(Outcome.PASSED)
    pytester.makepyfile(test_pinned=REGRESSION)
    pinned(None, failed=3, of=5, repeats=4)
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        "regression pinned: 0 of 12 repeats failed; its measured probability was 0.6: "
        "mended, or the harness lost its sight"
    )
    assert len(played) == 12
