"""However a lab ends, nothing of it stays; and labs live side by side."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.clock import sleep, wait_until
from harness.errors import LabError
from harness.lab.keeping import folders, warden
from harness.lab.local import LocalLab, leftovers, start_local_lab
from harness.lab.nodes import node_config

OWNER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from harness.lab.local import start_local_lab
lab = start_local_lab(progress=lambda line: print(line, flush=True))
for service in sys.argv[1:]:
    lab.lock_service(service).create("run_x")
    print(service, "is up", flush=True)
time.sleep(600)
"""
LOCK_SERVICES = ("redis", "zookeeper")


def labs() -> set[str]:
    """Return the names of labs that have a folder or a claim."""
    return {path.name.split(".")[0] for path in folders.root().glob("lab-*")}


def marked(name: str) -> list[psutil.Process]:
    """Return the living processes of a lab."""
    return list(warden.processes_of(folders.root() / name, name=name))


def segment_of(name: str) -> str | None:
    """Return the id of the database's shared memory."""
    try:
        pid_file = folders.root() / name / warden.DATABASE_FOLDER / "postmaster.pid"
        return pid_file.read_text().splitlines()[6].split()[1]
    except (OSError, IndexError):
        return None


def segments() -> set[str]:
    """Return the ids of all SysV segments of this machine."""
    return {row.split()[1] for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def start_owner(*services: str) -> "subprocess.Popen[str]":
    """Start a process that owns a lab, with these lock services."""
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, *services],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def new_lab(before: set[str], owner: "subprocess.Popen[str]") -> str | None:
    """Return the name of the lab that the owner began, None while it has not."""
    for name in labs() - before:
        for process in marked(name):
            if process.ppid() == owner.pid:
                return name
    return None


@pytest.mark.parametrize("after_s", [None, 0.0, 0.3, 1.0, 2.5])
def test_nothing_stays_of_a_lab_whose_owner_was_killed(after_s: float | None) -> None:
    """SIGKILL, when it is ready (None) and around several moments of its boot."""
    before = labs()
    owner = start_owner()
    name = wait_until(
        lambda: new_lab(before, owner), deadline_s=60, describe="the lab to begin", poll_s=0.005
    )
    if after_s is None:
        assert owner.stdout is not None
        assert any("is ready" in line for line in owner.stdout)
    else:
        sleep(after_s + random.uniform(0, 0.3))  # noqa: S311  # any moment will do
    segment = segment_of(name)
    owner.kill()
    owner.communicate()
    wait_until(
        lambda: name not in labs() and not marked(name),
        deadline_s=20,
        describe=f"{name} to be cleared",
        last_seen=lambda: (marked(name), labs()),
    )
    assert segment is None or segment not in segments()


def test_nothing_stays_of_lock_services_whose_owner_was_killed() -> None:
    """They bear the lab's mark, and go with it."""
    before = labs()
    owner = start_owner(*LOCK_SERVICES)
    name = wait_until(lambda: new_lab(before, owner), deadline_s=60, describe="the lab to begin")
    heard(owner, f"{LOCK_SERVICES[-1]} is up")
    servers = lock_servers(name)
    owner.kill()
    owner.communicate()
    wait_until(
        lambda: name not in labs() and not marked(name),
        deadline_s=20,
        describe=f"{name} to be cleared",
        last_seen=lambda: (marked(name), labs()),
    )
    assert [process for process in servers if runs(process)] == []


def lock_servers(name: str) -> list[psutil.Process]:
    """Return the processes of a lab's lock services, of which there are two."""
    found = [
        process
        for process in marked(name)
        if re.search(r"redis\.conf|zoo\.cfg", " ".join(process.cmdline()))
    ]
    assert len(found) == len(LOCK_SERVICES)
    return found


def runs(process: psutil.Process) -> bool:
    """Tell whether it is still that process, and no zombie that init will collect."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def heard(owner: "subprocess.Popen[str]", words: str) -> None:
    """Wait until the owner says it."""
    assert owner.stdout is not None
    assert any(words in line for line in owner.stdout)


def test_ctrl_c_takes_a_lab_down() -> None:
    """The interrupted owner ends its lab itself, lock services included."""
    before = labs()
    owner = start_owner(*LOCK_SERVICES)
    name = wait_until(lambda: new_lab(before, owner), deadline_s=60, describe="the lab to begin")
    heard(owner, f"{LOCK_SERVICES[-1]} is up")
    owner.send_signal(signal.SIGINT)
    owner.communicate(timeout=60)
    wait_until(lambda: name not in labs() and not marked(name), deadline_s=20, describe="its end")


def test_a_lab_whose_warden_died_too_is_cleared_by_the_next_start() -> None:
    """The claim is free, so it is dead; living labs are not touched."""
    before = labs()
    owner = start_owner(*LOCK_SERVICES)
    name = wait_until(lambda: new_lab(before, owner), deadline_s=60, describe="the lab to begin")
    heard(owner, f"{LOCK_SERVICES[-1]} is up")
    servers = lock_servers(name)
    for child in psutil.Process(owner.pid).children():
        if "warden.py" in " ".join(child.cmdline()):
            child.kill()
    segment = segment_of(name)
    owner.kill()
    owner.communicate()
    assert len(marked(name)) >= 5
    assert name in leftovers.clear_dead_labs()
    assert marked(name) == []
    assert [process for process in servers if runs(process)] == []
    assert name not in labs()
    assert segment not in segments()


def test_two_labs_run_side_by_side_and_one_closes_alone(lab: LocalLab) -> None:
    """Other ports, another cluster; closing one leaves the other whole."""
    pids = {name: server.pid() for name, server in lab.nodes.items()}
    with start_local_lab() as other:
        assert set(other.layout.all()).isdisjoint(lab.layout.all())
        assert other.cluster.registered() == lab.cluster.registered() == {1, 2, 3}
        folder, name, ports = other.folder, other.name, other.layout.all()
    assert not folder.exists()
    assert marked(name) == []
    assert not any(listens(port) for port in ports)
    assert {name: server.pid() for name, server in lab.nodes.items()} == pids
    assert lab.check_alive() == ()
    other.close()


def listens(port: int) -> bool:
    """Tell whether a port of this machine accepts."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_a_role_that_carries_the_mark_ends_with_its_lab() -> None:
    """Processes of a pipeline are found by their environment."""
    with start_local_lab() as lab:
        role = subprocess.Popen(
            ["sleep", "600"], env={**os.environ, **lab.role_environment()}, start_new_session=True
        )
    assert role.wait(timeout=5) == -signal.SIGKILL


def test_a_node_that_does_not_come_up_is_one_clear_error_and_nothing_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message holds what the node said."""
    real = node_config.properties

    def broken(node: int, **options: object) -> dict[str, str]:
        settings = real(node, **options)  # type: ignore[arg-type]  # its own keywords
        return settings | {"log.retention.ms": "no number"} if node == 2 else settings

    monkeypatch.setattr(node_config, "properties", broken)
    before = labs()
    with pytest.raises(LabError, match=r"(?s)node 2 died unasked.*log\.retention\.ms"):
        start_local_lab()
    assert labs() == before


def test_a_fixed_base_that_is_taken_starts_nothing(lab: LocalLab) -> None:
    """The error names the port; no folder is made."""
    before = labs()
    with pytest.raises(LabError, match=rf"Port {lab.layout.api + 50} is taken"):
        start_local_lab(port_base=lab.layout.api + 50)
    assert labs() == before
