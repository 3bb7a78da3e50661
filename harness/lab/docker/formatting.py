"""Has Kafka's own formatter make the checkpoint of a new folder, in a container of its image.

A machine with an engine needs neither Java nor Maven for a lab. What is made is kept in the same
cache, under the same name, as what a local lab makes.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.errors import ProvisionError
from harness.lab.docker import once
from harness.lab.docker.engine import told
from harness.provision import checkpoint, jvm
from harness.provision.values import Progress

FORMAT_S = 120


def provide(
    image: str, *, lab: str, kafka_version: str, features: Mapping[str, int], progress: Progress
) -> Path:
    """Return the checkpoint of this release; its formatter runs at the first call only."""

    def run(words: Sequence[str], part: Path) -> None:
        command = [*jvm.flags(), *once.CLASS_PATH, checkpoint.MAIN, *words]
        with (
            told("run Kafka's formatter"),
            once.java(image, command, folder=part, lab=lab) as container,
        ):
            status = container.wait(timeout=FORMAT_S)["StatusCode"]
            said = container.logs().decode(errors="replace")
        if status != 0:
            raise ProvisionError(
                f"Kafka's StorageTool failed ({status}) in a container of {image}:\n{said}",
                remedy="check that this Kafka has these feature levels" if features else None,
            )

    return checkpoint.made_by(
        run, kafka_version=kafka_version, features=features, progress=progress
    )
