"""The checker: witnesses in, accusations with their witness rows out. PURE: no I/O of its own.

Rules (DESIGN section 5), each resting on witnesses; journals only add time and place, but for an
acknowledgement, which nobody else sees:

- A message is *required* when its intent is committed, or unknown and seen in outbox or log.
  An unknown intent that shows up nowhere is fine, and so is one that does.
- It is *in the log* when a record with its id stands on its own topic and is not aborted. Copies
  are figures. Offsets are never counted: transaction markers and retries leave gaps.
- Required and not in the log: `acked-not-in-log` with evidence of an acknowledgement (a journalled
  one; where no acknowledgements are journalled, the pipeline's own `sent` mark), else
  `never-in-outbox` when there is an outbox witness and it lacks the message, else
  `never-published`. A message whose every consumer had its effect is not lost for want of a record
  unless it was acknowledged and every partition of its topic (of any, where its own is not known)
  still begins at offset 0.
- In the log without an effect, for each consumer seen: `no-effect` when it was journalled as
  delivered or the consumer's group committed an offset beyond it, else `never-delivered`.
- A consumer's group is the one named like it. Where there is none, the slowest of the groups on
  the topic that are named like no consumer speaks for it; but nobody does while these are fewer
  than the consumers without a group of their name, one of whom may keep its offsets elsewhere.
- *Stuck* in place of lost: the drain did not complete, the message may still be pending (not marked
  as sent; at or beyond the offset that the consumer's group committed), and nothing passed it: no
  later intent is in the log, or no message has an effect whose every record stands later in its
  partition (of copies, the first may be the one that was acted on). What was passed is lost.
- Effects are a multiset: two rows for one (message, consumer) are a duplicate. A record or effect
  without a committed or unknown intent is a phantom.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.ledger.accusations import Accusation, some
from harness.ledger.arrivals import UNCLAIMED, effect_accusations
from harness.ledger.details import list_findings
from harness.ledger.evidence import Evidence, Facts, Witnesses, overwritten
from harness.ledger.findings import Finding, Hop, Kind, NotMade, Total
from harness.ledger.publishing import publishing_accusations
from harness.ledger.tally import (
    COMMITTED,
    FAILED,
    UNKNOWN,
    Flag,
    Mask,
    Tally,
    count_effects,
    count_log,
    read_marks,
    start_tally,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the checker found, and what it could not look at."""

    findings: tuple[Finding, ...]
    totals: tuple[Total, ...]
    figures: dict[str, int | float]
    made: tuple[str, ...]
    not_made: tuple[NotMade, ...]
    repeated_intents: int


def check(
    witnesses: Witnesses, *, evidence: Evidence | None = None, facts: Facts | None = None
) -> Checked:
    """Join all witnesses and return every finding; see the module's rules."""
    evidence, facts = evidence or Evidence(), facts or Facts()
    tally = start_tally(witnesses.intents, topic_names=facts.topic_names)
    tally.allow_copies(facts.copies)
    tally.outbox = read_marks(tally, witnesses.outbox) if witnesses.outbox else None
    tally.sent = read_marks(tally, witnesses.sent) if witnesses.sent else None
    count_log(tally, witnesses.log)
    count_effects(tally, witnesses.effects)
    required = tally.mask(COMMITTED)
    shown = tally.log > 0
    if tally.outbox is not None:
        shown |= tally.outbox
    required |= tally.mask(UNKNOWN) & shown
    published, absent = publishing_accusations(tally, witnesses, evidence, facts, required)
    accusations = some(
        [
            *published,
            *effect_accusations(tally, witnesses, evidence, facts, required),
            *_alterations(tally, witnesses, evidence, facts),
        ]
    )
    made, not_made = _checks(witnesses, evidence)
    return Checked(
        findings=list_findings(accusations, witnesses.all(), tally=tally),
        totals=_totals(accusations),
        figures=_figures(tally, witnesses)
        | {"effects_without_record": absent, "messages_unclaimed": _unclaimed(accusations)},
        made=made,
        not_made=not_made,
        repeated_intents=tally.repeated_intents,
    )


def _alterations(
    tally: Tally, witnesses: Witnesses, evidence: Evidence, facts: Facts
) -> list[Accusation]:
    """Return what is there but should not be, or not like this."""
    anywhere = _any_effect(tally)
    failed, in_log = tally.mask(FAILED), tally.log > 0
    aborted = _flagged(tally, Flag.ABORTED) & ~in_log & anywhere
    found = [
        *_duplicates(tally),
        _accuse(Kind.PHANTOM, failed & in_log, hop=Hop.LOG),
        _accuse(Kind.PHANTOM, failed & anywhere, hop=Hop.EFFECT),
        Accusation(kind=Kind.PHANTOM, hop=Hop.LOG, strangers=_sorted(tally.log_strangers.ids)),
        Accusation(
            kind=Kind.PHANTOM, hop=Hop.EFFECT, strangers=_sorted(tally.effect_strangers.ids)
        ),
        _accuse(Kind.CORRUPT, _flagged(tally, Flag.CORRUPT_LOG), hop=Hop.LOG),
        _accuse(Kind.CORRUPT, _flagged(tally, Flag.CORRUPT_EFFECT), hop=Hop.EFFECT),
        _accuse(Kind.CORRUPT, _flagged(tally, Flag.WRONG_TOPIC), hop=Hop.TOPIC),
        _accuse(Kind.ABORTED_EFFECT, aborted),
        Accusation(
            kind=Kind.OVERWRITTEN_OFFSET, slots=overwritten(tally, witnesses.log, evidence.acks)
        ),
    ]
    if facts.order_promised:
        found.append(_accuse(Kind.REORDERED, _flagged(tally, Flag.REORDERED)))
    return found


