"""Records a class-data archive of a Kafka node, once per machine: nodes then start twice as fast.

An archive is a gain, never a need: where none can be made the nodes start without one.
Dynamic archives: JEP 350. A runtime that comes without a base archive is given one first.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from harness import clock
from harness.errors import ProvisionError
from harness.provision import cache, command, jvm, probe
from harness.provision.values import Progress, silent

NAME = "kafka.jsa"
BASE = "base.jsa"
DUMP_DEADLINE_S = 120.0
NOTEBOOK = "class-data-failures"
RETRY_AFTER_US = 24 * 3600 * 1_000_000


def find(java: Path, jars: Sequence[Path]) -> Path | None:
    """Return the archive for exactly this runtime and these jars if it is in the cache."""
    target = cache.root() / f"class-data-{_key(java, jars)}"
    return target / NAME if cache.is_whole(target) else None


def failure(java: Path, jars: Sequence[Path]) -> str | None:
    """Return why no archive could be made within the last day, None if that did not happen."""
    at_us, _, reason = cache.recall(NOTEBOOK).get(_key(java, jars), "0 ").partition(" ")
    return reason if clock.now_us() - int(at_us) < RETRY_AFTER_US else None


def provide(
    java: Path, jars: Sequence[Path], *, checkpoint: Path, progress: Progress = silent
) -> Path | None:
    """Return the archive, recording it at the first call; None where that does not work.

    A failure is told through `progress`, remembered, and tried again after a day.
    """
    found = find(java, jars)
    if found is not None or failure(java, jars) is not None:
        return found

    def build(part: Path) -> None:
        progress("recording Kafka's class data, once for this machine")
        _record(part, java=java, jars=jars, base_flags=base_flags, checkpoint=checkpoint)

    key = _key(java, jars)
    try:
        base_flags = _base_flags(java, progress=progress)
        return cache.entry(f"class-data-{key}", build, progress=progress) / NAME
    except ProvisionError as error:
        progress(f"no class-data archive, nodes start slower: {error.message}")
        cache.remember(NOTEBOOK, key, f"{clock.now_us()} {error.message}")
        return None


def _record(
    part: Path,
    *,
    java: Path,
    jars: Sequence[Path],
    base_flags: Sequence[str],
    checkpoint: Path,
) -> None:
    """Run a node once and let its JVM write the archive on the way out."""
    archive = part / NAME
    flags = [*base_flags, f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:cds=off"]
    from harness.provision import bootnode  # noqa: PLC0415  # a warm start needs none

    bootnode.lay_out(part / "data", checkpoint=checkpoint)
    broker_port, controller_port = bootnode.free_ports(2)
    with bootnode.running(
        jvm.arguments(java, jars, archive_flags=flags),
        folder=part,
        broker_port=broker_port,
        controller_port=controller_port,
    ) as node:
        bootnode.stop(node, log=part / "node.log")
    if not archive.exists():
        raise ProvisionError(f"{java} wrote no class-data archive at its end")
    bootnode.remove(part)


def _base_flags(java: Path, *, progress: Progress) -> list[str]:
    """Return the flag naming a base archive of our own, nothing where the runtime brings one."""
    if probe.answer(java, "-XX:+UseSerialGC", "-Xshare:on", "-version") is not None:
        return []

    def build(part: Path) -> None:
        progress("recording the runtime's class data, once for this machine")
        dump = command.Command(
            argv=[java, "-Xshare:dump", "-XX:+UseSerialGC", f"-XX:SharedArchiveFile={part / BASE}"],
            deadline_s=DUMP_DEADLINE_S,
            doing=f"Recording the class data of {java}",
            remedy="none is needed: nodes start without it, only slower",
        )
        command.run(dump, log=part / "dump.log")

    # An entry of its own: the archive on top records this path, which must be the final one.
    target = cache.entry(f"class-base-{_digest(_stamp(java))}", build, progress=progress)
    return [f"-XX:SharedArchiveFile={target / BASE}"]


def _key(java: Path, jars: Sequence[Path]) -> str:
    """Return a name for all that the JVM compares before it believes an archive."""
    return _digest(" ".join([*jvm.arguments(java, jars), *map(_stamp, (java, *jars))]))


def _stamp(path: Path) -> str:
    state = path.resolve().stat()
    return f"{path.resolve()}|{state.st_mtime_ns}|{state.st_size}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
