"""One planted bug for each finding and hop: the checker must name it, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ledger.evidence import Ack
from harness.ledger.judge import judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from .worlds import Row, World

LOST, STUCK = "lost", "stuck"


def test_a_healthy_world_accuses_nobody(world: World) -> None:
    """Six messages that arrived once and in order give no finding."""
    assert world.accused() == []


def test_a_message_that_outbox_and_log_lack_was_never_in_the_outbox(world: World) -> None:
    """Its intent is committed, its outbox row was never written."""
    for witness in ("outbox", "sent", "log", "effects"):
        world.drop(witness, 2)
    assert world.accused() == [(LOST, "never-in-outbox", 2, None)]


def test_an_outbox_row_without_record_was_never_published(world: World) -> None:
    """It stands in the outbox, unsent, and the drain was complete."""
    for witness in ("sent", "log", "effects"):
        world.drop(witness, 2)
    assert world.accused() == [(LOST, "never-published", 2, None)]


def test_a_mark_without_journalled_ack_is_never_published(world: World) -> None:
    """Where acknowledgements are journalled, a mark alone is no evidence of one."""
    world.drop("log", 2)
    world.drop("effects", 2)
    world.acks_journalled = True
    (finding,) = world.check().findings
    assert (finding.hop, "marked as sent without an acknowledgement" in finding.sentence) == (
        "never-published",
        True,
    )


def test_a_marked_message_that_the_log_lacks_was_acked(world: World) -> None:
    """Without journals the pipeline's own mark counts as its claim of an acknowledgement."""
    world.drop("log", 2)
    world.drop("effects", 2)
    assert world.accused() == [(LOST, "acked-not-in-log", 2, None)]


def test_a_journalled_ack_without_record_is_acked_not_in_log(world: World) -> None:
    """The relay journalled the acknowledgement and died before it could mark the row."""
    for witness in ("sent", "log", "effects"):
        world.drop(witness, 2)
    world.acks_journalled = True
    world.acks = [Ack(message_id=2, topic="a", partition=0, offset=1)]
    assert world.accused() == [(LOST, "acked-not-in-log", 2, None)]


def test_an_acked_record_that_vanished_after_its_effect_is_still_lost(world: World) -> None:
    """The log is not durable, even if this consumer happened to be quick."""
    world.drop("log", 2)
    assert world.accused() == [(LOST, "acked-not-in-log", 2, None)]


def test_a_journalled_ack_of_a_snowflake_is_evidence_too(
    make_world: Callable[..., World],
) -> None:
    """Its id has 19 digits, and the journal's word of it is all that there is."""
    world = make_world(name=lambda number: number + 10**18)
    world.drop("log", 2)
    world.sent = None
    world.acks_journalled = True
    world.acks = [Ack(message_id=10**18 + 2, topic="a", partition=0, offset=1)]
    assert world.accused() == [(LOST, "acked-not-in-log", 10**18 + 2, None)]


def test_a_trimmed_log_is_no_loss_where_all_effects_are_there(world: World) -> None:
    """Retention moved the beginning of a partition: consumed records may be gone."""
    world.drop("log", 0)
    world.rows("offsets")[0]["begin"] = 1
    checked = world.check()
    assert (checked.findings, checked.figures["effects_without_record"]) == ((), 1)


def test_a_trimmed_topic_excuses_no_other(world: World) -> None:
    """What retention took of topic b says nothing about a record of topic a."""
    world.drop("log", 0)
    world.rows("offsets").append(world.rows("offsets")[0] | {"topic": "b", "begin": 1})
    assert world.accused() == [(LOST, "acked-not-in-log", 0, None)]
    for row in world.intents:
        row["topic"] = None
    assert world.accused() == []


def test_a_message_whose_topic_the_offsets_do_not_name_is_excused_by_any(world: World) -> None:
    """They may call its topic by another name."""
    world.drop("log", 0)
    for row in world.rows("offsets"):
        row.update(topic="real-a", begin=1)
    assert world.accused() == []


def test_what_retention_took_is_known_where_no_group_committed(world: World) -> None:
    """A pipeline that keeps its offsets in its database: no group, yet the partitions begin."""
    world.drop("log", 0)
    for row in world.rows("offsets"):
        row.update(group=None, committed=-1, begin=1)
    assert world.accused() == []


def test_a_record_beyond_the_committed_offset_was_never_delivered(world: World) -> None:
    """It is in the log, has no effect, and nobody says that it was delivered."""
    world.drop("effects", 4)
    world.rows("offsets")[0]["committed"] = 2
    assert world.accused() == [(LOST, "never-delivered", 4, "c")]


