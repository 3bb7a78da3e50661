"""A consumer is expected where it acts, or where it is declared, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ledger.checker import check
from harness.ledger.evidence import Facts

if TYPE_CHECKING:
    from .worlds import World

DECLARED: dict[str, tuple[str, ...]] = {"billing": ("orders",), "auditor": ("audit",)}


def two_topics(world: World, *, effects: list[tuple[int, str]]) -> World:
    """Give the world messages 0 and 1 on orders, 2 on audit, all in the log, and these effects."""
    for number, topic in enumerate(("orders", "orders", "audit")):
        row = {"message_id": number, "topic": topic}
        world.intents.append(row)
        world.log.append({**row, "partition": 0, "offset": number})
    world.effects += [{"message_id": number, "consumer": name} for number, name in effects]
    return world


def lost(world: World, *, declared: dict[str, tuple[str, ...]]) -> set[tuple[object, str | None]]:
    """Return (message, consumer) of everything lost."""
    facts = Facts(drained=True, consumers=declared)
    found = check(world.witnesses(), facts=facts).findings
    assert all(f.kind == "lost" for f in found)
    return {(f.message_id, f.consumer) for f in found}


def test_a_consumer_is_not_accused_for_a_topic_that_it_never_reads(
    empty_world: type[World],
) -> None:
    """Billing acts on orders, the auditor on audit: nothing is lost."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (1, "billing"), (2, "auditor")])
    assert lost(world, declared={}) == set()
    assert lost(world, declared=DECLARED) == set()


def test_a_consumer_that_acted_on_a_topic_is_expected_on_all_of_it(
    empty_world: type[World],
) -> None:
    """Billing acted on one order only."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (2, "auditor")])
    assert lost(world, declared={}) == {(1, "billing")}


def test_a_topic_that_nobody_acts_on_is_missed(empty_world: type[World]) -> None:
    """Learnt: somebody has to act on it. Declared: the auditor, by name."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (1, "billing")])
    assert lost(world, declared={}) == {(2, None)}
    assert lost(world, declared=DECLARED) == {(2, "auditor")}


def test_a_declared_consumer_that_never_acts_is_missed(empty_world: type[World]) -> None:
    """Two consumers on one topic, of which one is broken from the start: only a word can tell."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (1, "billing"), (2, "auditor")])
    declared = {**DECLARED, "fraud": ("orders",)}
    assert lost(world, declared=declared) == {(0, "fraud"), (1, "fraud")}


def test_a_topic_without_a_declared_consumer_needs_no_effect(empty_world: type[World]) -> None:
    """It leaves the pipeline: being in the log is all that is asked."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (1, "billing")])
    assert lost(world, declared={"billing": ("orders",)}) == set()


def test_a_copy_on_a_topic_that_may_hold_copies_accuses_nobody(empty_world: type[World]) -> None:
    """A consumer that failed puts an order on its topic for retries, and acts on it from there."""
    world = two_topics(empty_world(), effects=[(0, "billing"), (1, "billing"), (2, "auditor")])
    again = {"message_id": 1, "topic": "orders.retry", "partition": 0, "offset": 0}
    world.log.append(again)
    witnesses = world.witnesses()
    retried = Facts(drained=True, consumers=DECLARED, copies={"orders.retry": ("orders",)})
    assert check(witnesses, facts=retried).findings == ()
    (found,) = check(witnesses, facts=Facts(drained=True, consumers=DECLARED)).findings
    assert (found.kind, found.hop, found.message_id) == ("corrupt", "topic", 1)
    again["message_id"] = 2
    (found,) = check(world.witnesses(), facts=retried).findings
    assert (found.kind, found.hop, found.message_id) == ("corrupt", "topic", 2)
