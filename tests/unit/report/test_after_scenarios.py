"""The report after a session of scenarios: only its runs, and no other result for the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.report.files import read_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .run_folders import MakeRun

    Session = Callable[..., pytest.RunResult]

pytest_plugins = ["pytester"]

SESSION = """
    import pytest
    from pathlib import Path

    class Session:
        def __init__(self):
            self.played = []

    @pytest.fixture(scope="session")
    def lab_session():
        return Session()
"""
SCENARIOS = """
    from pathlib import Path

    def test_one(lab):
        lab.played.append(Path({folder!r}))

    def test_two(lab):
        lab.played.append(Path({torn!r}))
        assert {holds}

    def test_without_a_lab():
        pass
"""


@pytest.fixture
def session(pytester: pytest.Pytester, make_run: MakeRun) -> Session:
    """Return what runs a session of two scenarios; the second one leaves a torn run."""
    folder = make_run("20260101T000001.000-outbox-x")
    torn = make_run("20260101T000002.000-outbox-x")
    (torn / "verdict.json").unlink()
    pytester.makeconftest(SESSION)

    def run(*options: str, holds: bool = True) -> pytest.RunResult:
        pytester.makepyfile(SCENARIOS.format(folder=str(folder), torn=str(torn), holds=holds))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return run


def test_the_runs_of_a_session_are_reported(session: Session, pytester: pytest.Pytester) -> None:
    """Below `reports/` unless it is told where; one line says so."""
    result = session()
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["report: reports/latest.*"])
    report = read_json(pytester.path / "reports" / "latest.json")
    assert report.headline.outcomes == {"PASSED": 1, "incomplete": 1}


def test_a_red_session_stays_red_and_its_report_says_so(
    session: Session, pytester: pytest.Pytester
) -> None:
    """Its runs may look better than it: pytest knows of more."""
    result = session("--report", "x/night.html", holds=False)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    report = read_json(pytester.path / "x" / "night.json")
    assert report.headline.warnings[0].startswith("pytest counts 1 of 3 scenarios as failed")


def test_a_report_that_fails_is_one_warning_line(
    session: Session, pytester: pytest.Pytester
) -> None:
    """The session's own result stands."""
    (pytester.path / "taken").touch()
    result = session("--report", "taken/night.html")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["warning: no report was written: *"])


def test_a_session_without_runs_writes_nothing(pytester: pytest.Pytester) -> None:
    """The plugin is there for every session of this environment."""
    pytester.makepyfile("def test_nothing(): pass")
    assert pytester.runpytest_inprocess("-p", "no:cacheprovider").ret == pytest.ExitCode.OK
    assert not (pytester.path / "reports").exists()


def test_junit_knows_folder_and_outcome(session: Session, pytester: pytest.Pytester) -> None:
    """As properties of the scenario that played the run."""
    session("--junitxml", "junit.xml")
    text = (pytester.path / "junit.xml").read_text()
    assert text.count('name="outcome" value="PASSED"') == 1
    assert text.count('name="outcome" value="incomplete"') == 1
    assert '-outbox-x" />' in text
