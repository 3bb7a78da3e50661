"""The order of outcomes, and who may be blamed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.ledger.judge import judge
from harness.ledger.render import render_verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .worlds import Row, World

FAULT = {"event": "fault", "fault": 0, "what": "kill the leader of a/0"}
SCHEDULE = {"faults": [{"kind": "kill"}], "budget": "safe"}
Timeline = list[dict[str, object]]


def with_fault(
    timeline: Timeline, *states: str, bit: bool = True, before: str = "drain"
) -> Timeline:
    """Return a timeline in which fault 0 went through these states before a phase."""
    at = next(i for i, e in enumerate(timeline) if e.get("phase") == before)
    events: Timeline = [
        FAULT
        | {"at_us": 2_100_000 + n, "state": state}
        | ({"bit": bit} if state == "healed" else {})
        for n, state in enumerate(states)
    ]
    return [*timeline[:at], *events, *timeline[at:]]


def outcome(folder: Path) -> tuple[str, int]:
    """Return outcome and exit code of a run folder."""
    verdict = judge(folder)
    return verdict.outcome.value, verdict.exit_code


def test_a_healthy_run_passes(world: World, tmp_path: Path) -> None:
    """Everything arrived, nothing was scheduled, the drain was complete."""
    assert outcome(world.write(tmp_path)) == ("PASSED", 0)


def test_a_run_whose_fault_bit_and_healed_passes(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """The fault met traffic, and was verified healed before the witnesses were read."""
    timeline = with_fault(make_timeline(), "asked", "held", "healed", "verified")
    assert outcome(world.write(tmp_path, timeline=timeline, schedule=SCHEDULE)) == ("PASSED", 0)


def test_a_finding_fails_the_run(world: World, tmp_path: Path) -> None:
    """A doubled effect is a failure whatever else is well."""
    world.effects.append(world.row("effects", 1))
    verdict = judge(world.write(tmp_path))
    assert (verdict.outcome, verdict.exit_code, verdict.reasons) == (
        "FAILED",
        1,
        ("FAILED: duplicate-effect: 1 message",),
    )


@pytest.mark.parametrize(
    ("states", "bit", "expected"),
    [
        ((), False, ("VACUOUS", 3)),
        (("asked", "held", "healed", "verified"), False, ("VACUOUS", 3)),
        (("asked", "failed"), False, ("HARNESS_ERROR", 4)),
        (("asked", "held"), True, ("HARNESS_ERROR", 4)),
        (("asked", "held", "healed"), True, ("HARNESS_ERROR", 4)),
    ],
)
def test_a_fault_that_did_not_go_as_scheduled_is_never_passed(
    world: World,
    make_timeline: Callable[..., Timeline],
    tmp_path: Path,
    states: tuple[str, ...],
    bit: bool,  # noqa: FBT001
    expected: tuple[str, int],
) -> None:
    """Never begun, without a bite, failed, not healed, not verified."""
    timeline = with_fault(make_timeline(), *states, bit=bit)
    assert outcome(world.write(tmp_path, timeline=timeline, schedule=SCHEDULE)) == expected


def test_witnesses_read_before_the_heal_prove_nothing(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """A checker that judges before the heal would pass this run, or blame the pipeline."""
    timeline = with_fault(make_timeline(), "asked", "held", "healed", "verified", before="check")
    world.effects.append(world.row("effects", 1))
    verdict = judge(world.write(tmp_path, timeline=timeline, schedule=SCHEDULE))
    assert (verdict.outcome, verdict.confirmed) == ("UNKNOWN", False)


def test_a_run_that_ended_before_reading_is_unknown(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """It broke off in the drain."""
    assert outcome(world.write(tmp_path, timeline=make_timeline(until="drain"))) == ("UNKNOWN", 3)


@pytest.mark.parametrize("witness", ["intents", "log", "effects"])
def test_a_missing_witness_is_unknown(world: World, tmp_path: Path, witness: str) -> None:
    """Without it nothing can be said, least of all PASSED."""
    (world.write(tmp_path) / "witness" / f"{witness}.parquet").unlink()
    assert outcome(tmp_path) == ("UNKNOWN", 3)


@pytest.mark.parametrize("witness", ["intents", "log", "effects", "sent"])
def test_a_torn_witness_is_unknown(world: World, tmp_path: Path, witness: str) -> None:
    """Half a file is no witness."""
    path = world.write(tmp_path) / "witness" / f"{witness}.parquet"
    path.write_bytes(path.read_bytes()[:-30])
    assert outcome(tmp_path) == ("UNKNOWN", 3)


def test_a_journal_with_a_hole_is_unknown(world: World, tmp_path: Path) -> None:
    """Something was written and is gone."""
    holed = b'{"n":1,"at_us":1,"event":"start"}\n{"n":3,"at_us":2,"event":"sent","ids":[1]}\n'
    world.acks_journalled = True
    assert outcome(world.write(tmp_path, journals={"consumer-0": holed})) == ("UNKNOWN", 3)


def stalled(world: World) -> World:
    """Leave the last two messages in the outbox."""
    for number in (4, 5):
        for witness in ("sent", "log", "effects"):
            world.drop(witness, number)
    return world


def test_stuck_messages_are_a_hang_in_the_safe_budget(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """Progress stopped: not lost, not passed."""
    timeline = make_timeline(complete=False)
    assert outcome(stalled(world).write(tmp_path, timeline=timeline)) == ("HANG", 3)


def test_stuck_messages_over_the_budget_are_figures(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """Liveness is not promised there; the number is stated all the same."""
    schedule: Row = {"faults": [], "budget": "over"}
    timeline = make_timeline(complete=False)
    verdict = judge(stalled(world).write(tmp_path, timeline=timeline, schedule=schedule))
    assert (verdict.outcome, verdict.findings, verdict.figures["messages_stuck"]) == (
        "PASSED",
        (),
        2,
    )
    said = " ".join(render_verdict(verdict).split())
    assert "2 had not arrived, and no progress was promised" in said


@pytest.mark.parametrize(
    "trouble",
    [
        {"event": "trouble", "kind": "lab", "message": "the proxy wedged", "at_us": 5},
        {"event": "trouble", "kind": "harness", "message": "a bug of ours", "at_us": 5},
        {"event": "node", "node": 2, "state": "exited", "code": 1, "asked": False, "at_us": 5},
    ],
)
def test_trouble_of_our_own_is_never_blamed_on_the_pipeline(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path, trouble: dict[str, object]
) -> None:
    """Without findings HARNESS_ERROR; with findings UNKNOWN, and they are unconfirmed."""
    timeline = [trouble, *make_timeline()]
    clean = judge(world.write(tmp_path / "clean", timeline=timeline))
    world.effects.append(world.row("effects", 1))
    accused = judge(world.write(tmp_path / "accused", timeline=timeline))
    assert (clean.outcome, clean.confirmed) == ("HARNESS_ERROR", True)
    assert (accused.outcome, accused.confirmed, len(accused.findings)) == ("UNKNOWN", False, 1)


def test_a_node_that_the_harness_killed_is_no_trouble(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """It was asked to die."""
    killed = {"event": "node", "node": 2, "state": "exited", "code": -9, "asked": True, "at_us": 5}
    assert outcome(world.write(tmp_path, timeline=[killed, *make_timeline()])) == ("PASSED", 0)


def test_trouble_of_the_pipeline_is_its_own(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """A role that keeps failing excuses no lost message."""
    failing = {"event": "trouble", "kind": "pipeline", "message": "relay exits", "at_us": 5}
    world.effects.append(world.row("effects", 1))
    assert outcome(world.write(tmp_path, timeline=[failing, *make_timeline()])) == ("FAILED", 1)


def test_an_empty_run_is_vacuous(empty_world: type[World], tmp_path: Path) -> None:
    """A checker that accepts an empty run would call this green."""
    assert outcome(empty_world().write(tmp_path)) == ("VACUOUS", 3)


def test_a_finding_outweighs_everything_else(
    world: World, make_timeline: Callable[..., Timeline], tmp_path: Path
) -> None:
    """FAILED before HANG and VACUOUS; all reasons are listed, worst first."""
    world.effects.append(world.row("effects", 1))
    folder = world.write(tmp_path, timeline=make_timeline(complete=False), schedule=SCHEDULE)
    words = [reason.split(":")[0] for reason in judge(folder).reasons]
    assert words == ["FAILED", "HANG", "VACUOUS"]


def test_a_folder_without_timeline_is_not_green(world: World, tmp_path: Path) -> None:
    """Other people's witnesses may accuse, but cannot tell when they were read."""
    folder = world.write(tmp_path)
    (folder / "timeline.jsonl").unlink()
    assert outcome(folder) == ("UNKNOWN", 3)


def test_a_torn_timeline_is_unknown(world: World, tmp_path: Path) -> None:
    """What stood behind the tear nobody knows."""
    path = world.write(tmp_path) / "timeline.jsonl"
    path.write_text(path.read_text() + json.dumps({"event": "trouble"})[:-5])
    assert outcome(tmp_path) == ("UNKNOWN", 3)


def test_where_nothing_is_promised_nobody_is_accused(world: World, tmp_path: Path) -> None:
    """A disk is lost beside another fault of nodes: what is missing is told, and no verdict."""
    del world.effects[0]
    folder = world.write(tmp_path)
    file = folder / "environment.json"
    environment = json.loads(file.read_text())
    environment["promise"] = {"safety": False, "liveness": False, "why": "a disk is lost"}
    file.write_text(json.dumps(environment))
    verdict = judge(folder)
    assert (verdict.outcome, verdict.confirmed) == ("UNKNOWN", False)
    assert "UNKNOWN: no promise: a disk is lost" in verdict.reasons
    assert verdict.totals
