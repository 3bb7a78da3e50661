"""The witness files: what their columns may be, writing them, and reading them in batches.

Owns the Parquet side of the public format. Reads foreign files gladly (other widths, dictionary
or large types, absent columns) and hands out one shape; must not draw conclusions.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harness.errors import HarnessError, UsageError

HASH_BYTES = 32
BATCH_ROWS = 131_072
ROW_GROUP_ROWS = 262_144

COLUMNS: dict[str, dict[str, str]] = {
    "intents": {
        "message_id": "id",
        "topic": "text",
        "key": "key",
        "sequence": "integer",
        "outcome": "text",
        "payload_sha256": "hash",
    },
    "outbox": {"message_id": "id"},
    "sent": {"message_id": "id"},
    "log": {
        "topic": "text",
        "partition": "integer",
        "offset": "integer",
        "timestamp_ms": "integer",
        "message_id": "id",
        "key": "key",
        "payload_sha256": "hash",
        "aborted": "flag",
    },
    "effects": {"message_id": "id", "consumer": "text", "payload_sha256": "hash"},
    "offsets": {
        "group": "text",
        "topic": "text",
        "partition": "integer",
        "committed": "integer",
        "begin": "integer",
        "end": "integer",
    },
}
"""Every witness and its columns, in the order they are written. `id`: an integer or a string;
`key`: the same or bytes; `hash`: 32 bytes; `text`: a string; `flag`: a boolean."""

REQUIRED = {
    name: frozenset({"message_id"}) if "message_id" in columns else frozenset(columns)
    for name, columns in COLUMNS.items()
} | {"offsets": frozenset({"topic", "partition", "committed"})}

CANONICAL: dict[str, pa.DataType] = {
    "id": pa.int64(),
    "key": pa.string(),
    "text": pa.string(),
    "integer": pa.int64(),
    "hash": pa.binary(HASH_BYTES),
    "flag": pa.bool_(),
}
"""The type written for an empty witness, where no row shows a better one."""


class WitnessError(HarnessError):
    """A witness file exists but cannot be read: torn, or not Parquet at all."""


class Witness(Protocol):
    """Rows of one witness, readable any number of times."""

    name: str
    columns: frozenset[str]
    rows: int

    def batches(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield the named columns, in file order, each in the one shape of `in_one_shape`."""
        ...

    def take(self, rows: list[int]) -> list[dict[str, object]]:
        """Return whole rows by their number; `rows` ascends."""
        ...


