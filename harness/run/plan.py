"""From what a person typed to a pipeline and a schedule, before anything is started."""

from dataclasses import replace
from pathlib import Path

from harness.errors import UsageError
from harness.pipeline.loader import BUILT_IN, load_pipeline
from harness.pipeline.spec import Spec
from harness.pipeline.variant import apply, load_variant
from harness.schedule.codec import from_json
from harness.schedule.processes import Skew
from harness.schedule.validate import check_schedule
from harness.schedule.values import Schedule
from harness.schedule.words import kill, leader


def plan(
    pipeline_name: str | None, *, variant_name: str | None, schedule_file: Path | None
) -> tuple[Spec, Schedule]:
    """Return what to play; what is named beside a schedule file takes the place of its own words.

    UsageError for a file that cannot be read, or a schedule that this pipeline cannot play.
    """
    if schedule_file is None:
        spec = spec_of(pipeline_name or "outbox", variant_name)
        return spec, shown_by(spec) or default_schedule(spec)
    schedule = read_schedule(schedule_file)
    if pipeline_name is not None:
        named = called(pipeline(pipeline_name))
        schedule = replace(schedule, pipeline=named, variant=None)
    if variant_name is not None:
        schedule = replace(schedule, variant=variant_name)
    return spec_of(schedule.pipeline, schedule.variant), schedule


def spec_of(name: str, variant_name: str | None) -> Spec:
    """Return a pipeline, with a variant in force if one is named."""
    return pipeline(name) if variant_name is None else variant(variant_name, of=name)


def check_playable(schedule: Schedule, *, on: Spec) -> None:
    """Refuse a schedule that this pipeline cannot play: one UsageError with all that is wrong."""
    check_schedule(
        schedule,
        topics={topic: each.partitions for topic, each in on.topics.items()},
        roles={role: each.instances for role, each in on.roles.items()},
        lock_services=on.lock_services,
    )
    for fault in schedule.faults:
        if isinstance(fault, Skew) and on.roles[fault.target.role].image is not None:
            raise UsageError(
                f"The clock of {fault.target.role} cannot be set wrong: it is a container",
                remedy="leave that fault out, or give the role a command and no image",
            )


def pipeline(name: str | Path) -> Spec:
    """Return a pipeline: `outbox` (the reference), or the path of a pipeline.toml."""
    return load_pipeline(name)


def variant(name: str, *, of: str | Path = "outbox") -> Spec:
    """Return a pipeline with the overrides of a named variant applied."""
    spec = load_pipeline(of)
    return apply(spec, load_variant(name, spec=spec))


def called(spec: Spec) -> str:
    """Return the word by which a schedule names this pipeline: a built-in name, or its path."""
    paths = {path.resolve(): name for name, path in BUILT_IN.items()}
    return paths.get(spec.path, str(spec.path))


def shown_by(spec: Spec) -> Schedule | None:
    """Return the schedule that shows what the variant in force claims, if it names one.

    The catalogue's schedules are aimed at the topics and roles of the reference pipeline.
    """
    if spec.variant is None or (spec.variant not in spec.file.variants and not _is_built_in(spec)):
        return None
    shown = load_variant(spec.variant, spec=spec).shown_by
    if shown is None:
        return None
    return Schedule(
        pipeline=called(spec),
        variant=spec.variant,
        faults=shown.faults,
        workload=shown.workload,
        budget=shown.budget,
    )


def _is_built_in(spec: Spec) -> bool:
    return called(spec) in BUILT_IN


def default_schedule(spec: Spec) -> Schedule:
    """Return what is played when nothing is asked for: the death of a leader under load."""
    topic = next(iter(spec.topics), None)
    faults = () if topic is None else (kill(leader(topic, 0)).after(acked=300).for_seconds(3),)
    return Schedule(pipeline=called(spec), variant=spec.variant, faults=faults)


def read_schedule(path: Path) -> Schedule:
    """Read a schedule from a file, or from the run folder that played it."""
    file = path / "schedule.json" if path.is_dir() else path
    return from_json(read_text(file, what="schedule"), source=str(file))


def read_text(file: Path, *, what: str) -> str:
    """Return what a file holds that a person named; UsageError if that is no text."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"The {what} {file} cannot be read: {error.strerror}",
            remedy=f"name a {what}.json, or the folder that holds it",
        ) from error
    except UnicodeDecodeError:
        raise UsageError(
            f"The {what} {file} cannot be read: it is no text",
            remedy=f"name a {what}.json, or the folder that holds it",
        ) from None
