"""A throw-away PostgreSQL server, shared by the tests of this folder; a database for each test."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from harness.clock import wait_until
from harness.pipeline.loader import load_pipeline

_NUMBERS = count(1)


def _binary(name: str) -> str:
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server; give its address, e.g. `postgresql://tester@127.0.0.1:5433`."""
    folder = tmp_path_factory.mktemp("postgres")
    user = "nobody" if os.geteuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    if user is not None:
        for parent in (data, *data.parents[:3]):
            parent.chmod(0o755)
        shutil.chown(data, user)
    initdb = [_binary("initdb"), "--no-sync", "-A", "trust", "-U", "tester", "-D", str(data)]
    subprocess.run(initdb, check=True, user=user, capture_output=True, cwd="/")
    port = _free_port()
    options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    argv = [_binary("postgres"), "-D", str(data), "-F"]
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


@pytest.fixture
def database(empty_database: str) -> str:
    """Make a database with the tables of the reference pipeline; give its URL."""
    schema = load_pipeline("outbox").schema_path
    assert schema is not None
    with psycopg.connect(empty_database) as connection:
        connection.execute(schema.read_text())
    return empty_database
