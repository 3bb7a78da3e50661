"""A stranger's pipeline: plain scripts, JSON bodies, two topics, nothing of the optional probe.

What is safe in it passes, and what is not is found where it is.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.run.session import LabSession, default_start
from harness.scenario import (
    database,
    frames,
    instance,
    isolate,
    kill,
    leader,
    pipeline,
    relay,
    restart,
    variant,
)
from harness.schedule.values import Fault

STRANGER = Path(__file__).parent / "stranger" / "pipeline.toml"
LEDGER = instance("ledger", 0)
DIES_BEFORE_ITS_COMMIT = (
    frames(LEDGER, "OffsetCommit", act="drop", count=None).after(processed=300).for_seconds(3),
    kill(LEDGER).when(0, seconds=1.5).for_seconds(0.5),
)
"""Certain to be read again: what it booked is in the table, and never was its offset committed."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabSession]:
    """One lab for all of them: group names that outlive a run are part of the story."""
    runs = tmp_path_factory.mktemp("runs")
    with LabSession(start=default_start(progress=print), runs=runs) as made:
        yield made


def test_the_safe_pipeline_holds_while_a_leader_and_a_relay_die(session: LabSession) -> None:
    """Nobody is accused, whatever was sent twice and delivered twice."""
    faults = (
        kill(leader("payments", 0)).after(acked=600).for_seconds(2),
        kill(relay()).after(acked=900).for_seconds(1),
    )

    session.run(pipeline(STRANGER), *faults).assert_exactly_once()


def test_two_readers_of_one_topic_are_each_asked_for_their_own(session: LabSession) -> None:
    """The ledger need not keep audit lines, nor the auditor book payments."""
    session.run(variant("two-readers", of=STRANGER)).assert_exactly_once()


@pytest.mark.unsafe
@pytest.mark.parametrize(
    ("bug", "faults"),
    [
        ("high-water-mark", ()),
        ("payload-changed", ()),
        ("dedup-shared", ()),
        ("error-swallowed", (restart(database()).after(acked=600),)),
        ("dedup-in-memory", DIES_BEFORE_ITS_COMMIT),
        (
            "report-ignored",
            (isolate(leader("payments", 0), cut_from="everyone").after(acked=600).for_seconds(3),),
        ),
    ],
)
def test_a_planted_bug_is_found(session: LabSession, bug: str, faults: tuple[Fault, ...]) -> None:
    """With the finding and the hop that the variant declares."""
    session.catch(variant(bug, of=STRANGER), *faults)
