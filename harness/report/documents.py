"""A pipeline's configuration as flat settings, and how it differs from the safe pipeline."""

from collections.abc import Iterator, Mapping, Sequence

from harness.errors import HarnessError
from harness.report.cases import Difference, Fact
from harness.report.facts import RunFacts, Setting
from harness.run.plan import pipeline

_TOLD = ("topics", "roles", "pipeline.order", "consumers", "liveness")
_UNTOLD = ("command", "crash_points", "uses", "cwd")
ABSENT = "(not set)"


def flat(document: Mapping[str, object], *, under: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting of a pipeline.toml as a dotted name and its value."""
    for name, value in document.items():
        where = f"{under}{name}"
        if isinstance(value, Mapping):
            yield from flat(value, under=f"{where}.")
        else:
            yield where, _text(value)


def configuration(setting: Setting) -> tuple[Fact, ...]:
    """Return what was in force: topics, roles and guarantees, then what all nodes share."""
    told = [
        Fact(name=name, values=(value,))
        for name, value in flat(setting.document)
        if name.startswith(_TOLD) and not name.endswith(_UNTOLD)
    ]
    nodes = [Fact(name=f"nodes.{name}", values=(v,)) for name, v in setting.nodes.items()]
    return (*told, *nodes)


def safe_document(run: RunFacts, others: Sequence[RunFacts]) -> Mapping[str, object]:
    """Return the same pipeline without a variant: as another run had it, else from its file."""
    for other in others:
        same = other.setting.pipeline == run.setting.pipeline
        if same and other.setting.variant is None and other.setting.document:
            return other.setting.document
    try:
        return pipeline(run.setting.pipeline).document
    except HarnessError:
        return {}


def differences(here: Mapping[str, object], safe: Mapping[str, object]) -> tuple[Difference, ...]:
    """Return every setting that differs; nothing where either side is not known."""
    if not here or not safe:
        return ()
    ours, theirs = dict(flat(here)), dict(flat(safe))
    return tuple(
        Difference(where=name, safe=theirs.get(name, ABSENT), here=ours.get(name, ABSENT))
        for name in dict.fromkeys([*theirs, *ours])
        if ours.get(name) != theirs.get(name)
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value).strip()
