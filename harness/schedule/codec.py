"""A schedule as JSON text, and its fingerprint. PURE: text in, value out."""

import hashlib
import json

from pydantic import TypeAdapter

from harness import strict
from harness.errors import UsageError
from harness.schedule.values import FORMAT_VERSION, Schedule

_ADAPTER = TypeAdapter(Schedule)


def to_json(schedule: Schedule) -> str:
    """Return the schedule as indented JSON that `from_json` reads back to an equal value."""
    return _ADAPTER.dump_json(schedule, indent=2).decode() + "\n"


def from_json(text: str, *, source: str) -> Schedule:
    """Read a schedule; UsageError names `source` and what is wrong with it."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{source}: not JSON: {error}") from None
    version = data.get("format", FORMAT_VERSION) if isinstance(data, dict) else FORMAT_VERSION
    if version != FORMAT_VERSION:
        raise UsageError(
            f"{source}: schedule format {version!r} is not the one this version reads "
            f"({FORMAT_VERSION})",
            remedy="play it with the harness version that wrote it",
        )
    return strict.decode(_ADAPTER, None, source=source, json=text)


def fingerprint(schedule: Schedule) -> str:
    """Return 12 hex digits that equal schedules share, whatever order their keys were in."""
    canonical = json.dumps(json.loads(_ADAPTER.dump_json(schedule)), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
