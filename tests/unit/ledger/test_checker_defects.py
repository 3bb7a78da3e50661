"""Defects that a checker may have itself (CATALOGUE section 3): each test fails if ours has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .worlds import World


def test_the_last_partition_is_looked_at(world: World) -> None:
    """A defect in the highest partition of the file's last batch is seen."""
    world.log.sort(key=lambda row: (row["partition"], row["offset"]))
    world.log.append(world.row("log", 5) | {"partition": 7, "offset": 0, "message_id": 99})
    found = [world.accused(batch_rows=n) for n in (1, 2, 3, 1000)]
    assert found == [[("phantom", "log", 99, None)]] * 4


def test_effects_are_a_multiset(world: World) -> None:
    """A doubled effect and a missing one do not cancel out, and neither is folded away."""
    world.row("effects", 3)["message_id"] = 2
    world.row("effects", 2)["payload_sha256"] = None
    world.effects[3]["payload_sha256"] = None
    assert world.accused() == [("lost", "no-effect", 3, "c"), ("duplicate-effect", None, 2, "c")]


@pytest.mark.parametrize("copies", [255, 256, 65_535])
def test_counters_do_not_wrap_to_none_or_one(world: World, copies: int) -> None:
    """Any number of effects stays more than one, and any number of records more than none."""
    world.absent = {f"{w}.payload_sha256" for w in ("intents", "log", "effects")}
    world.effects += [world.row("effects", 1)] * copies
    world.log += [world.row("log", 4)] * (copies if copies < 1000 else 0)
    assert world.accused() == [("duplicate-effect", None, 1, "c")]


@pytest.mark.parametrize("outcome", ["unknown", "failed"])
def test_an_intent_that_is_not_known_to_be_committed_is_not_missed(
    world: World, outcome: str
) -> None:
    """An unknown send that shows up nowhere is no loss, and a failed one even less."""
    for witness in ("outbox", "sent", "log", "effects"):
        world.drop(witness, 5)
    world.row("intents", 5)["outcome"] = outcome
    assert world.accused() == []


def test_an_unknown_send_that_shows_up_is_recovered(world: World) -> None:
    """It is a figure, not a phantom."""
    world.row("intents", 5)["outcome"] = "unknown"
    checked = world.check()
    assert (checked.findings, checked.figures["unknowns_recovered"]) == ((), 1)


def test_an_unknown_commit_with_an_outbox_row_must_end_in_an_effect(world: World) -> None:
    """The outbox row proves the commit that the producer never heard of."""
    for witness in ("sent", "log", "effects"):
        world.drop(witness, 5)
    world.row("intents", 5)["outcome"] = "unknown"
    assert world.accused() == [("lost", "never-published", 5, None)]


def test_a_gap_in_offsets_is_not_a_loss(world: World) -> None:
    """Transaction markers and retried batches take offsets."""
    for row in world.log:
        row["offset"] = row["offset"] * 1000 + 17
    for row in world.rows("offsets"):
        row["committed"] = row["end"] = 10_000
    assert world.accused() == []


def test_copies_in_the_log_are_figures(world: World) -> None:
    """At least once is the promise of the log; exactly once is asked of the effects."""
    world.log += [row | {"offset": row["offset"] + 10} for row in world.log[:4]]
    checked = world.check()
    assert (checked.findings, checked.figures["log_duplicates"]) == ((), 4)


def test_records_without_id_are_counted_and_accuse_nobody(world: World) -> None:
    """Whatever else stands on the topic, it cannot be attributed to a message."""
    world.log.append(world.row("log", 5) | {"message_id": None, "offset": 9})
    checked = world.check()
    assert (checked.findings, checked.figures["records_without_id"]) == ((), 1)


def test_no_effect_at_all_is_every_message_lost(world: World) -> None:
    """Without any consumer seen, each message lacks one."""
    world.effects.clear()
    assert world.accused() == [("lost", "no-effect", number, None) for number in range(6)]
