"""All parts together, on a real empty cache: fetched once, whole, quick, and really used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import clock
from harness.provision import bootnode, cache, checkpoint, command, jvm, parts
from harness.provision.kafka_uuid import kafka_uuid

from .starts import Start

WARM = """
import sys
from harness.provision import parts
parts.provide()
print(*sorted(sys.modules))
"""


def test_two_starts_at_once_fetch_each_part_once(starts: tuple[Start, Start]) -> None:
    """Both get the same whole parts, and of each step only one of them says that it does it."""
    first, second = starts
    assert first.parts() == second.parts()
    steps = [line for line in first.progress() + second.progress() if "another start" not in line]
    assert len(steps) == len(set(steps))
    assert any("fetching Kafka" in step for step in steps)
    assert any("recording Kafka's class data" in step for step in steps)


@pytest.mark.usefixtures("starts")
def test_nothing_half_made_stays_in_the_cache(home: Path) -> None:
    """After the starts there are whole entries, locks and a notebook, and no node ran on."""
    folder = home / "zero-loss-harness"
    assert [path.name for path in folder.iterdir() if ".part-" in path.name] == []
    entries = [path for path in folder.iterdir() if path.is_dir()]
    assert len(entries) >= 4
    assert [entry.name for entry in entries if not cache.is_whole(entry)] == []
    for pattern, content in (("class-data-*", "kafka.jsa"), ("kafka-*-format", checkpoint.NAME)):
        for entry in folder.glob(pattern):
            assert sorted(each.name for each in entry.iterdir()) == [cache.MANIFEST, content]


@pytest.mark.usefixtures("starts")
def test_a_warm_start_loads_nothing_that_only_a_first_one_needs(
    environment: dict[str, str],
) -> None:
    """No locks, no thread pool, no node to record from; `benchmarks/lab_boot.py` says how long."""
    done = subprocess.run(
        [sys.executable, "-c", WARM],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    needless = {"concurrent.futures.thread", "filelock", "harness.provision.bootnode"}
    assert needless.isdisjoint(done.stdout.split())


def test_the_archive_is_what_nodes_load_their_classes_from(starts: tuple[Start, Start]) -> None:
    """Kafka's main class comes out of the archive, not out of a jar."""
    argv = [*starts[0].command(), "-Xlog:class+load", "kafka.Kafka", "--version"]
    printed = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    loaded = [line for line in printed.splitlines() if " kafka.Kafka$ source" in line]
    assert loaded
    assert all("shared objects file (top)" in line for line in loaded)


@pytest.mark.usefixtures("starts")
def test_without_an_archive_the_command_runs_all_the_same(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`class_archive=None` yields a command without the flags, and it is Kafka that answers."""
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
    provided = parts.provide()
    assert provided.class_archive is not None
    bare = jvm.arguments(provided.java, provided.kafka_libs, heap_mb=128)
    assert [flag for flag in bare if "Shared" in flag] == []
    done = subprocess.run([*bare, "kafka.Kafka", "--version"], capture_output=True, check=True)
    assert done.stdout.decode().startswith(provided.kafka_version)


@pytest.mark.usefixtures("starts")
def test_a_copied_checkpoint_gives_the_features_of_a_formatted_node(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A node on a folder laid out by hand finalises the same levels as one that Kafka formatted."""
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])
    provided = parts.provide()
    copied, formatted = tmp_path / "copied", tmp_path / "formatted"
    copied.mkdir()
    formatted.mkdir()
    bootnode.lay_out(copied / "data", checkpoint=provided.bootstrap_checkpoint)
    properties = bootnode.write_properties(formatted, broker_port=9092, controller_port=9093)
    asked = ["format", "-t", kafka_uuid(), "-c", str(properties)]
    tool = command.Command(
        argv=[*parts.java_command(provided), "kafka.tools.StorageTool", *asked],
        doing="Formatting",
        remedy="-",
        deadline_s=60,
    )
    command.run(tool, log=tmp_path / "tool.log")
    ours, theirs = (_finalised(provided, folder) for folder in (copied, formatted))
    assert ours == theirs
    assert ours["transaction.version"] == 2
    assert ours["eligible.leader.replicas.version"] == 1
    assert ours["group.version"] == 1
    assert ours["share.version"] == 1


def _finalised(provided: parts.Parts, folder: Path) -> dict[str, int]:
    """Return the feature levels in force on a node that runs on `folder`."""
    broker_port, controller_port = bootnode.free_ports(2)
    with bootnode.running(
        parts.java_command(provided),
        folder=folder,
        broker_port=broker_port,
        controller_port=controller_port,
    ):
        return clock.wait_until(
            lambda: _ask_features(broker_port), deadline_s=20, describe="finalised features"
        )


def _ask_features(port: int) -> dict[str, int]:
    """Ask ApiVersions v3 and return tagged field 2, FinalizedFeatures (KIP-584)."""
    import socket  # noqa: PLC0415
    import struct  # noqa: PLC0415

    header = struct.pack(">hhih", 18, 3, 1, -1) + b"\0"
    request = header + b"\x05test" + b"\x021" + b"\0"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        stream = connection.makefile("rb")
        (size,) = struct.unpack(">i", stream.read(4))
        answer = memoryview(stream.read(size))[4:]
        stream.close()
    at = 2
    count, at = _varint(answer, at)
    at += (count - 1) * 7 + 4
    tags, at = _varint(answer, at)
    for _ in range(tags):
        tag, at = _varint(answer, at)
        length, at = _varint(answer, at)
        if tag == 2:
            return _features(answer[at : at + length])
        at += length
    return {}


def _features(field: memoryview) -> dict[str, int]:
    count, at = _varint(field, 0)
    levels = {}
    for _ in range(count - 1):
        length, at = _varint(field, at)
        name = bytes(field[at : at + length - 1]).decode()
        at += length - 1
        levels[name] = int.from_bytes(field[at : at + 2], "big")
        at += 5  # the highest and the lowest level, and no tags
    return levels


def _varint(field: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = field[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
