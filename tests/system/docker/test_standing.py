"""The lab of docker-compose.yml: it comes up healthy, runs play on it, and it stays standing."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from harness.errors import LabError, UsageError
from harness.lab.docker import engine
from harness.lab.docker.compose import KIND, LAYOUT, STANDING
from harness.lab.docker.standing import attach_standing_lab
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.values import NODES, Link
from harness.provision.images.names import Images
from harness.run.session import LabSession
from harness.scenario import kill, leader, pipeline

FILE = Path(__file__).parents[3] / "docker-compose.yml"
UP_S = 180


def compose(*words: str, images: Images) -> "subprocess.CompletedProcess[str]":
    """Run compose on the file, with these images and never another one."""
    named = {
        f"ZLH_{each.name.upper()}_IMAGE": getattr(images, each.name) for each in fields(images)
    }
    return subprocess.run(
        ["docker", "compose", "--file", str(FILE), *words],
        env={**os.environ, **named},
        capture_output=True,
        text=True,
        check=False,
        timeout=UP_S,
    )


@pytest.fixture(scope="module")
def standing(images: Images) -> Iterator[Images]:
    """Have the lab standing; nothing of it is left afterwards."""
    there = shutil.which("docker") and compose("version", images=images).returncode == 0
    if not there:
        pytest.skip("`docker compose` is not on this machine")
    client = engine.connect()
    if client.containers.list(all=True, filters={"label": f"{STANDING}={KIND}"}):
        pytest.skip("somebody has this lab standing already")
    up = compose("up", "--detach", "--wait", "--pull", "never", images=images)
    yield images if up.returncode == 0 else pytest.fail(up.stderr)
    down = compose("down", "--volumes", "--timeout", "0", images=images)
    assert down.returncode == 0, down.stderr
    assert not client.containers.list(all=True, filters={"label": f"{STANDING}={KIND}"})
    client.close()


def test_compose_accepts_the_file(images: Images) -> None:
    """By its own word, where it is to be had."""
    if not shutil.which("docker") or compose("version", images=images).returncode:
        pytest.skip("`docker compose` is not on this machine")
    config = compose("config", "--quiet", images=images)
    assert (config.returncode, config.stderr) == (0, "")


def test_where_none_stands_it_is_said_how_to_have_one(images: Images) -> None:
    """The command, in the error."""
    client = engine.connect()
    if client.containers.list(all=True, filters={"label": f"{STANDING}={KIND}"}):
        pytest.skip("one stands")
    with pytest.raises(UsageError, match="docker compose up -d --wait"):
        attach_standing_lab()
    assert images


def test_a_run_passes_on_it_and_it_stays_standing(standing: Images, tmp_path: Path) -> None:
    """The death of a leader under load; a link that a dead run left cut is mended first."""
    assert standing
    link = Link(plane="client", source="slot1", target="1")
    with attach_standing_lab() as lab:
        pids = {number: lab.nodes[number].pid() for number in NODES}
    proxies = ToxiproxyApi(LAYOUT.api)
    proxies.enable(str(link), enabled=False)  # as a harness leaves it that is killed in a fault
    proxies.close()
    said: list[str] = []
    with LabSession(
        start=lambda needs=None: attach_standing_lab(progress=said.append),  # noqa: ARG005
        runs=tmp_path,
    ) as session:
        run = session.run(
            pipeline("outbox"), kill(leader("orders", 0)).after(acked=300).for_seconds(2)
        )
    run.assert_exactly_once()
    assert any("links were not as a new lab has them" in line for line in said)
    with attach_standing_lab() as lab:
        assert sum(lab.nodes[number].pid() == pids[number] for number in NODES) == 2
        assert not [each for each in lab.cluster.partitions() if each.topic.startswith("orders-")]


def test_one_run_at_a_time_uses_it(standing: Images) -> None:
    """Another is told so."""
    assert standing
    with (
        attach_standing_lab(),
        pytest.raises(LabError, match="Another run uses the standing lab"),
    ):
        attach_standing_lab()


def test_it_is_not_taken_for_another_one(standing: Images) -> None:
    """Another profile or release is a lab of its own."""
    assert standing
    with pytest.raises(UsageError, match="has profile fast and Kafka"):
        attach_standing_lab(profile="production")
