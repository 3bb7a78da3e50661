"""Messages that the log lacks: at which hop before the log they were lost, or got stuck.

PURE. Rules in `checker`.
"""

import numpy as np

from harness.ledger.accusations import Accusation
from harness.ledger.evidence import Evidence, Facts, Witnesses, mask_of
from harness.ledger.findings import Hop, Kind
from harness.ledger.readers import acted_by_all
from harness.ledger.tally import Mask, Tally, numbers

UNACKED_MARK = "marked as sent without an acknowledgement"
CONSUMED = "it had its effects before it vanished"
OWN_WORD = (
    "by the pipeline's own mark, which is all there is: a relay that marks too early looks the same"
)


def publishing_accusations(
    tally: Tally, witnesses: Witnesses, evidence: Evidence, facts: Facts, required: Mask
) -> tuple[list[Accusation], int]:
    """Accuse for each required message that the log lacks.

    Also returns how many of them are left in peace because every consumer has their effect.
    """
    missing = required & (tally.log == 0)
    if not missing.any():
        return [], 0
    acked = _acked(tally, evidence)
    marked = tally.sent if tally.sent is not None else np.zeros_like(missing)
    consumed = acted_by_all(tally, facts)
    vanished = missing & acked
    peace = missing & consumed & (~acked | _trimmed(tally, witnesses))
    if tally.outbox is not None:
        unlisted = missing & ~acked & ~consumed & ~tally.outbox
    else:
        unlisted = np.zeros_like(missing)
    unsent = missing & ~acked & ~consumed & ~unlisted
    stuck = unsent & ~marked & ~_passed_over(tally, witnesses, facts, unsent & ~marked)
    lost = unsent & ~stuck
    return [
        _lost(Hop.NEVER_IN_OUTBOX, unlisted),
        _lost(Hop.NEVER_PUBLISHED, lost & ~marked),
        _lost(Hop.NEVER_PUBLISHED, lost & marked, detail=UNACKED_MARK),
        _lost(
            Hop.ACKED_NOT_IN_LOG,
            vanished & ~consumed,
            detail="" if evidence.acks_journalled else OWN_WORD,
        ),
        _lost(Hop.ACKED_NOT_IN_LOG, vanished & consumed & ~peace, detail=CONSUMED),
        Accusation(kind=Kind.STUCK, hop=Hop.NEVER_PUBLISHED, slots=np.flatnonzero(stuck)),
    ], int(np.count_nonzero(peace))


def _lost(hop: Hop, mask: Mask, *, detail: str = "") -> Accusation:
    return Accusation(kind=Kind.LOST, hop=hop, slots=np.flatnonzero(mask), detail=detail)


def _acked(tally: Tally, evidence: Evidence) -> Mask:
    if evidence.acks_journalled:
        return mask_of(tally, [ack.message_id for ack in evidence.acks])
    if tally.sent is not None:
        return tally.sent
    return np.zeros(len(tally.outcome), dtype=np.bool_)


def _trimmed(tally: Tally, witnesses: Witnesses) -> Mask:
    """Return the messages on whose topic some partition no longer begins at 0.

    That the log lacks one of these proves nothing. For a message of a topic that the offsets do
    not name, or of none, any topic will do.
    """
    offsets = witnesses.offsets
    if offsets is None or "begin" not in offsets.columns:
        return np.zeros(len(tally.outcome), dtype=np.bool_)
    named, begun = set[int](), set[int]()
    for batch in offsets.batches("topic", "begin"):
        topic = tally.topics.encode(batch.column("topic"))
        named.update(topic[topic >= 0].tolist())
        begun.update(topic[numbers(batch.column("begin")) > 0].tolist())
    if not begun or tally.topic is None or -1 in begun:
        return np.full(len(tally.outcome), bool(begun))
    trimmed: Mask = np.isin(tally.topic, list(begun)) | ~np.isin(tally.topic, list(named))
    return trimmed


def _passed_over(tally: Tally, witnesses: Witnesses, facts: Facts, pending: Mask) -> Mask:
    """Return which pending messages precede, in the order of creation, one that is in the log."""
    if facts.drained or not pending.any():
        return pending
    row, last = 0, -1
    slots_of_pending, rows_of_pending = [], []
    for batch in witnesses.intents.batches("message_id"):
        slots = tally.index.slots(batch.column(0))
        published = np.flatnonzero(tally.log[slots] > 0)
        last = row + int(published[-1]) if len(published) else last
        waiting = np.flatnonzero(pending[slots])
        slots_of_pending.append(slots[waiting])
        rows_of_pending.append(waiting + row)
        row += len(slots)
    passed = np.zeros_like(pending)
    slots, rows = np.concatenate(slots_of_pending), np.concatenate(rows_of_pending)
    passed[slots[rows < last]] = True
    return passed