def _accuse(kind: Kind, mask: Mask, *, hop: Hop | None = None) -> Accusation:
    return Accusation(kind=kind, hop=hop, slots=np.flatnonzero(mask[:-1]))


def _flagged(tally: Tally, flag: Flag) -> Mask:
    flagged: Mask = ((tally.flags & np.uint8(flag)) != 0) & (tally.outcome != 0)
    return flagged


def _any_effect(tally: Tally) -> Mask:
    anywhere = np.zeros(len(tally.outcome), dtype=np.bool_)
    for counts in tally.effects:
        anywhere |= counts > 0
    return anywhere


def _duplicates(tally: Tally) -> list[Accusation]:
    wanted = tally.mask(COMMITTED) | tally.mask(UNKNOWN)
    return [
        Accusation(
            kind=Kind.DUPLICATE_EFFECT,
            consumer=None if name is None else str(name),
            slots=np.flatnonzero(((counts > 1) & wanted)[:-1]),
        )
        for name, counts in zip(tally.consumers.words(), tally.effects, strict=True)
    ]


def _sorted(ids: set[int | str]) -> tuple[int | str, ...]:
    return tuple(sorted(ids, key=lambda one: (isinstance(one, str), one)))


def _totals(accusations: list[Accusation]) -> tuple[Total, ...]:
    counts: dict[tuple[Kind, Hop | None], int] = {}
    for one in accusations:
        counts[one.kind, one.hop] = counts.get((one.kind, one.hop), 0) + one.count
    return tuple(Total(kind=k, hop=h, count=c) for (k, h), c in counts.items())


def _unclaimed(accusations: Iterable[Accusation]) -> int:
    return sum(each.count for each in accusations if each.detail == UNCLAIMED)


def _figures(tally: Tally, witnesses: Witnesses) -> dict[str, int | float]:
    in_log, unknown = tally.log > 0, tally.mask(UNKNOWN)
    return {
        "messages_committed": int(np.count_nonzero(tally.mask(COMMITTED))),
        "messages_failed": int(np.count_nonzero(tally.mask(FAILED))),
        "messages_unknown": int(np.count_nonzero(unknown)),
        "unknowns_recovered": int(np.count_nonzero(unknown & (in_log | _any_effect(tally)))),
        "records_in_log": tally.log_rows,
        "records_aborted": tally.aborted_rows,
        "records_without_id": tally.log_without_id,
        "log_duplicates": int((tally.log[:-1][in_log[:-1]] - 1).sum(dtype=np.int64)),
        "effects": tally.effect_rows,
        "consumers": len(tally.effects),
        "messages_reordered": int(np.count_nonzero(_flagged(tally, Flag.REORDERED))),
        "witness_rows": sum(witness.rows for witness in witnesses.all()),
    }


def _checks(
    witnesses: Witnesses, evidence: Evidence
) -> tuple[tuple[str, ...], tuple[NotMade, ...]]:
    """Return which checks were made, and which were not for want of a witness or column."""
    intents, log, effects = (
        w.columns for w in (witnesses.intents, witnesses.log, witnesses.effects)
    )
    needs = {
        "lost, duplicate-effect, phantom": "",
        "lost: never-in-outbox": "" if witnesses.outbox else "no outbox witness",
        "lost: acked-not-in-log": (
            "" if witnesses.sent or evidence.acks_journalled else "no acks journalled, no marks"
        ),
        "lost: never-delivered told from no-effect": (
            ""
            if witnesses.offsets or evidence.delivered
            else "no offsets, no deliveries journalled"
        ),
        "corrupt: payload in the log": _lacks("payload_sha256", intents=intents, log=log),
        "corrupt: payload of effects": _lacks("payload_sha256", intents=intents, effects=effects),
        "corrupt: topic": _lacks("topic", intents=intents, log=log),
        "reordered": _lacks("key", intents=intents)
        or _lacks("sequence", intents=intents)
        or _lacks("offset", log=log)
        or _lacks("partition", log=log),
        "overwritten-offset": "" if evidence.acks_journalled else "no acks journalled",
        "aborted-effect": _lacks("aborted", log=log),
    }
    made = tuple(check for check, lack in needs.items() if not lack)
    return made, tuple(NotMade(check=c, why=lack) for c, lack in needs.items() if lack)


def _lacks(column: str, **columns: frozenset[str]) -> str:
    lacking = [name for name, has in columns.items() if column not in has]
    return f"{' and '.join(lacking)} without column {column}" if lacking else ""