class TableWitness:
    """A witness held in memory; the checker cannot tell it from a file."""

    def __init__(self, name: str, table: pa.Table, *, batch_rows: int = BATCH_ROWS) -> None:
        check_schema(name, table.schema, where=f"the {name} table")
        self.name = name
        self.columns = frozenset(table.column_names) & frozenset(COLUMNS[name])
        self.rows = table.num_rows
        self._table = table
        self._batch_rows = batch_rows

    def batches(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield the named columns batch by batch."""
        chosen = self._table.select(list(columns))
        for batch in chosen.to_batches(max_chunksize=self._batch_rows):
            yield in_one_shape(batch, witness=self.name, where=f"the {self.name} table")

    def take(self, rows: list[int]) -> list[dict[str, object]]:
        """Return whole rows by their number."""
        chosen = self._table.select([c for c in COLUMNS[self.name] if c in self.columns])
        taken: list[dict[str, object]] = chosen.take(pa.array(rows, pa.int64())).to_pylist()
        return taken


class ParquetWitness:
    """A witness in a Parquet file, streamed on the calling thread with bounded memory."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.path = path
        with self._open() as file:
            schema, self.rows = file.schema_arrow, file.metadata.num_rows
        check_schema(self.name, schema, where=str(path))
        self.columns = frozenset(schema.names) & frozenset(COLUMNS[self.name])
        self._text = [
            n for n in self.columns if COLUMNS[self.name][n] in ("text", "key", "outcome")
        ]

    def _open(self, *, read_dictionary: list[str] | None = None) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(
                self.path,
                read_dictionary=read_dictionary,
                pre_buffer=False,
                memory_map=False,
                page_checksum_verification=True,
            )
        except (pa.ArrowException, OSError) as error:
            raise WitnessError(
                f"{self.path} is no readable Parquet file: {error}",
                remedy="write the witness again; a torn file cannot be judged",
            ) from error

    def batches(self, *columns: str) -> Iterator[pa.RecordBatch]:
        """Yield the named columns batch by batch; WitnessError if the file is torn."""
        with self._open(read_dictionary=self._text) as file:
            stream = file.iter_batches(
                batch_size=BATCH_ROWS, columns=list(columns), use_threads=False
            )
            try:
                for batch in stream:
                    chosen = batch.select(list(columns))
                    yield in_one_shape(chosen, witness=self.name, where=str(self.path))
            except (pa.ArrowException, OSError) as error:
                raise WitnessError(f"{self.path} cannot be read to its end: {error}") from error

    def take(self, rows: list[int]) -> list[dict[str, object]]:
        """Return whole rows by their number; reads only the row groups that hold them."""
        columns = [c for c in COLUMNS[self.name] if c in self.columns]
        taken: list[dict[str, object]] = []
        with self._open() as file:
            first = 0
            for group in range(file.num_row_groups):
                last = first + file.metadata.row_group(group).num_rows
                here = rows[bisect_left(rows, first) : bisect_left(rows, last)]
                if here:
                    table = file.read_row_group(group, columns=columns, use_threads=False)
                    taken += table.take(pa.array([r - first for r in here])).to_pylist()
                first = last
        return taken


def open_witness(folder: Path, name: str) -> ParquetWitness | None:
    """Return the witness of a run folder, or None where the folder has none.

    UsageError if a column has a type that the format does not allow, WitnessError if it is torn.
    """
    path = folder / "witness" / f"{name}.parquet"
    return ParquetWitness(path) if path.exists() else None


def write_witness(
    folder: Path, name: str, batches: pa.Table | Iterable[pa.RecordBatch | pa.Table]
) -> Path:
    """Write `witness/<name>.parquet` of a run folder from a table or a stream of batches.

    The first batch fixes the schema; a stream without batches gives an empty file. The file is
    whole or not there: it is written beside its place and moved in. UsageError on a wrong schema.
    """
    path = folder / "witness" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = _coalesced([batches] if isinstance(batches, pa.Table) else batches)
    first = next(stream, None)
    schema = first.schema if first is not None else empty_schema(name)
    check_schema(name, schema, where=str(path))
    part = path.with_suffix(".part")
    with pq.ParquetWriter(part, schema, **_settings(name, schema)) as writer:
        while first is not None:
            writer.write_table(first, row_group_size=ROW_GROUP_ROWS)
            first = next(stream, None)
    return part.replace(path)


def _coalesced(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[pa.Table]:
    """Join small batches, so that a slow source does not end in thousands of row groups."""
    waiting: list[pa.Table] = []
    for batch in batches:
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        waiting.append(table)
        if sum(one.num_rows for one in waiting) >= BATCH_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def empty_schema(name: str) -> pa.Schema:
    """Return the full schema of a witness, with int64 ids and string keys."""
    return pa.schema([(column, CANONICAL[kind]) for column, kind in COLUMNS[name].items()])


def _settings(name: str, schema: pa.Schema) -> dict[str, object]:
    """Return writer settings: dictionaries where values repeat, no effort on hashes."""
    kinds = {n: COLUMNS[name].get(n, "text") for n in schema.names}
    return {
        "use_dictionary": [n for n in kinds if kinds[n] in ("text", "key") or n == "partition"],
        "compression": {n: "none" if kinds[n] == "hash" else "lz4" for n in kinds},
        "write_page_checksum": True,
        "write_statistics": [n for n in kinds if kinds[n] in ("id", "integer")],
    }


def check_schema(name: str, schema: pa.Schema, *, where: str) -> None:
    """Raise UsageError naming the file and the column that the format does not allow."""
    for column in sorted(REQUIRED[name]):
        if column not in schema.names:
            raise UsageError(
                f"{where}: the {name} witness has no column `{column}`",
                remedy=f"its columns are {', '.join(COLUMNS[name])}",
            )
    for column, kind in COLUMNS[name].items():
        if column in schema.names and not _allowed(schema.field(column).type, kind):
            raise UsageError(
                f"{where}: column `{column}` is {schema.field(column).type}",
                remedy=f"the format asks for {EXPECTED[kind]}",
            )


EXPECTED = {
    "id": "an integer or a string",
    "key": "a string, bytes or an integer",
    "text": "a string",
    "integer": "an integer",
    "hash": "32 bytes (binary, not hexadecimal text)",
    "flag": "a boolean",
}


def _allowed(given: pa.DataType, kind: str) -> bool:
    plain = given.value_type if pa.types.is_dictionary(given) else given
    text = pa.types.is_string(plain) or pa.types.is_large_string(plain)
    number = pa.types.is_integer(plain)
    raw = pa.types.is_binary(plain) or pa.types.is_large_binary(plain)
    return bool(
        {
            "id": text or number,
            "key": text or number or raw,
            "text": text,
            "integer": number,
            "hash": raw or plain == pa.binary(HASH_BYTES),
            "flag": pa.types.is_boolean(plain),
        }[kind]
    )


def in_one_shape(batch: pa.RecordBatch, *, witness: str, where: str) -> pa.RecordBatch:
    """Return the batch with ids int64 or string, text as dictionary, integers int64, hashes 32 B.

    UsageError naming file and column when a value does not fit (a hash of another length, an id
    beyond int64).
    """
    arrays = []
    for column in batch.schema.names:
        try:
            arrays.append(_shaped(batch.column(column), COLUMNS[witness][column]))
        except pa.ArrowInvalid as error:
            raise UsageError(
                f"{where}: column `{column}` holds a value that does not fit: {error}",
                remedy=f"the format asks for {EXPECTED[COLUMNS[witness][column]]}",
            ) from error
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _shaped(column: pa.Array, kind: str) -> pa.Array:
    if kind in ("text", "key"):
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        return column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if kind == "id":
        goal = pa.int64() if pa.types.is_integer(column.type) else pa.string()
    else:
        goal = CANONICAL[kind]
    return column if column.type == goal else pc.cast(column, goal)
