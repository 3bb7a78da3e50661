"""The two questions of the drain, asked of a real PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from harness.errors import LabError, PipelineError
from harness.pipeline.loader import check_pipeline
from harness.pipeline.spec import Spec
from harness.run.drain import DrainQueries, questioned
from harness.run.offsets import GroupOffset

TOPICS = {"orders": "orders-1a2b", "audit": "audit-1a2b"}
INTENTS = "SELECT id AS message_id, topic FROM intents -- all of them"
EFFECTS = "SELECT id AS message_id, consumer FROM effects WHERE consumer LIKE '%';"
TABLES = """
CREATE TABLE intents (id int, topic text);
CREATE TABLE effects (id text, consumer text);
CREATE TABLE sent (id int);
"""


def spec(
    *,
    consumers: dict[str, list[str]] | None = None,
    sent: bool = True,
    queries: dict[str, str] | None = None,
) -> Spec:
    """Return a pipeline of two topics."""
    queries = {"intents": INTENTS, "effects": EFFECTS, **(queries or {})}
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
        standing = DrainQueries(spec(), connection, topics=TOPICS).ask(5, ())
    assert (standing.intents, standing.missing, standing.unsent, standing.lag) == (3, 2, 1, 5)
    assert not standing.whole()


def test_a_topic_with_one_marked_row_is_asked_for_all_of_them(
    connection: psycopg.Connection,
) -> None:
    """The book is kept by topic: one mark on an audit entry makes the others missing."""
    with connection:
        connection.execute("INSERT INTO intents VALUES (4, 'audit-1a2b')")
        connection.execute("INSERT INTO sent VALUES (3)")
        assert DrainQueries(spec(), connection, topics=TOPICS).ask(5, ()).unsent == 2


def test_a_consumer_is_expected_only_on_its_own_topics(connection: psycopg.Connection) -> None:
    """Billing never reads the audit topic, and the auditor never reads orders."""
    with connection:
        queries = DrainQueries(spec(), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing'), ('3', 'auditor')")
        assert queries.ask(None, ()).whole()


def test_a_declared_consumer_that_never_acts_is_missed(connection: psycopg.Connection) -> None:
    """What cannot be learnt from effects can be declared, by the topic's logical name."""
    declared = {"billing": ["orders"], "auditor": ["audit"]}
    with connection:
        queries = DrainQueries(spec(consumers=declared), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing')")
        assert queries.ask(None, ()).missing == 1


def test_a_topic_that_nobody_is_declared_for_needs_no_effect(
    connection: psycopg.Connection,
) -> None:
    """Declaring some consumers says that the other topics leave the pipeline."""
    with connection:
        queries = DrainQueries(spec(consumers={"billing": ["orders"]}), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing')")
        assert queries.ask(None, ()).whole()


def test_a_row_for_a_topic_that_nobody_is_declared_for_has_to_be_sent(
    connection: psycopg.Connection,
) -> None:
    """No effect is asked of it, but that it reaches the log: its relay may be behind."""
    with connection:
        queries = DrainQueries(spec(consumers={"billing": ["orders"]}), connection, topics=TOPICS)
        connection.execute("INSERT INTO effects VALUES ('2', 'billing')")
        connection.execute("INSERT INTO intents VALUES (4, 'audit')")
        connection.execute("INSERT INTO sent VALUES (2), (4)")
        assert queries.ask(0, ()).whole()
        connection.execute("INSERT INTO intents VALUES (5, 'audit')")
        assert queries.ask(0, ()).missing == 1
        connection.execute("INSERT INTO sent VALUES (5)")
        assert queries.ask(0, ()).whole()


def test_a_message_whose_commit_is_unknown_is_owed_once_it_is_in_the_outbox(
    empty_database: str,
) -> None:
    """The judge requires it, so it is waited for; one that was never written is not."""
    intents = "SELECT id AS message_id, outcome FROM orders"
    queries = {"intents": intents, "outbox": "SELECT id AS message_id FROM outbox"}
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE orders (id int, outcome text); CREATE TABLE outbox (id int)"
        )
        connection.execute("CREATE TABLE effects (id text, consumer text)")
        connection.execute("INSERT INTO orders VALUES (1, 'committed'), (2, 'unknown')")
        connection.execute("INSERT INTO orders VALUES (3, 'unknown'), (4, 'failed')")
        connection.execute("INSERT INTO outbox VALUES (1), (3), (4)")
        connection.execute("INSERT INTO effects VALUES ('1', 'billing')")
        asked = spec(consumers={"billing": ["orders", "audit"]}, sent=False, queries=queries)
        standing = DrainQueries(asked, connection, topics=TOPICS).ask(0, ())
    assert (standing.intents, standing.missing) == (2, 1)


def test_an_outcome_may_be_of_a_type_that_knows_no_unknown(empty_database: str) -> None:
    """PostgreSQL refuses to compare an enumeration with a word that it does not have."""
    queries = {
        "intents": "SELECT id AS message_id, outcome FROM orders",
        "outbox": "SELECT id AS message_id FROM orders",
    }
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute("CREATE TYPE outcomes AS ENUM ('committed', 'failed')")
        connection.execute("CREATE TABLE orders (id int, outcome outcomes)")
        connection.execute("CREATE TABLE effects (id text, consumer text)")
        connection.execute("INSERT INTO orders VALUES (1, 'committed'), (2, 'failed')")
        asked = spec(consumers={"billing": ["orders"]}, sent=False, queries=queries)
        assert DrainQueries(asked, connection, topics=TOPICS).ask(0, ()).missing == 1


def test_queries_may_use_tables_of_any_name(connection: psycopg.Connection) -> None:
    """This pipeline asks its own `intents` in each of its queries."""
    queries = {
        "effects": "SELECT effects.id AS message_id, consumer FROM effects JOIN intents "
        "ON intents.id::text = effects.id WHERE intents.topic = 'orders'",
        "sent": "SELECT sent.id AS message_id FROM sent JOIN intents USING (id)",
    }
    with connection:
        standing = DrainQueries(spec(queries=queries, sent=False), connection, topics=TOPICS).ask(
            0, ()
        )
    assert (standing.effects, standing.unsent) == (1, 1)


def test_a_claim_needs_a_group_for_each_consumer_of_a_topic(
    connection: psycopg.Connection,
) -> None:
    """One of two readers may keep its offsets elsewhere, and be away: nobody can tell its lag."""
    declared = {"billing": ["orders"], "fraud": ["orders"], "auditor": ["audit"]}
    billing, fraud, auditor = (
        GroupOffset(group=group, topic=topic, partition=0, committed=3)
        for group, topic in (("b", "orders-1a2b"), ("f", "orders-1a2b"), ("a", "audit-1a2b"))
    )
    with connection:
        connection.execute("INSERT INTO sent VALUES (2), (3)")
        queries = DrainQueries(spec(consumers=declared), connection, topics=TOPICS)
        assert queries.ask(0, (billing, fraud, auditor)).claims_done()
        assert not queries.ask(0, (billing, auditor)).claims_done()
        assert not queries.ask(0, (billing, fraud)).claims_done()
        started = replace(fraud, committed=-1)
        assert not queries.ask(0, (billing, started, auditor)).claims_done()


def test_a_pipeline_without_a_book_of_what_it_sent_never_claims_to_be_done(
    connection: psycopg.Connection,
) -> None:
    """No lag and no sent query: it may still be at work, so only the deadline ends the wait."""
    with connection:
        standing = DrainQueries(spec(sent=False), connection, topics=TOPICS).ask(0, ())
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