def test_a_record_below_the_committed_offset_has_no_effect(world: World) -> None:
    """The group committed an offset beyond it, so it was delivered and came to nothing."""
    world.drop("effects", 2)
    assert world.accused() == [(LOST, "no-effect", 2, "c")]


def test_a_journalled_delivery_without_effect_is_no_effect(world: World) -> None:
    """The journal says delivered, though no offset was committed."""
    world.drop("effects", 4)
    world.rows("offsets")[0]["committed"] = 2
    world.delivered = {4}
    assert world.accused() == [(LOST, "no-effect", 4, "c")]


def test_each_consumer_must_have_its_effect(world: World) -> None:
    """Two consumers: the one that lacks an effect is named."""
    world.effects += [row | {"consumer": "d"} for row in world.effects if row["message_id"] != 3]
    world.rows("offsets").extend([row | {"group": "h"} for row in world.rows("offsets")])
    assert world.accused() == [(LOST, "no-effect", 3, "d")]


def test_the_group_named_like_the_consumer_decides_what_was_delivered(world: World) -> None:
    """Another group's progress says nothing about this consumer."""
    world.drop("effects", 4)
    offsets = world.rows("offsets")
    offsets += [row | {"group": "c", "committed": 2} for row in offsets]
    assert world.accused() == [(LOST, "never-delivered", 4, "c")]


def test_two_effects_of_one_message_are_a_duplicate(world: World) -> None:
    """One message, one consumer, two rows."""
    world.effects.append(world.row("effects", 1))
    assert world.accused() == [("duplicate-effect", None, 1, "c")]


def test_a_record_without_intent_is_a_phantom(world: World) -> None:
    """Nobody ever wanted message 99."""
    world.log.append(world.row("log", 5) | {"message_id": 99, "offset": 3})
    assert world.accused() == [("phantom", "log", 99, None)]


def test_an_effect_without_intent_is_a_phantom(world: World) -> None:
    """An effect appeared for a message that nobody sent."""
    world.effects.append(world.row("effects", 5) | {"message_id": 99})
    assert world.accused() == [("phantom", "effect", 99, None)]


def test_a_rolled_back_message_in_the_log_is_a_phantom(world: World) -> None:
    """Its transaction certainly failed, yet its record and its effect exist."""
    world.row("intents", 4)["outcome"] = "failed"
    assert world.accused() == [("phantom", "log", 4, None), ("phantom", "effect", 4, None)]


def test_another_payload_in_the_log_is_corrupt(world: World) -> None:
    """The record's hash is not the intent's."""
    world.row("log", 4)["payload_sha256"] = b"x" * 32
    assert world.accused() == [("corrupt", "log", 4, None)]


def test_another_payload_in_an_effect_is_corrupt(world: World) -> None:
    """The effect's hash is not the intent's."""
    world.row("effects", 4)["payload_sha256"] = b"x" * 32
    assert world.accused() == [("corrupt", "effect", 4, None)]


def test_a_record_on_another_topic_is_corrupt_and_lost_on_its_own(world: World) -> None:
    """KAFKA-19012: the record landed on a wrong topic; its own topic lacks it."""
    world.row("log", 4).update(topic="b", offset=0)
    world.drop("effects", 4)
    assert world.accused() == [
        (LOST, "acked-not-in-log", 4, None),
        ("corrupt", "topic", 4, None),
    ]


def test_a_message_behind_a_later_one_of_its_key_is_reordered(world: World) -> None:
    """Messages 2 and 4 share key and partition and stand the wrong way round."""
    world.row("log", 2)["offset"], world.row("log", 4)["offset"] = 2, 1
    assert world.accused() == [("reordered", None, 2, None)]


def test_order_is_a_figure_where_nobody_promised_it(world: World) -> None:
    """The same disorder accuses nobody without a promise."""
    world.row("log", 2)["offset"], world.row("log", 4)["offset"] = 2, 1
    checked = world.check(order=False)
    assert (checked.findings, checked.figures["messages_reordered"]) == ((), 1)


def test_a_late_copy_is_no_disorder(world: World) -> None:
    """A duplicate of message 0 after message 4: only first occurrences have an order."""
    world.log.append(world.row("log", 0) | {"offset": 3})
    assert world.accused() == []


