"""What the harness asks of a PostgreSQL server, wherever it runs: a database for each run."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from harness.errors import LabError

SUPERUSER = "harness"
APP = "app"
CONNECT_S = 2
_WAL_LOG_SINCE = 150_000

SETTINGS: Mapping[str, str] = {
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
"""Settings in force besides `listen_addresses`.

`fsync` is off: a SIGKILL keeps the page cache, so nothing that was committed is lost by one, and
power failure is no fault of a lab. Torn pages stay guarded (`full_page_writes`), because a kill
may end a write half-way.
"""


def in_words(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return settings as the server takes them on its command line."""
    return tuple(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A role that can log in."""

    name: str
    password: str

    def url(self, *, port: int, database: str) -> str:
        """Return a libpq URL for a port of 127.0.0.1."""
        return f"postgresql://{self.name}:{self.password}@127.0.0.1:{port}/{database}"


def draw_accounts() -> dict[str, Account]:
    """Return fresh accounts: any process of this machine reaches a loopback port."""
    return {name: Account(name=name, password=secrets.token_hex(8)) for name in (SUPERUSER, APP)}


def save_accounts(accounts: Mapping[str, Account], file: Path) -> None:
    """Write accounts where nobody but this user reads them."""
    file.touch(mode=0o600)
    passwords = {name: account.password for name, account in accounts.items()}
    file.write_text(json.dumps(passwords), encoding="utf-8")


def load_accounts(file: Path) -> dict[str, Account]:
    """Read accounts by their names."""
    passwords = json.loads(file.read_text(encoding="utf-8"))
    return {name: Account(name=name, password=word) for name, word in passwords.items()}


class Databases:
    """The databases of one server, made and dropped through its own port."""

    def __init__(self, accounts: Mapping[str, Account], *, port: int) -> None:
        self.accounts = accounts
        self._port = port

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
        return self.accounts[SUPERUSER].url(port=self._port, database=name)

    def role_url(self, name: str, *, port: int) -> str:
        """Return the URL of the pipeline's account through a proxy's port."""
        return self.accounts[APP].url(port=port, database=name)

    def accept_queries(self) -> bool:
        """Tell whether the server answers a query."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=CONNECT_S) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.Error:
            return False

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        try:
            return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=CONNECT_S)
        except psycopg.OperationalError as error:
            raise LabError(f"The database does not accept connections: {error}") from error
