"""Where a record carries its message id: one fast reader per pipeline, made once."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache

from harness.errors import PipelineError
from harness.pipeline.spec import Message, Spec

Headers = Sequence[tuple[str, bytes | None]] | None
MessageId = int | str
IdReader = Callable[[Headers, bytes | None, bytes | None], MessageId]


class _AbsentError(Exception):
    """Nothing stands where the id should stand; says what stands there instead."""


def extract_id(
    spec: Spec,
    headers: Headers,
    *,
    key: bytes | None,
    value: bytes | None,
    place: tuple[str, int, int] | None = None,
) -> MessageId:
    """Return the message id of a record; PipelineError names its place if it has none.

    For many records, `id_reader` once and the function that it returns is quicker.
    """
    try:
        return _read_with(spec.message.id, spec.message.id_type)(headers, key, value)
    except PipelineError as error:
        if place is None:
            raise
        topic, partition, offset = place
        raise PipelineError(
            f"{topic}/{partition} offset {offset}: {error.message}", remedy=error.remedy
        ) from error


def id_reader(message: Message) -> IdReader:
    """Return a function (headers, key, value) → message id, which raises PipelineError."""
    return _read_with(message.id, message.id_type)


@lru_cache(maxsize=32)
def _read_with(where: str, id_type: str) -> IdReader:
    raw_of = _raw_reader(where)
    convert = _to_int if id_type == "int" else _to_text

    def read(headers: Headers, key: bytes | None, value: bytes | None) -> MessageId:
        try:
            return convert(raw_of(headers, key, value))
        except (_AbsentError, ValueError, TypeError) as error:
            raise PipelineError(
                f"a record without an id at {where}: {error}",
                remedy="every record on the pipeline's topics must carry its message id where "
                "[message] id says; correct that key, or the pipeline",
            ) from error

    return read


def _raw_reader(where: str) -> Callable[[Headers, bytes | None, bytes | None], object]:
    kind, _, argument = where.partition(":")
    if kind == "header":
        return lambda headers, _key, _value: _header(headers, argument)
    if kind == "key":
        return lambda _headers, key, _value: _present(key, "it has no key")
    steps = [step.replace("~1", "/").replace("~0", "~") for step in argument.split("/")[1:]]
    return lambda _headers, _key, value: _pointed(value, steps)


def _header(headers: Headers, name: str) -> bytes:
    for header, value in headers or ():
        if header == name and value is not None:
            return value
    names = ", ".join(header for header, _ in headers or ()) or "none"
    raise _AbsentError(f"its headers are: {names}")


def _present(value: bytes | None, otherwise: str) -> bytes:
    if value is None:
        raise _AbsentError(otherwise)
    return value


def _pointed(value: bytes | None, steps: list[str]) -> object:
    """Follow a JSON pointer (RFC 6901) into the value."""
    found: object = json.loads(_present(value, "it has no value"))
    for step in steps:
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            raise _AbsentError(f"its value has no {step!r} there")
    return found


def _to_int(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int | str | bytes):
        raise TypeError(f"{raw!r} is not an integer")
    return int(raw)


def _to_text(raw: object) -> str:
    if isinstance(raw, bytes):
        return raw.decode()
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    raise TypeError(f"{raw!r} is neither text nor a whole number")
