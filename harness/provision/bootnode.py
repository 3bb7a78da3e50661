"""One throw-away Kafka node on loopback, in a folder of its own: what recordings are made from."""

import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from harness import clock
from harness.errors import LabError, ProvisionError
from harness.provision import command
from harness.provision.kafka_uuid import kafka_uuid

START_DEADLINE_S = 120.0
STOP_DEADLINE_S = 120.0
STARTED = "Kafka Server started"
LOG = "node.log"


def write_properties(folder: Path, *, broker_port: int, controller_port: int) -> Path:
    """Write the configuration of a single combined node with a static quorum of one."""
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{broker_port},"
        f"CONTROLLER://127.0.0.1:{controller_port}",
        "log.dirs": str(folder / "data"),
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
    }
    path = folder / "node.properties"
    lines = [f"{name}={value}\n" for name, value in properties.items()]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def lay_out(data: Path, *, checkpoint: Path) -> None:
    """Make a formatted log folder of node 1 without starting Kafka's formatter."""
    data.mkdir()
    (data / "bootstrap.checkpoint").write_bytes(checkpoint.read_bytes())
    (data / "meta.properties").write_text(
        f"version=1\nnode.id=1\ncluster.id={kafka_uuid()}\ndirectory.id={kafka_uuid()}\n",
        encoding="utf-8",
    )


def free_ports(count: int) -> list[int]:
    """Return loopback ports that nobody listens on now, all different."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def running(
    jvm: Sequence[str], *, folder: Path, broker_port: int, controller_port: int
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a node until the block ends; `folder/data` must be formatted. It is up inside the block.

    ProvisionError with the last lines of its log if it does not come up in time.
    """
    properties = write_properties(folder, broker_port=broker_port, controller_port=controller_port)
    log = folder / LOG
    argv = [*jvm, "kafka.Kafka", str(properties)]
    with log.open("wb") as output, command.guarded(argv, output=output) as node:
        _wait_started(node, log=log)
        yield node


def stop(node: "subprocess.Popen[bytes]", *, log: Path) -> None:
    """Ask the node to end with SIGTERM and wait until it has; what it records, it records now."""
    node.terminate()
    try:
        node.wait(timeout=STOP_DEADLINE_S)
    except subprocess.TimeoutExpired as error:
        raise ProvisionError(
            f"The Kafka node did not end within {STOP_DEADLINE_S:g} s of SIGTERM:\n{_tail(log)}"
        ) from error


def remove(folder: Path) -> None:
    """Remove everything that a node that has ended left in `folder`."""
    shutil.rmtree(folder / "data")
    for name in (LOG, "node.properties"):
        (folder / name).unlink()


def _wait_started(node: "subprocess.Popen[bytes]", *, log: Path) -> None:
    def started() -> bool:
        return STARTED in log.read_text(errors="replace") or node.poll() is not None

    try:
        clock.wait_until(
            started, deadline_s=START_DEADLINE_S, describe="a single Kafka node", poll_s=0.1
        )
    except LabError as error:
        raise ProvisionError(f"{error.message}:\n{_tail(log)}") from error
    if node.poll() is not None:
        raise ProvisionError(f"A single Kafka node ended at its start:\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-command.TAIL_LINES :])
