"""Draining ends when everything has come, when the pipeline says so, or at the deadline."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.run.drain import Drained, Standing, drain, embeddable
from harness.run.offsets import GroupOffset, PartitionEnds, lag

WHOLE = Standing(intents=10, effects=10, missing=0, unsent=0, lag=0)
PENDING = Standing(intents=10, effects=8, missing=2, unsent=2, lag=0)
CLAIMED = Standing(intents=10, effects=8, missing=2, unsent=0, lag=0)


def drained(
    standing: Standing,
    *,
    drain_s: float = 9.0,
    quiet_s: float = 9.0,
    moved: Callable[[], object] = lambda: 0,
    tick: Callable[[], None] = lambda: None,
) -> Drained:
    """Drain a pipeline that stands like this all the time."""
    return drain(lambda: standing, drain_s=drain_s, quiet_s=quiet_s, tick=tick, moved=moved)


def drained_through(answers: list[Standing]) -> Drained:
    """Drain a pipeline that stands like this at one look after the other; the last one stays."""
    return drain(
        lambda: answers.pop(0) if len(answers) > 1 else answers[0],
        drain_s=9,
        quiet_s=0,
        tick=lambda: None,
        moved=lambda: 0,
    )


def test_it_is_over_as_soon_as_every_message_has_its_effect() -> None:
    """Nothing is waited for that has come already."""
    ended = drained(WHOLE)
    assert ended.complete
    assert ended.waited_s < 1


def test_a_redelivery_that_is_still_to_come_is_waited_for() -> None:
    """All effects are there, but a group has records left to read: one may act a second time."""
    answers = [replace(WHOLE, lag=3), replace(WHOLE, lag=3), WHOLE]
    ended = drained_through(answers)
    assert ended.complete
    assert answers == [WHOLE]


def test_a_lag_that_stays_ends_at_the_deadline_and_is_told() -> None:
    """A group that never commits its last records does not make a run endless."""
    ended = drained(replace(WHOLE, lag=1), drain_s=0.1)
    assert ended.complete
    assert "a lag of 1 stayed" in ended.why


def test_without_offsets_in_kafka_a_quiet_while_is_waited_for() -> None:
    """A pipeline that keeps its offsets elsewhere: nobody can tell what is still to be read."""
    ended = drained(replace(WHOLE, lag=None), quiet_s=0.12)
    assert ended.complete
    assert ended.waited_s >= 0.12


def test_the_pipelines_own_claim_counts_only_after_a_quiet_while() -> None:
    """All marked, no lag, nothing moves: complete, and the reason says what is missing."""
    ended = drained(CLAIMED, quiet_s=0.05)
    assert ended.complete
    assert "2 of 10 messages lack an effect" in ended.why


@pytest.mark.parametrize(
    "standing",
    [PENDING, replace(CLAIMED, lag=5), replace(CLAIMED, lag=None), replace(CLAIMED, unsent=None)],
)
def test_what_is_still_pending_is_waited_for_until_the_deadline(standing: Standing) -> None:
    """Unsent rows, lag, or no book of either: never complete, however quiet it is."""
    ended = drained(standing, drain_s=0.12, quiet_s=0.01)
    assert not ended.complete
    assert "nothing moved for 0.12 s" in ended.why


def test_a_claim_without_a_group_for_each_consumer_is_not_believed() -> None:
    """A reader that keeps its offsets elsewhere may be away, however still it is."""
    ended = drained(replace(CLAIMED, covered=False), drain_s=0.12, quiet_s=0.01)
    assert not ended.complete


def test_a_row_that_may_be_sent_again_is_waited_for() -> None:
    """Its relay died between the acknowledgement and the mark; what it sends may act once more."""
    answers = [replace(WHOLE, unsent=1), replace(WHOLE, unsent=1), WHOLE]
    ended = drained_through(answers)
    assert (ended.complete, answers) == (True, [WHOLE])
    assert "1 row(s) without a mark stayed" in drained(replace(WHOLE, unsent=1), drain_s=0.1).why


def test_a_pipeline_that_marks_nothing_at_all_is_not_waited_for() -> None:
    """It keeps no book of what it sent."""
    assert drained(replace(WHOLE, unsent=10)).waited_s < 1


def test_progress_postpones_the_deadline_but_not_for_ever() -> None:
    """A slow pipeline is not called stuck while it moves, up to five times the deadline."""
    ticks = iter(range(10_000))
    ended = drained(PENDING, drain_s=0.11, moved=lambda: next(ticks))
    assert not ended.complete
    assert ended.waited_s >= 0.5
    assert "still moved" in ended.why


def test_movement_postpones_the_quiet() -> None:
    """As long as anything moves, the claim of being done is not believed."""
    ticks = iter(range(10_000))
    ended = drained(CLAIMED, drain_s=0.11, quiet_s=0.105, moved=lambda: next(ticks))
    assert not ended.complete


def test_the_roles_are_supervised_while_waiting() -> None:
    """A consumer that dies during the drain is started again."""
    ticks: list[int] = []
    drained(PENDING, drain_s=0.1, tick=lambda: ticks.append(1))
    assert ticks


def test_lag_counts_what_the_slowest_group_has_yet_to_commit() -> None:
    """Groups without commits on these topics do not count; a missing commit counts from begin."""
    ends = [
        PartitionEnds(topic="orders", partition=0, begin=0, end=100),
        PartitionEnds(topic="orders", partition=1, begin=10, end=20),
    ]
    groups = [
        GroupOffset(group="fast", topic="orders", partition=0, committed=100),
        GroupOffset(group="fast", topic="orders", partition=1, committed=20),
        GroupOffset(group="slow", topic="orders", partition=0, committed=90),
    ]
    assert lag(ends, groups) == 20
    assert lag(ends, groups[:2]) == 0
    assert lag(ends, []) is None


@pytest.mark.parametrize("query", ["SELECT 1", "SELECT 1;", " SELECT 1 ; ", "SELECT 1 -- why"])
def test_a_query_can_stand_in_parentheses_whatever_it_ended_with(query: str) -> None:
    """Semicolons go, and a comment at the end does not swallow the parenthesis."""
    text = embeddable(query)
    assert ";" not in text
    assert text.endswith("\n")
