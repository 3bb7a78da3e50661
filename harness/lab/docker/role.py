"""A role of a pipeline as a container that shares the network of the lab's proxies.

So it finds every link at the address that a role on this machine has for it, on 127.0.0.1.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from docker.errors import APIError, NotFound
from testcontainers.core.docker_client import DockerClient

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.docker import marks
from harness.lab.docker.container import GONE_S, STATE_S, as_status
from harness.lab.docker.engine import CLIENT, TROUBLE, account, told
from harness.lab.docker.traffic import copy_log
from harness.role_life import ContainerOrder

if TYPE_CHECKING:
    from docker.models.containers import Container

SHARES = 512
"""Half of the processor time that a server may claim where it is short; see `COURTESY`."""


def start(order: ContainerOrder, *, lab: str, proxies: "Container") -> "RoleContainer":
    """Start a role of a lab; LabError if the engine does not. No image is ever pulled."""
    with told(f"start {order.name} from {order.image}"):
        container = DockerClient(**CLIENT).client.containers.create(
            order.image,
            # A list without words would take the image's own away.
            command=list(order.command) or None,
            environment=dict(order.environment),
            labels=marks.of_lab(lab),
            volumes={str(each): {"bind": str(each), "mode": "rw,z"} for each in order.folders},
            network_mode=f"container:{proxies.id}",
            user=account(),
            # A role that ends itself at a crash point could not, were it the first of its kind.
            init=True,
            cpu_shares=SHARES,
        )
        container.start()
        return RoleContainer(container, name=order.name, output=order.output)


class RoleContainer:
    """`RoleLife` over a container that is made for one life."""

    def __init__(self, container: "Container", *, name: str, output: Path) -> None:
        """Take over a container that was just started."""
        self._container = container
        self._name = name
        self._output = output
        self._code: int | None = None
        self._lost: LabError | None = None
        container.reload()
        self.pid = int(container.attrs["State"]["Pid"])
        self._watch = threading.Thread(target=self._follow, name=f"role-{name}", daemon=True)
        self._watch.start()

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by that signal), or None while it runs."""
        if self._lost is not None:
            raise self._lost
        return self._code

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal, which its first process hands on; that it is gone is no error."""
        with told(f"signal {self._name}"), _unless_it_ended():
            self._container.kill(signal=number.name)

    def kill(self) -> int:
        """SIGKILL what is left of it; return the exit code when the container is gone."""
        if self._watch.is_alive():
            self.signal_group(signal.SIGKILL)
            self._watch.join(GONE_S)
        with told(f"remove the container of {self._name}"), suppress(NotFound):
            self._container.remove(force=True, v=True)
        if self._container.client is not None:
            self._container.client.close()
        code = self.exit_code()
        if code is None:
            raise LabError(f"{self._name} did not end within {GONE_S:g} s of its SIGKILL")
        return code

    def pause(self) -> None:
        """Freeze all of it; return when the engine says so."""
        with told(f"pause {self._name}"), _unless_it_ended():
            self._container.pause()
            wait_until(
                lambda: self._is_paused() or self._code is not None,
                deadline_s=STATE_S,
                describe=f"the engine to say that {self._name} is paused",
            )

    def stopped(self) -> tuple[int, ...]:
        """Return its processes that are frozen, or stopped by the kernel's word."""
        with told(f"list the processes of {self._name}"), _unless_it_ended():
            paused = self._is_paused()
            rows = self._container.top(ps_args="-eo pid,stat")["Processes"] or ()
            return tuple(int(pid) for pid, state in rows if paused or state.startswith("T"))
        return ()

    def resume(self) -> None:
        """Let it go on, whether the engine froze it or it stopped by itself."""
        with told(f"continue {self._name}"), _unless_it_ended():
            if self._is_paused():
                self._container.unpause()
        self.signal_group(signal.SIGCONT)

    def _is_paused(self) -> bool:
        self._container.reload()
        return bool(self._container.attrs["State"]["Paused"])

    def _follow(self) -> None:
        """Write down what it prints until it ends, then how it ended."""
        try:
            copy_log(self._container, self._output)
            status = self._container.wait(timeout=None)
        except (*TROUBLE, OSError) as error:
            self._lost = LabError(f"The end of {self._name} was not seen: {error}")
        else:
            self._code = as_status(int(status["StatusCode"]))


@contextmanager
def _unless_it_ended() -> Iterator[None]:
    """Pass over the engine's word that the container does not run, or is not there any more."""
    try:
        yield
    except APIError as error:
        if error.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise
