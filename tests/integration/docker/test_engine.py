"""Sockets that no engine answers on, and an engine where there is one."""

import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.provision import backend
from harness.provision.images import engine
from harness.provision.images.engine import EngineError


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a path that is taken for the engine's socket; nothing is there yet."""
    path = tmp_path / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    return path


def test_no_socket_is_no_engine(address: Path) -> None:
    """The message names the place, and what to install."""
    with pytest.raises(EngineError, match=f"there is no socket {address}") as told:
        engine.ask()
    assert "install Docker" in str(told.value.remedy)
    assert backend.choose("auto").backend == "local"


def test_a_socket_that_nobody_listens_on_is_no_engine(address: Path) -> None:
    """It is what an engine that was killed leaves."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(address))
    with pytest.raises(EngineError, match=f"No Docker engine answers at {address}.*refused"):
        engine.ask()


def test_a_server_that_is_no_engine_is_told(address: Path) -> None:
    """Something listens and hangs up: the client's own words are passed on."""
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(address))
        other.listen()
        other.settimeout(0.0)  # nobody takes the call
        with pytest.raises(EngineError, match="does not answer"):
            engine.connect(deadline_s=0.2)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_of_somebody_else_asks_for_permission(tmp_path: Path, address: Path) -> None:
    """The kernel's EACCES becomes the sentence that names the group."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        address.chmod(0o600)
        with (
            _as("nobody"),
            pytest.raises(EngineError, match=f"no permission for {address}") as told,
        ):
            engine.ask()
    assert "usermod -aG docker" in str(told.value.remedy)


def test_an_address_that_means_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what DOCKER_HOST names."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(EngineError, match=r"engine at tcp://127\.0\.0\.1:1 does not answer"):
        engine.ask()


def test_an_engine_says_who_it_is() -> None:
    """Its version, its memory and its images, by its own word."""
    try:
        found = engine.ask()
    except EngineError as error:
        pytest.skip(f"no engine: {error.message}")
    assert found.version[0].isdigit()
    assert found.memory_bytes > 2**20
    assert found.lacks(["zero-loss-harness/nothing:0"]) == ("zero-loss-harness/nothing:0",)
    assert found.lacks(found.images) == ()


@contextmanager
def _as(name: str) -> Iterator[None]:
    """Be somebody else to the kernel inside the block."""
    os.seteuid(pwd.getpwnam(name).pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
