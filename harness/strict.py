"""Turn parsed TOML or JSON into frozen values, or into one error that a person can act on."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import UsageError

T = TypeVar("T")
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")


def decode(adapter: TypeAdapter[T], data: object, *, source: str, json: str | None = None) -> T:
    """Return the value that `data` (or the JSON text `json`) describes.

    Raises UsageError naming the source, the dotted key, what is wrong, and for an unknown key the
    nearest valid one.
    """
    try:
        if json is not None:
            return adapter.validate_json(json)
        return adapter.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        first = next((d for d in details if d["type"] in _UNKNOWN_KEY), details[0])
        raise UsageError(
            f"{source}: {_sentence(first, adapter)}",
            remedy=f"correct it; {len(details)} problem(s) were found there in all",
        ) from None


def _sentence(detail: ErrorDetails, adapter: TypeAdapter[T]) -> str:
    where = ".".join(str(part) for part in detail["loc"]) or "(the whole file)"
    if detail["type"] not in _UNKNOWN_KEY:
        return f"`{where}`: {detail['msg']} (got {detail['input']!r:.80})"
    near = nearest(str(detail["loc"][-1]), _known_keys(adapter))
    return f"`{where}` is not a key that exists there{near}"


def nearest(word: str, known: frozenset[str]) -> str:
    """Return `; did you mean X?` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def _known_keys(adapter: TypeAdapter[T]) -> frozenset[str]:
    found: set[str] = set()
    pending: list[object] = [adapter.json_schema()]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            properties = part.get("properties")
            if isinstance(properties, Mapping):
                found.update(map(str, properties))
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return frozenset(found)