def test_an_acked_offset_with_another_record_is_overwritten(world: World) -> None:
    """Message 2 was acknowledged where the log now holds message 4."""
    world.acks_journalled = True
    world.acks = [
        Ack(message_id=number, topic="a", partition=number % 2, offset=number // 2)
        for number in (0, 1, 3, 4, 5)
    ]
    world.acks.append(Ack(message_id=2, topic="a", partition=0, offset=2))
    assert world.accused() == [("overwritten-offset", None, 2, None)]


def test_an_acked_message_of_no_intent_is_missed_by_nobody(world: World) -> None:
    """Message 2 was rolled back, yet sent and acknowledged where the log now holds message 4."""
    for witness in ("intents", "outbox", "sent", "log", "effects"):
        world.drop(witness, 2)
    world.acks_journalled = True
    world.acks = [Ack(message_id=2, topic="a", partition=0, offset=2)]
    assert world.accused() == []


def test_an_ack_without_offset_overwrites_nothing(world: World) -> None:
    """With acks=0, or for a known duplicate, the broker names no offset."""
    world.acks_journalled = True
    world.acks = [Ack(message_id=2, topic="a", partition=0, offset=-1)]
    assert world.accused() == []


def test_an_effect_of_an_aborted_record_is_accused(world: World) -> None:
    """A consumer that reads uncommitted acted on an aborted transaction."""
    world.row("log", 4)["aborted"] = True
    world.drop("sent", 4)
    assert world.accused() == [("aborted-effect", None, 4, None)]


def test_an_aborted_attempt_before_the_committed_one_is_fine(world: World) -> None:
    """The first try was aborted, the second stands."""
    world.log.append(world.row("log", 4) | {"offset": 3})
    world.row("log", 4)["aborted"] = True
    assert world.accused() == []


def test_pending_rows_that_nothing_passed_are_stuck(world: World) -> None:
    """The relay stopped: the last two rows wait, the drain did not complete."""
    for number in (4, 5):
        for witness in ("sent", "log", "effects"):
            world.drop(witness, number)
    assert world.accused(drained=False) == [
        (STUCK, "never-published", 4, None),
        (STUCK, "never-published", 5, None),
    ]


def test_a_pending_row_that_others_passed_is_lost(world: World) -> None:
    """The high-water-mark relay: row 2 waits for ever while 4 and 5 are long published."""
    for witness in ("sent", "log", "effects"):
        world.drop(witness, 2)
    assert world.accused(drained=False) == [(LOST, "never-published", 2, None)]


def test_records_that_no_effect_passed_are_stuck(world: World) -> None:
    """The consumer of partition 0 stopped: its last record waits, partition 1 goes on."""
    world.drop("effects", 4)
    world.rows("offsets")[0]["committed"] = 2
    assert world.accused(drained=False) == [(STUCK, "never-delivered", 4, "c")]


def test_a_record_that_a_later_effect_passed_is_lost(world: World) -> None:
    """Offset 1 has no effect, offset 2 of the same partition has."""
    world.drop("effects", 2)
    world.rows("offsets")[0]["committed"] = 0
    assert world.accused(drained=False) == [(LOST, "never-delivered", 2, "c")]


def one_partition(world: World, *, acted: int, copies: tuple[int, ...], read: int) -> World:
    """Put all records into one partition, let some be acted on, and send some once more."""
    for number in range(6):
        world.row("log", number).update(partition=0, offset=number)
        if number >= acted:
            world.drop("effects", number)
    world.log += [world.row("log", n) | {"offset": 6 + i} for i, n in enumerate(copies)]
    world.rows("offsets")[0].update(committed=read, end=6 + len(copies))
    return world


def test_a_copy_that_nobody_read_passes_nothing(world: World) -> None:
    """The relay sent message 1 again, behind all that still waits for the consumer."""
    one_partition(world, acted=3, copies=(1,), read=3)
    assert world.accused(drained=False) == [(STUCK, "never-delivered", n, "c") for n in (3, 4, 5)]


def test_a_message_that_was_sent_twice_passes_what_stands_before_both(world: World) -> None:
    """Whichever of its records was acted on, message 2 stands before it."""
    one_partition(world, acted=6, copies=(3, 4, 5), read=0)
    world.drop("effects", 2)
    assert world.accused(drained=False) == [(LOST, "never-delivered", 2, "c")]


def test_copies_in_two_partitions_pass_nothing(world: World) -> None:
    """Message 0 was acted on in one, and stands behind all that waits in the other."""
    one_partition(world, acted=3, copies=(0,), read=3)
    world.row("intents", 0)["key"] = "a key of its own"
    world.row("log", 0)["partition"] = 1
    assert world.accused(drained=False) == [(STUCK, "never-delivered", n, "c") for n in (3, 4, 5)]


FRAUD_BEHIND = [(STUCK, "never-delivered", n, "fraud") for n in (3, 4, 5)]
FRAUD_READ = [(LOST, "no-effect", n, "fraud") for n in (3, 4, 5)]


def two_readers(world: World, committed: dict[str, tuple[int, int]]) -> World:
    """Let the ledger act on all of partition 0, fraud on half of it; groups committed this much."""
    one_partition(world, acted=6, copies=(), read=6)
    for row in world.effects:
        row["consumer"] = "ledger"
    world.effects += [row | {"consumer": "fraud"} for row in world.effects[:3]]
    world.offsets = [
        {"group": group, "topic": "a", "partition": p, "committed": offset, "begin": 0, "end": 6}
        for group, offsets in committed.items()
        for p, offset in enumerate(offsets)
    ]
    return world


def test_a_slow_reader_is_not_convicted_by_the_group_of_a_fast_one(world: World) -> None:
    """Nobody knows whose group is whose: only what all of them passed was read."""
    two_readers(world, {"x-ledger": (6, 0), "x-fraud": (3, 0)})
    assert world.accused(drained=False) == FRAUD_BEHIND
    assert world.accused() == [(LOST, "never-delivered", n, "fraud") for n in (3, 4, 5)]


def test_a_reader_that_keeps_its_offsets_elsewhere_is_not_convicted_by_another_group(
    make_world: Callable[..., World],
) -> None:
    """One group and two readers, or a group of its own that has yet to commit."""
    for groups in ({"x-ledger": (6, 0)}, {"ledger": (6, 0)}, {"x": (6, 0), "fraud": (-1, -1)}):
        assert two_readers(make_world(), groups).accused(drained=False) == FRAUD_BEHIND


def test_what_the_only_group_of_two_readers_passed_is_counted_apart(
    make_world: Callable[..., World], make_timeline: Callable[..., list[Row]], tmp_path: Path
) -> None:
    """It may be lost for good: even where no progress is promised, that is no pass."""
    over: Row = {"faults": [], "budget": "over"}
    timeline = make_timeline(complete=False)
    for name, reach, outcome in (("read", 6, "UNKNOWN"), ("behind", 3, "PASSED")):
        world = two_readers(make_world(), {"x": (reach, 0)})
        unclaimed = world.check(drained=False).figures["messages_unclaimed"]
        assert unclaimed == (3 if outcome == "UNKNOWN" else 0)
        folder = tmp_path / name
        folder.mkdir()
        verdict = judge(world.write(folder, timeline=timeline, schedule=over))
        assert verdict.outcome == outcome, verdict.reasons


def test_a_group_that_reads_the_topic_has_read_nothing_where_it_committed_nothing(
    world: World,
) -> None:
    """There are groups enough beyond the records, but the one that is not may be fraud's."""
    two_readers(world, {"x-ledger": (6, 0), "x-mailer": (6, 0), "x-fraud": (-1, 0)})
    assert world.accused(drained=False) == FRAUD_BEHIND


def test_what_every_group_passed_was_read_by_every_reader(
    make_world: Callable[..., World],
) -> None:
    """Where as many groups as readers are beyond it, an effect is missing for good."""
    for groups in ({"x": (6, 0), "y": (6, 0)}, {"ledger": (0, 0), "x": (6, 0)}, {"fraud": (6, 0)}):
        assert two_readers(make_world(), groups).accused(drained=False) == FRAUD_READ


def test_an_acked_message_is_lost_however_the_drain_ended(world: World) -> None:
    """What the broker acknowledged is not pending."""
    world.drop("log", 5)
    world.drop("effects", 5)
    assert world.accused(drained=False) == [(LOST, "acked-not-in-log", 5, None)]


def test_findings_carry_their_witness_rows(world: World) -> None:
    """A duplicate shows both of its effects, its record and its intent."""
    world.effects.append(world.row("effects", 1))
    (finding,) = world.check().findings
    assert [row["witness"] for row in finding.rows] == [
        "intents",
        "outbox",
        "sent",
        "log",
        "effects",
        "effects",
    ]


def test_totals_are_true_where_the_list_is_capped(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few are listed, all are counted."""
    monkeypatch.setattr("harness.ledger.details.LISTED_AT_MOST", 10)
    world = make_world(30)
    world.effects.clear()
    checked = world.check()
    assert (len(checked.findings), checked.totals[0].count) == (10, 30)
