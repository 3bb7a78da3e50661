"""Judging a run folder: the same function online and offline, the same bytes in `verdict.json`.

Owns the way from files to verdict; must not talk to anything but the folder.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import UsageError
from harness.ledger.acknowledged import with_acks
from harness.ledger.checker import Checked, check
from harness.ledger.clocks import set_right
from harness.ledger.evidence import Evidence, Facts, Witnesses
from harness.ledger.findings import Kind, NotMade, Verdict
from harness.ledger.journal import Journal, evidence_of, figures_of, read_journals
from harness.ledger.outcome import Knowledge, decide
from harness.ledger.timeline import Timeline, read_json, read_timeline
from harness.ledger.witness import ParquetWitness, WitnessError, open_witness

INDISPENSABLE = ("intents", "log", "effects")
OPTIONAL = ("outbox", "sent", "offsets")
VERDICT_FILE = "verdict.json"
CONDITIONS = ("backend", "profile", "kafka", "features")


@dataclass(slots=True)
class _Opened:
    witnesses: dict[str, ParquetWitness] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def promised(environment: Mapping[str, object]) -> frozenset[str]:
    """Return the witnesses that the run said it would write; none where it said nothing."""
    pipeline = environment.get("pipeline")
    named = pipeline.get("witnesses") if isinstance(pipeline, dict) else None
    return frozenset(map(str, named)) if isinstance(named, list) else frozenset()


def unpromised(environment: Mapping[str, object]) -> str | None:
    """Return why not even safety was promised under the schedule, if the run says so."""
    promise = environment.get("promise")
    if not isinstance(promise, dict) or promise.get("safety", True):
        return None
    return str(promise.get("why", "the schedule is beyond every promise"))


def judge(folder: Path) -> Verdict:
    """Judge a run folder by what is in it.

    UsageError if the folder is no run folder or a witness breaks the format; a witness that is
    missing or torn makes the verdict UNKNOWN instead.
    """
    _demand_run_folder(folder)
    schedule, environment = (read_json(folder / f"{n}.json") for n in ("schedule", "environment"))
    timeline, opened = read_timeline(folder), _open(folder, promised(environment))
    journals = set_right(read_journals(folder), timeline)
    budget = str(schedule.get("budget", "safe"))
    evidence, facts = evidence_of(journals), facts_of(environment, timeline)
    checked = _progress_apart(_check(opened, evidence, facts), budget=budget)
    figures = {**checked.figures, **figures_of(journals), **_fault_figures(timeline)}
    outcome, reasons, confirmed = decide(
        Knowledge(
            timeline=timeline,
            budget=budget,
            unreadable=(*opened.unreadable, *_absent(folder)),
            holes=tuple(hole for journal in journals for hole in journal.holes),
            totals=checked.totals,
            figures=figures,
            unpromised=unpromised(environment),
        )
    )
    return Verdict(
        outcome=outcome,
        reasons=reasons,
        findings=with_acks(
            checked.findings, evidence.acks, opened.witnesses.get("log"), names=facts.topic_names
        ),
        totals=checked.totals,
        confirmed=confirmed,
        faults=timeline.faults(),
        figures=figures,
        checks_made=checked.made,
        checks_not_made=(*checked.not_made, *_without_journals(journals)),
        conditions=conditions_of(environment),
    )


def _absent(folder: Path) -> list[str]:
    """Return what keeps a verdict from being believed: what was broken, what was promised."""
    needed = ("schedule.json", "environment.json")
    return [f"{name} is missing" for name in needed if not (folder / name).exists()]


def _demand_run_folder(folder: Path) -> None:
    known = ("witness", "timeline.jsonl", "schedule.json", "environment.json")
    if not any((folder / name).exists() for name in known):
        raise UsageError(
            f"{folder} is no run folder: it has none of {', '.join(known)}",
            remedy="name the folder of one run; its format is described in ARCHITECTURE.md",
        )


def conditions_of(environment: Mapping[str, object]) -> dict[str, str]:
    """Return what a result must be read with: the lab's backend, its time-outs, its Kafka."""
    lab = environment.get("lab")
    named = lab if isinstance(lab, dict) else {}
    return {name: str(named[name]) for name in CONDITIONS if named.get(name)}


