"""Reads run folders and campaign folders, one after the other, into the facts that a report keeps.

Nothing is dropped in silence: a torn folder becomes a run without a verdict and says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.result import Result, result_of
from harness.errors import HarnessError
from harness.ledger.findings import FaultSeen, Verdict
from harness.ledger.judge import VERDICT_FILE
from harness.ledger.timeline import TimelineEvent
from harness.report.accused import accused_of, listed_of
from harness.report.facts import Origin, RunFacts, Setting, VariantSaid
from harness.report.settings import Settings, roles_of_slots
from harness.report.sources import Found, is_run_folder
from harness.report.timeline_facts import timeline_facts
from harness.schedule.codec import fingerprint
from harness.schedule.values import Schedule

_SCHEDULE = TypeAdapter(Schedule)


@dataclass(slots=True)
class Reading:
    """Everything that was read so far."""

    runs: list[RunFacts] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)


def read(found: Found) -> Reading:
    """Read every folder that was found."""
    reading = Reading()
    for campaign in found.campaigns:
        reading.runs += _campaign(campaign, reading)
    reading.runs += [read_run(path, settings=reading.settings) for path in found.runs]
    return reading


def _campaign(path: Path, reading: Reading) -> Iterator[RunFacts]:
    """Yield the runs of a campaign: each result, and each folder that has none."""
    try:
        asked = CampaignFolder.open(path).asked
    except HarnessError as error:
        reading.warnings.append(f"{error.message}; its runs are counted one by one")
        asked = None
    recorded: set[str] = set()
    for number, line in _lines(path / "results.jsonl"):
        try:
            result = result_of(line, source=f"{path.name}/results.jsonl:{number}")
        except HarnessError as error:
            reading.warnings.append(f"A result counts for nothing: {error.message.splitlines()[0]}")
            continue
        folder = _at_hand(path, result)
        recorded.add(Path(result.folder).name)
        yield _with_result(folder, result, asked=asked, campaign=path, settings=reading.settings)
    runs = path / "runs"
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if folder.name not in recorded and folder.is_dir() and is_run_folder(folder):
            origin = Origin(campaign=path.name)
            yield read_run(folder, settings=reading.settings, origin=origin)


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the whole lines of a file; the last one may be torn, and its run has a folder."""
    if file.is_file():
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith("\n") and line.strip():
                    yield number, line


def _at_hand(campaign: Path, result: Result) -> Path | None:
    """Return the folder of a result where it is now: a campaign may have been moved since."""
    moved = campaign / "runs" / Path(result.folder).name
    return next((at for at in (moved, Path(result.folder)) if at.is_dir()), None)


def _with_result(
    folder: Path | None,
    result: Result,
    *,
    asked: Asked | None,
    campaign: Path,
    settings: Settings,
) -> RunFacts:
    """Return a run whose result is written down: that counts, the folder adds to it."""
    origin = Origin(
        campaign=campaign.name,
        identity="" if asked is None else str(replace(asked, shard=1, of=1)),
        number=result.index,
        phase=result.phase,
    )
    facts = _unseen(asked, result) if folder is None else read_run(folder, settings=settings)
    said = tuple(
        FaultSeen(index=place, what=hit.what, state=hit.state, bit=hit.bit)
        for place, hit in enumerate(result.faults)
    )
    return replace(
        facts,
        origin=origin,
        outcome=result.outcome,
        incomplete="",
        reasons=result.reasons,
        totals=result.totals,
        schedule=result.schedule,
        fingerprint=result.fingerprint,
        faults=facts.faults if len(facts.faults) == len(said) else said,
        figures={"messages_committed": result.messages, **facts.figures},
        took_s=result.took_s,
    )


def _unseen(asked: Asked | None, result: Result) -> RunFacts:
    """Return a run of which only the result is at hand."""
    return RunFacts(
        name=Path(result.folder).name,
        path=None,
        outcome=None,
        schedule=None,
        setting=_asked_setting(asked, result),
    )


def _asked_setting(asked: Asked | None, result: Result) -> Setting:
    """Return what is known of a run's setting when its folder is not at hand."""
    name = result.schedule.variant
    conditions = {} if asked is None else {"profile": asked.profile, "kafka": asked.kafka}
    return Setting(
        pipeline=result.schedule.pipeline,
        variant=None
        if name is None
        else VariantSaid(name=name, safe=result.expects is None, expects=result.expects),
        conditions=conditions,
    )


def read_run(path: Path, *, settings: Settings, origin: Origin | None = None) -> RunFacts:
    """Read one run folder, whole or torn."""
    environment = _object(path / "environment.json")
    schedule, lacks_schedule = _schedule(path)
    verdict, lacks = _verdict(path)
    pipeline = "" if schedule is None else schedule.pipeline
    facts = RunFacts(
        name=path.name,
        path=path,
        origin=origin or Origin(),
        outcome=None,
        schedule=schedule,
        fingerprint="" if schedule is None else fingerprint(schedule),
        setting=settings.read(environment, pipeline=pipeline or _named(environment)),
        timeline=timeline_facts(
            events_of(path),
            roles_of_slots=roles_of_slots(environment),
            faults=0 if schedule is None else len(schedule.faults),
        ),
    )
    if verdict is None:
        return replace(facts, incomplete=_why(facts, lacks))
    return replace(
        facts,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        unread=lacks_schedule,
        totals=verdict.totals,
        faults=verdict.faults,
        figures=verdict.figures,
        not_made=verdict.checks_not_made,
        took_s=facts.timeline.length_s,
        accused=accused_of(verdict),
        listed=listed_of(verdict),
    )


def _why(facts: RunFacts, lacks: str) -> str:
    phase = facts.timeline.last_phase
    last = f"its timeline ends in the phase {phase}" if phase else "it has no timeline"
    return f"{lacks}; {last}: the harness was ended before it could judge"


def _verdict(path: Path) -> tuple[Verdict | None, str]:
    file = path / VERDICT_FILE
    try:
        return Verdict.from_json(file.read_bytes()), ""
    except FileNotFoundError:
        return None, f"there is no {file.name}"
    except (OSError, ValueError):
        return None, f"{file.name} is torn"


def _schedule(path: Path) -> tuple[Schedule | None, str]:
    file = path / "schedule.json"
    try:
        return _SCHEDULE.validate_json(file.read_bytes()), ""
    except OSError:
        return None, "there is no schedule.json"
    except ValidationError as error:
        return None, f"schedule.json is not one that this version reads: {_first(error)}"


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the whole file'}: {problem['msg']}"


def events_of(path: Path) -> list[TimelineEvent]:
    """Return the events of a timeline up to its end, or to where it is torn."""
    file = path / "timeline.jsonl"
    events: list[TimelineEvent] = []
    for line in file.read_bytes().splitlines() if file.is_file() else ():
        try:
            value = from_json(line)
        except ValueError:
            break
        if isinstance(value, dict):
            events.append(value)
    return events


def environment_of(path: Path) -> Mapping[str, object]:
    """Return a run's environment; an empty one where it is missing or torn."""
    return _object(path / "environment.json")


def _object(file: Path) -> Mapping[str, object]:
    try:
        value = from_json(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _named(environment: Mapping[str, object]) -> str:
    pipeline = environment.get("pipeline")
    return str(pipeline.get("name", "")) if isinstance(pipeline, dict) else ""
