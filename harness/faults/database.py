"""The database server killed, stopped or paused, and put back."""

import psycopg

from harness.faults.driver import Surroundings
from harness.faults.outages import How
from harness.faults.servers import ServerOutage


def database_outage(how: How, *, around: Surroundings) -> ServerOutage:
    """Return what takes it out; after a kill, its crash recovery is part of the healing."""
    server = around.lab.database
    return ServerOutage(
        how,
        server,
        called="the database",
        resolved={"database": True},
        clients=lambda: _count_sessions(server.url("postgres")),
        clients_called="sessions",
    )


def _count_sessions(url: str) -> int | None:
    """Return how many there are; None when the server, about to start or stopped, cannot tell."""
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND usename <> current_user"
            ).fetchone()
    except psycopg.Error:
        return None
    return int(row[0]) if row else 0
