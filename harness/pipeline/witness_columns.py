"""Which columns a witness may have, of which types, and how rows become Arrow columns.

Owns the shapes of ARCHITECTURE's witness files as far as a pipeline's queries fill them.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import pyarrow as pa

from harness.errors import PipelineError

HASH_BYTES = 32
OUTCOMES = ("committed", "failed", "unknown")
_IDS = ("message_id",)
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "intents": (*_IDS, "topic", "key", "sequence", "outcome", "payload_sha256"),
    "outbox": _IDS,
    "sent": _IDS,
    "effects": (*_IDS, "consumer", "payload_sha256"),
}
"""Columns of each witness in their order; all but the id are optional."""

_INTEGERS = ("int2", "int4", "int8")
_TEXTS = ("text", "varchar", "bpchar", "name", "uuid", "enum")
_HASHED = ("bytea", *_TEXTS)
_ACCEPTED: Mapping[str, tuple[str, ...]] = {
    "message_id": (*_INTEGERS, *_TEXTS),
    "topic": _TEXTS,
    "key": (*_TEXTS, *_INTEGERS, "bytea"),
    "sequence": _INTEGERS,
    "outcome": _TEXTS,
    "consumer": _TEXTS,
    "payload_sha256": _HASHED,
    "payload": _HASHED,
}


def check(witness: str, found: Sequence[tuple[str, str]], *, where: str) -> None:
    """Refuse missing, doubled and unknown columns, and types that cannot be read as meant."""
    names = [name for name, _ in found]
    may = (*COLUMNS[witness], *(("payload",) if "payload_sha256" in COLUMNS[witness] else ()))
    for name in names:
        if name not in may:
            near = difflib.get_close_matches(name, may, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise PipelineError(
                f"{where}: unknown column {name}{hint}", remedy=f"select of: {', '.join(may)}"
            )
    if "message_id" not in names:
        raise PipelineError(
            f"{where}: it has no column message_id", remedy="select … AS message_id"
        )
    if len(set(names)) < len(names) or {"payload", "payload_sha256"} <= set(names):
        raise PipelineError(f"{where}: a column stands there twice: {', '.join(names)}")
    for name, kind in found:
        if kind != "?" and kind not in _ACCEPTED[name]:
            raise PipelineError(
                f"{where}: column {name} is of type {kind}",
                remedy=f"cast it to one of: {', '.join(_ACCEPTED[name])}",
            )


def schema(witness: str, names: Sequence[str], *, id_type: str) -> pa.Schema:
    """Return the Arrow schema of a witness that has these columns (`payload` becomes its hash)."""
    types = {
        "message_id": pa.int64() if id_type == "int" else pa.string(),
        "sequence": pa.int64(),
        "payload_sha256": pa.binary(HASH_BYTES),
    }
    there = {"payload_sha256" if name == "payload" else name for name in names}
    return pa.schema(
        [(name, types.get(name, pa.string())) for name in COLUMNS[witness] if name in there]
    )


def batch(schema: pa.Schema, values: Mapping[str, Sequence[Any]], *, where: str) -> pa.RecordBatch:
    """Return rows, given column by column, as a batch of `schema`, or raise PipelineError."""
    arrays = []
    for field in schema:
        source = "payload" if field.name == "payload_sha256" and "payload" in values else field.name
        convert = _converter(source, field)
        try:
            arrays.append(pa.array([convert(value) for value in values[source]], type=field.type))
        except (ValueError, TypeError, OverflowError, pa.ArrowInvalid) as error:
            raise PipelineError(
                f"{where}: column {source}: {error}",
                remedy="correct the query in the pipeline.toml",
            ) from error
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _converter(source: str, field: pa.Field) -> Callable[[Any], Any]:
    if source == "message_id":
        return _integer_id if pa.types.is_integer(field.type) else _text_id
    by_name: Mapping[str, Callable[[Any], Any]] = {
        "payload": _hash,
        "payload_sha256": _as_hash,
        "outcome": _outcome,
        "sequence": lambda value: value,
    }
    return by_name.get(source, _text)


def _integer_id(value: object) -> int:
    if value is None:
        raise ValueError("it is NULL in a row")
    if not isinstance(value, int):
        raise TypeError(
            f'{value!r} is not an integer; cast it, or set [message] id_type = "string"'
        )
    return value


def _text_id(value: object) -> str:
    if value is None:
        raise ValueError("it is NULL in a row")
    if isinstance(value, int):
        raise TypeError(f'{value!r} is not text; cast it, or set [message] id_type = "int"')
    return str(value)


def _text(value: object) -> str | None:
    if value is None:
        return None
    return bytes(value).decode() if isinstance(value, bytes | memoryview) else str(value)


def _outcome(value: object) -> str:
    if value not in OUTCOMES:
        raise ValueError(f"{value!r} is none of {', '.join(OUTCOMES)}")
    return str(value)


def _hash(value: bytes | memoryview | str | None) -> bytes | None:
    if value is None:
        return None
    return sha256(value.encode() if isinstance(value, str) else value).digest()


def _as_hash(value: bytes | memoryview | str | None) -> bytes | None:
    if value is None:
        return None
    digest = bytes.fromhex(value) if isinstance(value, str) else bytes(value)
    if len(digest) != HASH_BYTES:
        raise ValueError(f"a SHA-256 has {HASH_BYTES} bytes, this has {len(digest)}")
    return digest
