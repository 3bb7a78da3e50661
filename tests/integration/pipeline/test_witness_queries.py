"""The queries of a pipeline against a real PostgreSQL."""

from dataclasses import replace
from hashlib import sha256

import psycopg
import pyarrow as pa
import pytest

from harness.errors import LabError, PipelineError
from harness.pipeline.loader import load_pipeline
from harness.pipeline.spec import IdType, Queries, Spec
from harness.pipeline.witness_queries import check_queries, connect, read_witnesses, stream

EFFECTS = "SELECT 1::int8 AS message_id"


def _spec(*, id_type: IdType = "int", intents: str = EFFECTS, effects: str = EFFECTS) -> Spec:
    reference = load_pipeline("outbox")
    message = replace(reference.message, id_type=id_type)
    queries = Queries(intents=intents, effects=effects)
    return replace(reference, file=replace(reference.file, message=message, queries=queries))


def test_the_reference_fills_every_column(database: str) -> None:
    """Its queries give the witnesses as ARCHITECTURE has them, hashes as 32 bytes."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO orders (key, sequence, payload) VALUES ('k', 1, 'one'), ('k', 2, 'two')"
        )
        connection.execute(
            "INSERT INTO outbox "
            "SELECT id, key, payload, CASE WHEN id = 1 THEN now() END FROM orders"
        )
        connection.execute("INSERT INTO effects VALUES ('settlement', 1, sha256('one'))")

    found = read_witnesses(load_pipeline("outbox"), database)

    assert found["intents"].to_pylist() == [
        {
            "message_id": number,
            "topic": "orders",
            "key": "k",
            "sequence": number,
            "outcome": "committed",
            "payload_sha256": sha256(payload).digest(),
        }
        for number, payload in ((1, b"one"), (2, b"two"))
    ]
    assert found["intents"].schema.field("payload_sha256").type == pa.binary(32)
    assert found["outbox"].to_pydict() == {"message_id": [1, 2]}
    assert found["sent"].to_pydict() == {"message_id": [1]}
    assert found["effects"].column("consumer").to_pylist() == ["settlement"]


def test_an_empty_table_still_has_its_columns(database: str) -> None:
    """What can be checked does not depend on there being rows."""
    found = read_witnesses(load_pipeline("outbox"), database)

    assert found["intents"].num_rows == 0
    assert found["effects"].schema.names == ["message_id", "consumer", "payload_sha256"]


@pytest.mark.parametrize(
    "column",
    [
        "'one'::bytea AS payload",
        "'one'::text AS payload",
        "sha256('one') AS payload_sha256",
        "encode(sha256('one'), 'hex') AS payload_sha256",
    ],
)
def test_a_payload_may_be_given_in_four_ways(empty_database: str, column: str) -> None:
    """Bytes, text, a hash, or its hexadecimal digits: always 32 bytes in the end."""
    spec = _spec(effects=f"SELECT 1 AS message_id, {column}")

    found = read_witnesses(spec, empty_database)["effects"]

    assert found.column("payload_sha256").to_pylist() == [sha256(b"one").digest()]


def test_ids_of_text_and_uuid_are_strings(empty_database: str) -> None:
    """What is not a number is compared as text."""
    uuid = "6b1b36cb-b0b8-4b8d-9c1c-2f1a1c9e7a11"
    spec = _spec(
        id_type="string",
        intents="SELECT 'a-1'::text AS message_id;",
        effects=f"WITH x (message_id) AS (VALUES ('{uuid}'::uuid)) TABLE x",
    )

    found = read_witnesses(spec, empty_database)

    assert found["intents"].column("message_id").to_pylist() == ["a-1"]
    assert found["effects"].column("message_id").to_pylist() == [uuid]


def test_many_rows_come_in_batches(empty_database: str) -> None:
    """Memory is bounded by the batch, not by the table."""
    spec = _spec(effects="SELECT g AS message_id FROM generate_series(1, 50000) AS g")

    with connect(empty_database) as connection:
        sizes = [batch.num_rows for batch in stream(spec, "effects", connection)]

    assert sizes == [20_000, 20_000, 10_000]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (
            "SELECT id AS message_id FROM nowhere",
            'fails: relation "nowhere" does not exist (line 1',
        ),
        ("SELECT 1 AS message_id,\n  nope", "(line 2, column 3 of the query)"),
        ("SELECT 1 AS id", "unknown column id"),
        ("SELECT 1 AS mesage_id", "unknown column mesage_id; did you mean message_id?"),
        ("SELECT 'x' AS consumer", "it has no column message_id"),
        ("SELECT 1 AS message_id, 2 AS message_id", "a column stands there twice"),
        ("SELECT NULL::int AS message_id", "column message_id: it is NULL in a row"),
        ("SELECT 1.5 AS message_id", "column message_id is of type numeric"),
        ("SELECT 'a'::text AS message_id", "'a' is not an integer; cast it, or set [message]"),
        ("SELECT 1 AS message_id, '{}'::jsonb AS payload", "column payload is of type jsonb"),
        ("SELECT 1 AS message_id, 'ab'::bytea AS payload_sha256", "a SHA-256 has 32 bytes"),
        ("SELECT 1 AS message_id, 'zz' AS payload_sha256", "column payload_sha256: non-hex"),
        ("SELECT 1 / 0 AS message_id", "fails: division by zero"),
        ("DELETE FROM pg_class RETURNING 1 AS message_id", "fails: "),
    ],
)
def test_a_wrong_query_is_one_clear_error(empty_database: str, query: str, told: str) -> None:
    """It names the query, says what is wrong, and where."""
    with pytest.raises(PipelineError) as caught:
        read_witnesses(_spec(effects=query), empty_database)

    assert str(caught.value).startswith("[queries] effects")
    assert told in str(caught.value)


def test_an_intent_has_a_known_outcome(empty_database: str) -> None:
    """Three outcomes exist, and no fourth."""
    spec = _spec(intents="SELECT 1 AS message_id, 'maybe' AS outcome")

    with pytest.raises(PipelineError, match="'maybe' is none of committed, failed, unknown"):
        read_witnesses(spec, empty_database)


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        ("SELECT nobody AS message_id FROM effects", "nobody"),
        ("SELECT message_id, message_id AS mesage FROM effects", "unknown column mesage"),
        ("SELCT message_id FROM effects", "syntax error"),
    ],
)
def test_a_wrong_query_is_told_before_anything_runs(database: str, effects: str, said: str) -> None:
    """Not after a whole run, and never as a pipeline without effects."""
    with pytest.raises(PipelineError, match=said):
        check_queries(_spec(effects=effects), database)


def test_a_table_that_a_role_will_make_is_no_mistake_yet(database: str) -> None:
    """Migrations may be part of the pipeline; the queries after it are still looked at."""
    check_queries(_spec(effects="SELECT id AS message_id FROM made_later"), database)

    with pytest.raises(PipelineError, match="nobody"):
        check_queries(
            _spec(
                intents="SELECT id AS message_id FROM made_later",
                effects="SELECT nobody AS message_id FROM effects",
            ),
            database,
        )


def test_a_database_that_is_away_is_trouble_of_the_lab(empty_database: str) -> None:
    """Not the pipeline's mistake: the run has a verdict, and a campaign goes on."""
    with pytest.raises(LabError, match="cannot be read"):
        connect("postgresql://nobody@127.0.0.1:1/nothing")
    query = "SELECT 1::bigint AS message_id FROM pg_terminate_backend(pg_backend_pid())"
    with (
        pytest.raises(LabError, match=r"did not answer \[queries\] effects"),
        connect(empty_database) as connection,
    ):
        list(stream(_spec(effects=query), "effects", connection))


def test_a_query_that_can_never_work_is_the_pipelines_mistake(empty_database: str) -> None:
    """However PostgreSQL classes its error: this one is of the same kind as a lost connection."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE MATERIALIZED VIEW later AS SELECT 1::int8 AS id WITH NO DATA")
    with pytest.raises(PipelineError, match="has not been populated"):
        read_witnesses(_spec(effects="SELECT id AS message_id FROM later"), empty_database)
