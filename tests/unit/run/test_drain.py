"""Draining ends when everything has come, when the pipeline says so, or at the deadline."""

from dataclasses import replace

import pytest

from harness.run.drain import Standing, drain, embeddable
from harness.run.offsets import GroupOffset, PartitionEnds, lag

WHOLE = Standing(intents=10, effects=10, missing=0, unsent=0, lag=None)
PENDING = Standing(intents=10, effects=8, missing=2, unsent=2, lag=0)
CLAIMED = Standing(intents=10, effects=8, missing=2, unsent=0, lag=0)


def test_it_is_over_as_soon_as_every_message_has_its_effect() -> None:
    """Nothing is waited for that has come already."""
    ended = drain(lambda: WHOLE, deadline_s=9, quiet_s=9, tick=lambda: None, moved=lambda: 0)
    assert ended.complete
    assert ended.waited_s < 1


def test_the_pipelines_own_claim_counts_only_after_a_quiet_while() -> None:
    """All marked, no lag, nothing moves: complete, and the reason says what is missing."""
    ended = drain(lambda: CLAIMED, deadline_s=9, quiet_s=0.05, tick=lambda: None, moved=lambda: 0)
    assert ended.complete
    assert "2 of 10 messages lack an effect" in ended.why


@pytest.mark.parametrize(
    "standing",
    [PENDING, replace(CLAIMED, lag=5), replace(CLAIMED, lag=None), replace(CLAIMED, effects=0)],
)
def test_what_is_still_pending_is_waited_for_until_the_deadline(standing: Standing) -> None:
    """Unsent rows or lag: never complete, however quiet it is."""
    done = standing.claims_done()
    ended = drain(
        lambda: standing,
        deadline_s=0.12,
        quiet_s=9 if done else 0.01,
        tick=lambda: None,
        moved=lambda: 0,
    )
    assert not ended.complete
    assert "deadline" in ended.why


def test_movement_postpones_the_quiet() -> None:
    """As long as anything moves, the claim of being done is not believed."""
    ticks = iter(range(10_000))
    ended = drain(
        lambda: CLAIMED,
        deadline_s=0.2,
        quiet_s=0.15,
        tick=lambda: None,
        moved=lambda: next(ticks),
    )
    assert not ended.complete


def test_the_roles_are_supervised_while_waiting() -> None:
    """A consumer that dies during the drain is started again."""
    ticks: list[int] = []
    drain(lambda: PENDING, deadline_s=0.1, quiet_s=1, tick=lambda: ticks.append(1), moved=lambda: 0)
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
