"""From what was found and what is known of the run to one outcome, with every reason listed.

PURE. Owns the order of outcomes and who may be blamed:

FAILED > UNKNOWN > HANG > HARNESS_ERROR > VACUOUS > PASSED. The worst that applies is the outcome;
all reasons are listed. One rule stands above the order: where the harness or its lab had trouble of
its own (a server died unasked, a fault could not be set or was not verified healed, an error of
ours), where the witnesses were read too early, or where the schedule takes away what every promise
rests on (a lost disk beside another fault of nodes), findings are *unconfirmed*. They stay listed,
but they are held against nobody: FAILED becomes UNKNOWN. Without findings the same trouble is
HARNESS_ERROR, which ranks below UNKNOWN because nothing is open: the run is simply to be repeated.
So a run with trouble is never FAILED and never PASSED.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.ledger.findings import FaultSeen, Kind, Outcome, Total
from harness.ledger.timeline import Timeline

ORDER = tuple(Outcome)


@dataclass(slots=True)
class Reasons:
    """Reasons by outcome, in the order they were found."""

    by_outcome: dict[Outcome, list[str]] = field(default_factory=dict)

    def add(self, outcome: Outcome, *sentences: str) -> None:
        """Note why this outcome applies; no sentence, no reason."""
        if sentences:
            self.by_outcome.setdefault(outcome, []).extend(sentences)

    def worst(self) -> Outcome:
        """Return the worst outcome that applies; PASSED if none does."""
        return next((o for o in ORDER if self.by_outcome.get(o)), Outcome.PASSED)

    def listed(self) -> tuple[str, ...]:
        """Return every reason, worst outcome first, as `OUTCOME: sentence`."""
        return tuple(f"{o}: {s}" for o in ORDER for s in self.by_outcome.get(o, []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything that decides the outcome beside the findings themselves."""

    timeline: Timeline
    budget: str
    unreadable: tuple[str, ...] = ()
    """Witnesses that are missing, torn or ambiguous."""
    holes: tuple[str, ...] = ()
    totals: tuple[Total, ...] = ()
    figures: Mapping[str, int | float] = field(default_factory=dict)
    unpromised: str | None = None
    """Why not even safety is promised under this schedule; None: it is."""


def decide(known: Knowledge) -> tuple[Outcome, tuple[str, ...], bool]:
    """Return the outcome, all reasons, and whether the findings are confirmed."""
    reasons = Reasons()
    faults = known.timeline.faults()
    trouble = _trouble(known.timeline, faults)
    early = _read_too_early(known.timeline, faults)
    accused = [t for t in known.totals if t.kind != Kind.STUCK and t.count]
    stuck = sum(t.count for t in known.totals if t.kind == Kind.STUCK)
    excused = [f"no promise: {known.unpromised}"] if accused and known.unpromised else []
    confirmed = not (accused or stuck) or not (trouble or early or excused)
    sentences = [_total(t) for t in accused]
    if confirmed:
        reasons.add(Outcome.FAILED, *sentences)
    else:
        reasons.add(Outcome.UNKNOWN, *(f"unconfirmed: {sentence}" for sentence in sentences))
    reasons.add(Outcome.UNKNOWN, *excused, *known.unreadable, *known.holes, *early)
    if unclaimed := known.figures.get("messages_unclaimed"):
        reasons.add(
            Outcome.UNKNOWN,
            f"{unclaimed} of the messages that are stuck were read by every group that commits on "
            "their topic, fewer than its consumers: name each consumer's group like the consumer",
        )
    _liveness(reasons, known, stuck=stuck)
    reasons.add(Outcome.HARNESS_ERROR, *trouble)
    if not known.unreadable:
        reasons.add(Outcome.VACUOUS, *_no_traffic(known.figures))
    reasons.add(Outcome.VACUOUS, *(_toothless(f) for f in faults if not f.bit))
    return reasons.worst(), reasons.listed(), confirmed


def _total(total: Total) -> str:
    words = f"{total.kind} ({total.hop})" if total.hop else str(total.kind)
    return f"{words}: {total.count} message{'s' if total.count > 1 else ''}"


def _trouble(timeline: Timeline, faults: tuple[FaultSeen, ...]) -> list[str]:
    """Return what went wrong on our own side."""
    sentences = [f"lab: {m}" for m in timeline.trouble("lab")]
    sentences += [f"harness: {m}" for m in timeline.trouble("harness")]
    for fault in faults:
        if fault.state == "failed":
            sentences.append(f"fault {fault.index} ({fault.what}) could not be set or healed")
        elif fault.state in ("asked", "held", "healed"):
            sentences.append(
                f"fault {fault.index} ({fault.what}) was not verified healed: last {fault.state}"
            )
    return sentences


def _read_too_early(timeline: Timeline, faults: tuple[FaultSeen, ...]) -> list[str]:
    """Return why the witnesses may have been read before everything had healed."""
    if not timeline.present:
        return []
    if timeline.broken:
        return [timeline.broken]
    if not timeline.reached("read"):
        return ["the run did not reach the phase in which witnesses are read"]
    return [
        f"fault {fault.index} ({fault.what}) was not verified healed before the witnesses were read"
        for fault in faults
        if fault.state == "verified"
        and "verified" not in timeline.states_before_reading(fault.index)
    ]


def _liveness(reasons: Reasons, known: Knowledge, *, stuck: int) -> None:
    """Ask for progress within the safe budget only; a folder without timeline proves nothing."""
    if not known.timeline.present:
        reasons.add(Outcome.UNKNOWN, "no timeline: when the witnesses were read is not known")
    if known.budget != "safe":
        return
    if stuck:
        reasons.add(Outcome.HANG, f"stuck: {stuck} message{'s' if stuck > 1 else ''}")
    if known.timeline.drained() is False:
        why = known.timeline.of("drained")[-1].get("why") or "the deadline passed"
        reasons.add(Outcome.HANG, f"the pipeline did not drain: {why}")


def _no_traffic(figures: Mapping[str, int | float]) -> list[str]:
    needed = {
        "messages_committed": "no message was committed",
        "records_in_log": "no record reached the log",
        "effects": "no effect was made",
    }
    return [sentence for figure, sentence in needed.items() if not figures.get(figure)]


def _toothless(fault: FaultSeen) -> str:
    if fault.state in ("never", "asked"):
        return f"fault {fault.index} ({fault.what}) never took hold"
    if fault.evidence:
        seen = "; ".join(fault.evidence[-2:])
        return f"fault {fault.index} ({fault.what}) is not shown to have bitten: {seen}"
    return f"fault {fault.index} ({fault.what}) met no traffic that anyone saw"
