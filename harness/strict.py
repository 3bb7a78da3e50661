"""Turn parsed TOML or JSON into frozen values, or into one error that a person can act on."""

import difflib
from collections.abc import Mapping, Sequence
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
    near = nearest(str(detail["loc"][-1]), _known_keys(adapter, detail["loc"][:-1]))
    return f"`{where}` is not a key that exists there{near}"


def nearest(word: str, known: frozenset[str]) -> str:
    """Return `; did you mean X?` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else ""


def _known_keys(adapter: TypeAdapter[T], where: Sequence[int | str]) -> frozenset[str]:
    """Return the keys of the object at that place, or every key there is if it is not found."""
    schema = adapter.json_schema()
    here: object = schema
    for part in where:
        here = _inside(_resolved(here, schema), part, schema)
    keys = _properties(_resolved(here, schema))
    return frozenset(keys) or _every_key(schema)


def _inside(schema: Mapping[str, object], part: int | str, whole: Mapping[str, object]) -> object:
    """Return the schema of one key, one item, or one member of a union by its `kind`."""
    if isinstance(part, int):
        return schema.get("items")
    if part in _properties(schema):
        return _properties(schema)[part]
    members = schema.get("oneOf") or schema.get("anyOf")
    found = (_resolved(each, whole) for each in members) if isinstance(members, list) else ()
    return next((each for each in found if _kind_of(each) == part), None)


def _kind_of(schema: Mapping[str, object]) -> object:
    kind = _properties(schema).get("kind")
    return kind.get("const") if isinstance(kind, Mapping) else None


def _properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    found = schema.get("properties")
    return found if isinstance(found, Mapping) else {}


def _resolved(schema: object, whole: Mapping[str, object]) -> Mapping[str, object]:
    """Follow a reference into the definitions; nothing for what is no object."""
    if not isinstance(schema, Mapping):
        return {}
    if "$ref" not in schema:
        return schema
    definitions = whole.get("$defs")
    name = str(schema["$ref"]).rpartition("/")[2]
    return _resolved(definitions.get(name), whole) if isinstance(definitions, Mapping) else {}


def _every_key(schema: Mapping[str, object]) -> frozenset[str]:
    found: set[str] = set()
    pending: list[object] = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            found.update(_properties(part))
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)
    return frozenset(found)
