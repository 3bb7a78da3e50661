"""The PostgreSQL server of a lab: one process family, one database per run.

`fsync` is off: a SIGKILL keeps the page cache, so nothing that was committed is lost by one, and
power failure is no fault of this lab. Torn pages stay guarded (`full_page_writes`), because a kill
may end a write half-way.
"""

import signal
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from harness.errors import LabError
from harness.lab.local import warden
from harness.lab.local.layout import Layout
from harness.lab.local.node import plain_environment
from harness.lab.local.postgres_template import APP, SUPERUSER, Account, populate
from harness.lab.local.process import Command, ServerProcess
from harness.lab.local.recipe import Recipe

CONNECT_S = 2
_WAL_LOG_SINCE = 150_000

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "jit": "off",
    "log_checkpoints": "off",
    # A client that is gone without a word loses its row locks within a few seconds.
    "tcp_keepalives_idle": "1",
    "tcp_keepalives_interval": "1",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "4000",
    "client_connection_check_interval": "1000",
}


class LocalPostgres(ServerProcess):
    """`DatabaseServer` over a local `postgres`."""

    def __init__(
        self, folder: Path, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
    ) -> None:
        self.data = folder / warden.DATABASE_FOLDER
        self._port = layout.postgres
        self._recipe = recipe
        self._mark = mark
        self._accounts: Mapping[str, Account] = {}
        command = Command(
            argv=(
                str(recipe.postgres_bin / "postgres"),
                *("-D", str(self.data), "-p", str(self._port)),
                *(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")),
            ),
            folder=folder / "postgres",
            log=folder / "postgres" / "server.log",
            environment={**plain_environment(), **mark},
            ports=(self._port,),
            user=recipe.postgres_user,
            ends_by=signal.SIGINT,  # a fast shutdown: SIGTERM would wait for every session
        )
        super().__init__("the database", command, answers=self._accepts_queries)

    def prepare(self) -> None:
        """Make the data folder, a copy of this user's template."""
        self._accounts = populate(self.data, recipe=self._recipe, mark=self._mark)

    def kill(self) -> None:
        """SIGKILL the whole family; give back the shared memory that it cannot any more."""
        super().kill()
        warden.remove_shared_memory(self.data)

    def create(self, name: str) -> None:
        """Create an empty database that the pipeline's account owns."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {}").format(
            sql.Identifier(name), sql.Identifier(APP)
        )
        with self._connect() as connection:
            if connection.info.server_version >= _WAL_LOG_SINCE:
                statement += sql.SQL(" STRATEGY WAL_LOG")
            connection.execute(statement)

    def drop(self, name: str) -> None:
        """Drop it, ending its connections; no error if it is gone."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with self._connect() as connection:
            connection.execute(statement)

    def url(self, name: str) -> str:
        """Return the direct, unproxied URL, for the harness's own reading (superuser)."""
        return self._accounts[SUPERUSER].url(port=self._port, database=name)

    def role_url(self, name: str, *, port: int) -> str:
        """Return the URL of the pipeline's account through a proxy's port."""
        return self._accounts[APP].url(port=port, database=name)

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        try:
            return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=CONNECT_S)
        except psycopg.OperationalError as error:
            raise LabError(f"The database does not accept connections: {error}") from error

    def _accepts_queries(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=CONNECT_S) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False
