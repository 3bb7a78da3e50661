"""Keeps the `bootstrap.checkpoint` of a Kafka release: what its formatter writes into a new folder.

It holds the feature levels a new cluster begins with and nothing about one node or cluster, so a
copy of it and a `meta.properties` make a formatted folder without starting a JVM.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from harness.errors import ProvisionError
from harness.provision import cache, command, jvm
from harness.provision.kafka_uuid import kafka_uuid
from harness.provision.values import Progress, silent

DEADLINE_S = 120.0
NAME = "bootstrap.checkpoint"
MAIN = "kafka.tools.StorageTool"
AS_RELEASED: Mapping[str, int] = MappingProxyType({})
"""The feature levels that a release gives to a new cluster by itself."""


def find(kafka_version: str) -> Path | None:
    """Return the checkpoint if it is in the cache."""
    target = cache.root() / _entry(kafka_version)
    return target / NAME if cache.is_whole(target) else None


def provide(
    kafka_version: str,
    *,
    java: Path,
    jars: Sequence[Path],
    features: Mapping[str, int] = AS_RELEASED,
    progress: Progress = silent,
) -> Path:
    """Return the checkpoint, running Kafka's own StorageTool at the first call.

    `features` are levels that a new cluster begins with instead of the release's own (KIP-1022).
    """

    def run(words: Sequence[str], part: Path) -> None:
        formatting = command.Command(
            argv=[*jvm.arguments(java, jars), MAIN, *words],
            deadline_s=DEADLINE_S,
            doing="Formatting a Kafka folder",
            remedy="check that this Kafka has these feature levels"
            if features
            else "check that this Java can run this Kafka: harness doctor names both",
        )
        command.run(formatting, log=part / "format.log")

    return made_by(run, kafka_version=kafka_version, features=features, progress=progress)


def made_by(
    run: Callable[[Sequence[str], Path], None],
    *,
    kafka_version: str,
    features: Mapping[str, int],
    progress: Progress,
) -> Path:
    """Return the checkpoint; at the first call `run` runs the formatter with these words.

    It is given the folder, too, that the words are about.
    """

    def build(part: Path) -> None:
        progress(f"formatting a Kafka {kafka_version} folder to copy")
        _format(part, run=run, features=features)

    return cache.entry(_entry(kafka_version, features), build, progress=progress) / NAME


def _format(
    part: Path, *, run: Callable[[Sequence[str], Path], None], features: Mapping[str, int]
) -> None:
    from harness.provision import bootnode  # noqa: PLC0415  # a warm start needs none

    # A static quorum: with --standalone the checkpoint would name this one node as the voters.
    properties = bootnode.write_properties(part, broker_port=9092, controller_port=9093)
    wanted = [word for each in levels(features) for word in ("--feature", each)]
    run(["format", "-t", kafka_uuid(), "-c", str(properties), *wanted], part)
    written = part / "data" / NAME
    if not written.exists():
        raise ProvisionError(
            f"Kafka's StorageTool wrote no {NAME}", remedy="use Kafka 3.9 or newer"
        )
    written.rename(part / NAME)
    shutil.rmtree(part / "data")
    properties.unlink()


def levels(features: Mapping[str, int]) -> tuple[str, ...]:
    """Return feature levels as people and Kafka's tools write them: `name=level`, by name."""
    return tuple(f"{name}={level}" for name, level in sorted(features.items()))


def _entry(kafka_version: str, features: Mapping[str, int] = AS_RELEASED) -> str:
    return "-".join((f"kafka-{kafka_version}-format", *levels(features)))
