"""Validation errors in words: the dotted key, what is wrong, and the nearest key that exists."""

import difflib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ValidationError

UNKNOWN_KEY = "unexpected_keyword_argument"


def describe(error: ValidationError, *, kind: type) -> Iterator[str]:
    """Yield one sentence per mistake in a document that should have been a `kind`."""
    for mistake in error.errors(include_url=False):
        where = tuple(part for part in mistake["loc"] if part != "[key]")
        key = dotted(where)
        if mistake["type"] == UNKNOWN_KEY:
            yield f"unknown key {key}{_nearest(kind, where)}"
        elif mistake["type"] == "missing":
            yield f"{key} is missing"
        else:
            message = mistake["msg"].removeprefix("Value error, ")
            yield f"{key}: {message[0].lower()}{message[1:]}, not {_shown(mistake['input'])}"


def dotted(where: tuple[int | str, ...]) -> str:
    """Write a place in a document as TOML would: `roles.relay.command[0]`."""
    text = ""
    for part in where:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text or "the document"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - half a line


def _nearest(kind: type, where: tuple[int | str, ...]) -> str:
    known = sorted(_keys_at(kind, where[:-1]))
    near = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{hint} (valid here: {', '.join(known)})" if known else hint


def _keys_at(kind: Any, where: tuple[int | str, ...]) -> list[str]:  # noqa: ANN401 - any type form
    """Return the keys of the dataclass found by walking `where` through the type `kind`."""
    for part in where:
        kind = _step(kind, part)
    kind = _dataclass_in(kind)
    return [] if kind is None else [field.name for field in fields(kind)]


def _step(kind: Any, part: int | str) -> Any:  # noqa: ANN401 - any type form
    found = _dataclass_in(kind)
    if found is not None:
        return get_type_hints(found).get(str(part))
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return arguments[1]
    return _step(arguments[0], part) if arguments else None


def _dataclass_in(kind: Any) -> Any:  # noqa: ANN401 - any type form
    """Return `kind` itself or the dataclass among the members of an optional."""
    candidates = (kind, *(get_args(kind) if get_origin(kind) is not dict else ()))
    return next((one for one in candidates if is_dataclass(one)), None)
