"""Runs the queries of a pipeline against its database and returns the witnesses.

All of them see one snapshot. A query is described before it runs, so that a wrong column is found
however few rows there are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import pq, sql

from harness.errors import LabError, PipelineError
from harness.pipeline import witness_columns as columns
from harness.pipeline.spec import Spec

ROWS_A_BATCH = 20_000
WITNESSES = ("intents", "outbox", "sent", "effects")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    witness: str
    text: str

    @property
    def name(self) -> str:
        return f"[queries] {self.witness}"


def read_witnesses(spec: Spec, url: str) -> dict[str, pa.Table]:
    """Run every query of the pipeline in one snapshot; return a table for each that it has.

    `url` is the harness's direct one. PipelineError names the query that is wrong, and how.
    """
    with connect(url) as connection:
        return {
            witness: pa.Table.from_batches(
                list(stream(spec, witness, connection)), schema=schema_of(spec, witness, connection)
            )
            for witness in WITNESSES
            if getattr(spec.queries, witness) is not None
        }


def check_queries(spec: Spec, url: str) -> None:
    """Describe every query while nothing runs yet: what is wrong with it is told before the run.

    A table that is not there is no mistake yet, for a role may make it. PipelineError otherwise.
    """
    with connect(url) as connection:
        for witness in WITNESSES:
            if getattr(spec.queries, witness) is not None:
                _check_query(spec, witness, connection)


def _check_query(spec: Spec, witness: str, connection: psycopg.Connection[Any]) -> None:
    try:
        schema_of(spec, witness, connection)
    except PipelineError as error:
        if not isinstance(error.__cause__, psycopg.errors.UndefinedTable):
            raise PipelineError(f"{spec.path}: {error.message}", remedy=error.remedy) from error
    finally:
        connection.rollback()


def count_effects(spec: Spec, connection: psycopg.Connection[Any]) -> int:
    """Return the number of effect rows now: cheap enough to ask while the pipeline runs."""
    query = _query(spec, "effects")
    with _blamed(query), connection.transaction():
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM ({}\n) AS effects").format(sql.SQL(query.text))
        ).fetchone()
    return int(row[0]) if row else 0


def connect(url: str) -> psycopg.Connection[Any]:
    """Open a connection whose one transaction sees one snapshot and changes nothing.

    LabError where the database does not answer: it is the lab's, and so is the trouble.
    """
    try:
        connection = psycopg.connect(url, connect_timeout=5)
    except psycopg.Error as error:
        raise LabError(f"The database cannot be read: {str(error).strip()}") from error
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def schema_of(spec: Spec, witness: str, connection: psycopg.Connection[Any]) -> pa.Schema:
    """Return the schema that the witness will have: ARCHITECTURE's, less what it does not fill."""
    found = _describe(_query(spec, witness), connection)
    return columns.schema(witness, [name for name, _ in found], id_type=spec.message.id_type)


def stream(
    spec: Spec, witness: str, connection: psycopg.Connection[Any]
) -> Iterator[pa.RecordBatch]:
    """Run one query and yield its rows in column batches, never all of them at a time."""
    query = _query(spec, witness)
    found = _describe(query, connection)
    names = [name for name, _ in found]
    schema = columns.schema(witness, names, id_type=spec.message.id_type)
    with (
        _blamed(query, placed=False),
        connection.cursor(f"witness_{witness}", binary=True) as cursor,
    ):
        cursor.execute(query.text)
        while rows := cursor.fetchmany(ROWS_A_BATCH):
            values = dict(zip(names, zip(*rows, strict=True), strict=True))
            yield columns.batch(schema, values, where=query.name)


def _query(spec: Spec, witness: str) -> _Query:
    text = getattr(spec.queries, witness)
    return _Query(witness=witness, text=text.strip().rstrip(";"))


def _describe(query: _Query, connection: psycopg.Connection[Any]) -> Sequence[tuple[str, str]]:
    """Return (column, PostgreSQL type) of a query without running it, checked."""
    with _blamed(query):
        connection.execute("SELECT 1")  # opens the transaction, if none is open
        prepared = connection.pgconn.prepare(b"", query.text.encode())
        result = connection.pgconn.describe_prepared(b"")
        for step in (prepared, result):
            if step.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(step)
    found = []
    for column in range(result.nfields):
        info = connection.adapters.types.get(result.ftype(column))
        found.append(((result.fname(column) or b"?").decode(), info.name if info else "?"))
    columns.check(query.witness, found, where=query.name)
    return found


def _away(error: psycopg.Error) -> bool:
    """Tell whether it says that the server went away or is in trouble, and nothing of a query."""
    code = error.sqlstate
    if code is None:
        return isinstance(error, psycopg.OperationalError)
    return code.startswith(("08", "57P", "58"))


class _blamed:  # noqa: N801 - reads as a word in a with statement
    """Turns what PostgreSQL says about a query into one PipelineError.

    A server that went away meanwhile says nothing about it: that is a LabError.
    """

    def __init__(self, query: _Query, *, placed: bool = True) -> None:
        """`placed`: positions that the server gives are positions in the query itself."""
        self._query = query
        self._placed = placed

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, psycopg.Error):
            return
        if _away(error):
            raise LabError(
                f"The database did not answer {self._query.name}: {str(error).strip()}"
            ) from error
        place = ""
        if self._placed and (position := error.diag.statement_position) is not None:
            before = self._query.text[: int(position) - 1]
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            place = f" (line {line}, column {column} of the query)"
        said = error.diag.message_primary or str(error).strip()
        raise PipelineError(
            f"{self._query.name} fails: {said}{place}",
            remedy=error.diag.message_hint or "correct the query in the pipeline.toml",
        ) from error