def facts_of(environment: Mapping[str, object], timeline: Timeline) -> Facts:
    """Return what the checker must know: names of topics, the promise of order, the drain."""
    topics, pipeline = environment.get("topics"), environment.get("pipeline")
    named = topics if isinstance(topics, dict) else {}
    order = pipeline.get("order") if isinstance(pipeline, dict) else None
    return Facts(
        drained=timeline.drained(),
        order_promised=order == "per-key",
        consumers=_declared(pipeline, "consumers"),
        copies=_declared(pipeline, "copies"),
        topic_names={str(real): str(name) for name, real in named.items()},
    )


def _declared(pipeline: object, table: str) -> dict[str, tuple[str, ...]]:
    """Return the topics that the pipeline names for each entry of a table."""
    declared = pipeline.get(table) if isinstance(pipeline, dict) else None
    pairs = declared.items() if isinstance(declared, dict) else ()
    return {str(name): tuple(map(str, topics)) for name, topics in pairs}


def _open(folder: Path, promised: frozenset[str]) -> _Opened:
    opened = _Opened()
    for name in (*INDISPENSABLE, *OPTIONAL):
        try:
            witness = open_witness(folder, name)
        except WitnessError as error:
            opened.unreadable.append(_without_folder(error, folder))
            continue
        if witness is not None:
            opened.witnesses[name] = witness
        elif name in INDISPENSABLE or name in promised:
            opened.unreadable.append(f"the {name} witness is missing")
    return opened


def _check(opened: _Opened, evidence: Evidence, facts: Facts) -> Checked:
    """Run the checker, unless a witness that it cannot do without is missing or torn."""
    found = opened.witnesses
    if opened.unreadable:
        return _unchecked("a witness is missing or cannot be read")
    witnesses = Witnesses(
        intents=found["intents"],
        log=found["log"],
        effects=found["effects"],
        outbox=found.get("outbox"),
        sent=found.get("sent"),
        offsets=found.get("offsets"),
    )
    try:
        checked = check(witnesses, evidence=evidence, facts=facts)
    except WitnessError as error:
        opened.unreadable.append(_without_folder(error, found["intents"].path.parent.parent))
        return _unchecked("a witness cannot be read to its end")
    if checked.repeated_intents:
        opened.unreadable.append(f"the intents name {checked.repeated_intents} message ids twice")
    return checked


def _progress_apart(checked: Checked, *, budget: str) -> Checked:
    """Make stuck messages a figure, and only that outside the safe budget."""
    stuck = sum(total.count for total in checked.totals if total.kind is Kind.STUCK)
    counted = replace(checked, figures={"messages_stuck": stuck, **checked.figures})
    if budget == "safe":
        return counted
    return replace(
        counted,
        findings=tuple(f for f in checked.findings if f.kind is not Kind.STUCK),
        totals=tuple(t for t in checked.totals if t.kind is not Kind.STUCK),
    )


def _unchecked(why: str) -> Checked:
    return Checked(
        findings=(),
        totals=(),
        figures={},
        made=(),
        not_made=(NotMade(check="every check of messages", why=why),),
        repeated_intents=0,
    )


def _without_folder(error: WitnessError, folder: Path) -> str:
    """Return the message with paths relative to the run: a moved folder is judged the same."""
    return error.message.replace(f"{folder}/", "")


def _fault_figures(timeline: Timeline) -> dict[str, int | float]:
    faults = timeline.faults()
    figures: dict[str, int | float] = {
        "faults_scheduled": len(faults),
        "faults_that_bit": sum(fault.bit for fault in faults),
        "roles_exited_unasked": sum(
            e.get("state") == "exited" and e.get("asked") is False for e in timeline.of("role")
        ),
    }
    for event in timeline.of("drained"):
        waited = event.get("waited_s")
        if isinstance(waited, int | float):
            figures["drain_s"] = waited
    return figures


def _without_journals(journals: tuple[Journal, ...]) -> tuple[NotMade, ...]:
    if journals:
        return ()
    return (NotMade(check="redeliveries absorbed, gaps between acks", why="no journals"),)


def write_verdict(folder: Path, verdict: Verdict) -> Path:
    """Write `verdict.json` (sorted keys, so that equal verdicts are equal bytes)."""
    path = folder / VERDICT_FILE
    text = json.dumps(verdict.as_json(), indent=1, sort_keys=True, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", encoding="utf-8")
    return part.replace(path)


def read_verdict(folder: Path) -> Verdict:
    """Read `verdict.json` of a run folder; UsageError if there is none or it is no verdict."""
    path = folder / VERDICT_FILE
    try:
        return Verdict.from_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} holds no verdict: {error}", remedy="judge the run again: harness check"
        ) from error
