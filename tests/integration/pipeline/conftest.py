"""A database with the tables of the reference pipeline."""

import psycopg
import pytest

from harness.pipeline.loader import load_pipeline


@pytest.fixture
def database(empty_database: str) -> str:
    """Make a database with the tables of the reference pipeline; give its URL."""
    schema = load_pipeline("outbox").schema_path
    assert schema is not None
    with psycopg.connect(empty_database) as connection:
        connection.execute(schema.read_text())
    return empty_database
