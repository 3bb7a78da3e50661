"""The two questions of the drain, asked of a real PostgreSQL."""

from pathlib import Path

import psycopg
import pytest

from harness.errors import LabError, PipelineError
from harness.pipeline.loader import check_pipeline
from harness.pipeline.spec import Spec
from harness.run.drain import DrainQueries, questioned

TOPICS = {"orders": "orders-1a2b", "audit": "audit-1a2b"}
INTENTS = "SELECT id AS message_id, topic FROM intents -- all of them"
EFFECTS = "SELECT id AS message_id, consumer FROM effects WHERE consumer LIKE '%';"
TABLES = """
CREATE TABLE intents (id int, topic text);
CREATE TABLE effects (id text, consumer text);
CREATE TABLE sent (id int);
"""


def spec(*, consumers: dict[str, list[str]] | None = None, sent: bool = True) -> Spec:
    """Return a pipeline of two topics."""
    queries = {"intents": INTENTS, "effects": EFFECTS}
    if sent:
        queries["sent"] = "SELECT id AS message_id FROM sent"
    document = {
        "pipeline": {"name": "test"},
        "topics": {topic: {} for topic in TOPICS},
        "roles": {"producer": {"command": ["true"]}},
        "message": {"id": "key"},
        "queries": queries,
        "consumers": {name: {"topics": topics} for name, topics in (consumers or {}).items()},
    }
    return check_pipeline(document, path=Path("pipeline.toml").resolve(), source="test")


@pytest.fixture
def connection(empty_database: str) -> psycopg.Connection:
    """Open a database with two orders, one audit entry, and effects of the first order only."""
    connection = psycopg.connect(empty_database, autocommit=True)
    connection.execute(TABLES)
    connection.execute("INSERT INTO intents VALUES (1, 'orders'), (2, 'orders'), (3, 'audit-1a2b')")
    connection.execute("INSERT INTO effects VALUES ('1', 'billing'), ('1', 'billing')")
    connection.execute("INSERT INTO sent VALUES (1)")
    return connection


def test_missing_effects_and_unsent_rows_are_counted(connection: psycopg.Connection) -> None:
    """One order and one audit entry lack their effect; a doubled effect hides nothing.

    No audit entry was ever marked as sent, so the pipeline keeps no book of them to ask.
    """
    with connection:
        standing = DrainQueries(spec(), connection, topics=TOPICS).ask(5)
    assert (standing.intents, standing.missing, standing.unsent, standing.lag) == (3, 2, 1, 5)
    assert not standing.whole()


def test_a_topic_with_one_marked_row_is_asked_for_all_of_them(
    connection: psycopg.Connection,
) -> None:
    """The book is kept by topic: one mark on an audit entry makes the others missing."""
    with connection:
        connection.execute("INSERT INTO intents VALUES (4, 'audit-1a2b')")
        connection.execute("INSERT INTO sent VALUES (3)")
        assert DrainQueries(spec(), connection, topics=TOPICS).ask(5).unsent == 2


def test_a_consumer_is_expected_only_on_its_own_topics(connection: psycopg.Connection) -> None:
    """Billing never reads the audit topic, and the auditor never reads orders."""
    with connection:
        queries = DrainQueries(spec(), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing'), ('3', 'auditor')")
        assert queries.ask(None).whole()


def test_a_declared_consumer_that_never_acts_is_missed(connection: psycopg.Connection) -> None:
    """What cannot be learnt from effects can be declared, by the topic's logical name."""
    declared = {"billing": ["orders"], "auditor": ["audit"]}
    with connection:
        queries = DrainQueries(spec(consumers=declared), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing')")
        assert queries.ask(None).missing == 1


def test_a_topic_that_nobody_is_declared_for_needs_no_effect(
    connection: psycopg.Connection,
) -> None:
    """Declaring some consumers says that the other topics leave the pipeline."""
    with connection:
        queries = DrainQueries(spec(consumers={"billing": ["orders"]}), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing')")
        assert queries.ask(None).whole()


def test_a_pipeline_without_a_book_of_what_it_sent_never_claims_to_be_done(
    connection: psycopg.Connection,
) -> None:
    """No lag and no sent query: it may still be at work, so only the deadline ends the wait."""
    with connection:
        standing = DrainQueries(spec(sent=False), connection, topics=TOPICS).ask(0)
    assert standing.unsent is None
    assert not standing.claims_done()


def test_a_query_that_fails_is_the_pipelines_mistake(empty_database: str) -> None:
    """Exit code 2 and the server's words; once it was a traceback and the exit code of FAILED."""
    with (
        pytest.raises(PipelineError, match=r"division by zero"),
        questioned(spec(), empty_database) as connection,
    ):
        connection.execute("SELECT 1 / 0")


def test_a_database_that_is_gone_is_not_the_pipelines_mistake(empty_database: str) -> None:
    """It is trouble of the lab."""
    with (
        pytest.raises(LabError, match="did not answer"),
        questioned(spec(), empty_database) as connection,
    ):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
