"""Records the class data of a Kafka image, once: nodes of later labs start faster.

As for local labs an archive is a gain, never a need (`harness.provision.classdata`). It fits one
image only, so it is kept by the image's id, in the user's cache, and mounted into the nodes.
"""

from pathlib import Path

from harness import clock
from harness.clock import wait_until
from harness.errors import LabError, ProvisionError
from harness.lab.docker import once
from harness.lab.docker.engine import told
from harness.provision import bootnode, cache, jvm
from harness.provision.classdata import NAME, NOTEBOOK, RETRY_AFTER_US
from harness.provision.values import Progress

START_S = 60.0
END_S = 60
_BROKER, _CONTROLLER = 9092, 9093


def provide(
    image: str, *, identity: str, lab: str, checkpoint: Path, progress: Progress
) -> Path | None:
    """Return the archive for an image, recording it at the first call; None where that fails.

    A failure is told through `progress`, remembered, and tried again after a day.
    """
    name = f"class-data-{once.short(identity)}"
    target = cache.root() / name
    if cache.is_whole(target):
        return target / NAME
    at_us, _, _reason = cache.recall(NOTEBOOK).get(name, "0 ").partition(" ")
    if clock.now_us() - int(at_us) < RETRY_AFTER_US:
        return None

    def build(part: Path) -> None:
        progress(f"recording the class data of {image}, once for this image")
        _record(part, image=image, lab=lab, checkpoint=checkpoint)

    try:
        return cache.entry(name, build, progress=progress) / NAME
    except (ProvisionError, LabError) as error:
        progress(f"no class-data archive, nodes start slower: {error.message}")
        cache.remember(NOTEBOOK, name, f"{clock.now_us()} {error.message}")
        return None


def _record(part: Path, *, image: str, lab: str, checkpoint: Path) -> None:
    """Run a node once and let its JVM write the archive on the way out."""
    bootnode.lay_out(part / "data", checkpoint=checkpoint)
    properties = bootnode.write_properties(part, broker_port=_BROKER, controller_port=_CONTROLLER)
    command = [
        *jvm.flags(),
        *(f"-XX:ArchiveClassesAtExit={part / NAME}", "-Xlog:cds=off"),
        *once.CLASS_PATH,
        *("kafka.Kafka", str(properties)),
    ]
    with (
        told("record the class data of Kafka"),
        once.java(image, command, folder=part, lab=lab) as node,
    ):
        wait_until(
            lambda: bootnode.STARTED in node.logs().decode(errors="replace"),
            deadline_s=START_S,
            describe="a single Kafka node in a container",
            poll_s=0.2,
        )
        node.kill(signal="SIGTERM")
        node.wait(timeout=END_S)
        (part / bootnode.LOG).write_bytes(node.logs())
    if not (part / NAME).exists():
        raise ProvisionError(f"The Java of {image} wrote no class-data archive at its end")
    bootnode.remove(part)
