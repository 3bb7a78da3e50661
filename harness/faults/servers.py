"""A server beside the nodes taken out of service and put back: the database, a lock service."""

from collections.abc import Callable

from harness.faults.driver import Evidence
from harness.faults.outages import How, outage, take_all
from harness.lab.protocol import Process


class ServerOutage:
    """One server killed, stopped or paused; it bit if a client of the pipeline felt it."""

    def __init__(
        self,
        how: How,
        server: Process,
        *,
        called: str,
        resolved: dict[str, object],
        clients: Callable[[], int | None],
        clients_called: str,
    ) -> None:
        """`clients` counts those of the pipeline that are connected; asked while it still runs.

        None: they cannot be counted now, so nobody is known to feel it.
        """
        self.what = f"{how} {called}"
        self.resolved = resolved
        self._how = how
        self._server = server
        self._outage = outage(how, server)
        self._clients = clients
        self._clients_called = clients_called
        self._felt: int | None = 0

    def apply(self) -> None:
        """Count who will feel it, then take it out."""
        if self._server.pid() is not None:
            self._felt = self._clients()
        take_all([self._outage])

    def held(self) -> bool:
        """Tell whether the server is out."""
        return self._outage.taken()

    def heal(self) -> None:
        """Put it back."""
        self._outage.give_back()

    def healed(self) -> bool:
        """Tell whether it serves again."""
        return self._server.serves()

    def evidence(self) -> Evidence:
        """Return what shows that it was out, and how many felt it."""
        shown, whose = self._outage.shown(), f"{self._clients_called} of the pipeline"
        felt = "hung while it was stopped" if self._how == "pause" else "ended with it"
        if self._felt is None:
            said = f"the {whose} could not be counted before it: the server answered nobody"
        else:
            said = f"{self._felt} {whose} {felt}"
        return Evidence(bit=shown.bit and bool(self._felt), sentences=(*shown.sentences, said))
