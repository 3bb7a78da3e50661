"""What only a lab of containers has to show: who reaches whom, and that nothing of it stays.

What every lab promises is in `tests/system/lab`, which is played on containers with
`--backend docker`.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.clock import wait_until
from harness.lab.docker import DockerLab, engine, leftovers, marks, start_docker_lab
from harness.lab.layout import LISTENERS
from harness.lab.values import NODES, Link
from harness.provision.images.names import OWN, Images
from harness.run.session import LabSession
from harness.scenario import kill, leader, pipeline

OWNER = """
import sys
from harness.lab.docker import start_docker_lab
from harness.provision.images.names import image_set
start_docker_lab(images=image_set(sys.argv[1]), progress=lambda line: print(line, flush=True))
"""


@pytest.fixture(scope="module")
def lab(images: Images) -> Iterator[DockerLab]:
    """Return a running lab."""
    with start_docker_lab(images=images) as lab:
        yield lab


def remote_ports(pid: int | None) -> set[int]:
    """Return the ports to which the processes of a container's network are connected."""
    tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    rows = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {int(row[2].rpartition(":")[2], 16) for row in rows if row[3] == "01"}


def in_engine(name: str) -> int:
    """Count what bears the name of a lab."""
    client = engine.connect()
    wanted = {"label": marks.label(name)}
    found = [
        *client.containers.list(all=True, sparse=True, filters=wanted),
        *client.networks.list(filters=wanted),
    ]
    client.close()
    return len(found)


def test_nodes_talk_to_each_other_through_proxies_only(lab: DockerLab) -> None:
    """No node holds a connection to another node's own port: all lead to a proxy or to itself."""
    if not lab._parts.sight.is_here:  # noqa: SLF001  # who knows whether /proc shows containers
        pytest.skip("the engine runs on another machine, whose /proc cannot be seen")
    for number, node in lab.nodes.items():
        remote = remote_ports(node.pid())
        others = {
            lab.layout.listener(other, name)
            for other in NODES
            if other != number
            for name in LISTENERS
        }
        proxies = {
            lab.layout.proxy(Link(plane=plane, source=str(number), target=str(other)))
            for plane in ("replication", "quorum")
            for other in NODES
            if other != number
        }
        assert remote & others == set()
        assert remote & proxies


def test_the_description_names_engine_images_and_their_identity(lab: DockerLab) -> None:
    """What ran can be told apart from another image of the same name."""
    described = lab.describe()
    assert described["backend"] == "docker"
    versions = described["versions"]
    assert isinstance(versions, dict)
    assert {"kafka", "toxiproxy", "postgres"} <= versions.keys()
    assert all("sha256:" in each for each in versions.values())


def test_a_run_passes_and_its_fault_bites(lab: DockerLab, tmp_path: Path) -> None:
    """The death of a leader under load, judged as on any other lab."""
    with LabSession(start=lambda needs=None: lab, runs=tmp_path) as session:  # noqa: ARG005
        run = session.run(
            pipeline("outbox"), kill(leader("orders", 0)).after(acked=300).for_seconds(2)
        )
        session._lab = None  # noqa: SLF001  # the lab is this module's to close
    run.assert_exactly_once()


def test_a_lab_whose_harness_and_warden_died_is_removed_by_label(images: Images) -> None:
    """By the next start, and nothing that lives is touched."""
    which = "own" if images == OWN else "public"
    argv = [sys.executable, "-c", OWNER, which]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert any("in containers" in line for line in owner.stdout)
        wait_until(lambda: in_engine(_newest()) > 1, deadline_s=60, describe="its containers")
        name = _newest()
        for child in psutil.Process(owner.pid).children():
            if "warden.py" in " ".join(child.cmdline()):
                child.kill()
        owner.send_signal(signal.SIGKILL)
    client = engine.connect()
    assert name in leftovers.clear_dead_labs(client)
    client.close()
    assert in_engine(name) == 0


def test_a_lab_whose_harness_died_is_removed_by_its_warden(images: Images) -> None:
    """At once, without another start."""
    which = "own" if images == OWN else "public"
    argv = [sys.executable, "-c", OWNER, which]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        assert any("in containers" in line for line in owner.stdout)
        wait_until(lambda: in_engine(_newest()) > 1, deadline_s=60, describe="its containers")
        name = _newest()
        os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: in_engine(name) == 0, deadline_s=60, describe="the warden to remove it")


def _newest() -> str:
    """Return the name of the lab whose network is the youngest."""
    client = engine.connect()
    wanted = {"label": f"{marks.OWNER}={marks.owner()}"}
    networks = sorted(client.networks.list(filters=wanted), key=lambda each: each.attrs["Created"])
    client.close()
    return str(networks[-1].attrs["Labels"][marks.LAB]) if networks else ""
