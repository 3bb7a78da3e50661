"""A database with the reference pipeline's tables; supervisors that end with their test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness.pipeline.loader import load_pipeline
from harness.pipeline.supervisor import Supervisor


@pytest.fixture
def database(empty_database: str) -> str:
    """Make a database with the tables of the reference pipeline; give its URL."""
    schema = load_pipeline("outbox").schema_path
    assert schema is not None
    with psycopg.connect(empty_database) as connection:
        connection.execute(schema.read_text())
    return empty_database


@pytest.fixture
def supervisor_of(tmp_path: Path) -> Iterator[Callable[[str], Supervisor]]:
    """Give a function from the text of a pipeline.toml to its supervisor, closed after the test."""
    made: list[Supervisor] = []

    def make(text: str) -> Supervisor:
        (tmp_path / "pipeline.toml").write_text(text)
        made.append(
            Supervisor(
                load_pipeline(tmp_path),
                environment=lambda _r, _i: {},
                run_folder=tmp_path / "run",
                start_container=lambda order: pytest.fail(f"{order.name} has no image"),
            )
        )
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.close()
