"""Which frames a rule counts, which it catches, and what it says became of them."""

import json

import pytest

from harness.lab.frames.codec import Frame
from harness.lab.frames.rules import MOST_TOLD, ArmedRule, Catch, FrameRule, FrameSighting, as_json

PRODUCE, METADATA = 0, 3
RULE = FrameRule(slot=2, nodes=(1, 3), api_key=PRODUCE)


def meet(  # one argument for each thing a rule looks at
    rule: ArmedRule,
    *,
    api_key: int | None = PRODUCE,
    part: str = "request",
    slot: int = 2,
    node: int = 1,
    connection: int = 1,
    free: bool = True,
) -> Catch | None:
    """Show one frame to a rule."""
    frame = Frame(b"12345678", api_key, 5)
    return rule.meet(
        frame,
        part="request" if part == "request" else "answer",
        slot=slot,
        node=node,
        connection=connection,
        free=free,
    )


def test_the_nth_is_counted_over_all_connections_and_nodes_of_the_rule() -> None:
    """The third of node 1, node 3 and another connection is the third."""
    rule = ArmedRule(FrameRule(slot=2, nodes=(1, 3), api_key=PRODUCE, nth=3, count=2))
    places = [(1, 1), (3, 2), (1, 4), (3, 2), (1, 1)]
    caught = [meet(rule, node=node, connection=connection) for node, connection in places]
    assert [catch.number if catch else None for catch in caught] == [None, None, 3, 4, None]
    assert (rule.seen, rule.caught_count) == (5, 2)


@pytest.mark.parametrize(
    "other",
    [
        {"api_key": METADATA},
        {"api_key": None},
        {"part": "answer"},
        {"slot": 1},
        {"node": 2},
    ],
)
def test_a_frame_that_is_not_meant_is_not_counted(other: dict[str, object]) -> None:
    """Another api, direction, role or node."""
    rule = ArmedRule(RULE)
    assert meet(rule, **other) is None  # type: ignore[arg-type]  # one of the above
    assert rule.seen == 0


def test_without_a_count_every_frame_from_the_nth_on_is_caught() -> None:
    """Until the rule is out of force; then it does not even count."""
    rule = ArmedRule(FrameRule(slot=2, nodes=(1,), api_key=PRODUCE, nth=2, count=None))
    caught = [meet(rule) is not None for _ in range(MOST_TOLD + 10)]
    assert caught == [False, *[True] * (MOST_TOLD + 9)]
    rule.in_force = False
    assert meet(rule) is None
    sighting = rule.sighting()
    assert (sighting.seen, sighting.caught_count) == (MOST_TOLD + 10, MOST_TOLD + 9)
    assert len(sighting.caught) == MOST_TOLD


def test_a_frame_that_another_rule_has_is_counted_and_left_to_it() -> None:
    """Two rules never fight over one frame, and the later one's count stays right."""
    rule = ArmedRule(RULE)
    assert meet(rule, free=False) is None
    assert (rule.seen, rule.caught_count) == (1, 0)


def test_a_held_frame_is_due_when_its_rule_is_released_and_not_before() -> None:
    """A delayed one is due at its time, or at the release if that is earlier."""
    held, later = (
        ArmedRule(RULE),
        ArmedRule(FrameRule(slot=2, nodes=(1,), api_key=PRODUCE, act="delay", delay_ms=60_000)),
    )
    first, second = meet(held), meet(later)
    assert first is not None
    assert second is not None
    assert first.due_s() is None
    assert second.due_s() == pytest.approx(second.since_s + 60)
    held.in_force = later.in_force = False
    assert (first.due_s(), second.due_s()) == (0.0, 0.0)


def test_the_first_word_about_a_fate_counts() -> None:
    """A frame that passed is not gone when its connection ends afterwards."""
    rule = ArmedRule(RULE)
    catch = meet(rule)
    assert catch is not None
    assert catch.told().fate == "waits"
    catch.settle("passed")
    catch.settle("gone")
    assert rule.sighting().caught[0].fate == "passed"


def test_a_sighting_and_a_rule_survive_their_way_through_json() -> None:
    """What the harness reads is what the proxy said."""
    rule = ArmedRule(RULE)
    meet(rule)
    sighting = rule.sighting(("a length of 7",))
    assert FrameSighting.from_json(json.loads(json.dumps(as_json(sighting)))) == sighting
    assert FrameRule.from_json(json.loads(json.dumps(as_json(RULE)))) == RULE
