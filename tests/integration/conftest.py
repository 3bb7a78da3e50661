"""A throw-away PostgreSQL server, shared by all integration tests; a database for each test."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from harness.clock import wait_until
from harness.provision import postgres

_NUMBERS = count(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server; give its address, e.g. `postgresql://tester@127.0.0.1:5433`."""
    folder = tmp_path_factory.mktemp("postgres")
    user, programs = postgres.postgres_user(), postgres.provide().path
    data = folder / "data"
    data.mkdir()
    if user is not None:
        for parent in (data, *data.parents[:3]):
            parent.chmod(0o755)
        shutil.chown(data, user)
    initdb = [str(programs / "initdb"), "--no-sync", "-A", "trust", "-U", "tester", "-D", str(data)]
    subprocess.run(initdb, check=True, user=user, capture_output=True, cwd="/")
    port = _free_port()
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    argv = [str(programs / "postgres"), "-D", str(data), "-F"]
    argv += [f"-c{name}={value}" for name, value in options.items()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(argv, user=user, stdout=log, stderr=log, cwd="/")
    url = f"postgresql://tester@127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), deadline_s=10, describe="PostgreSQL to answer")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(f"{url}/postgres").close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def empty_database(server: str) -> str:
    """Make a database with nothing in it; give its URL."""
    name = f"test_{next(_NUMBERS)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
