"""Faults of the lab's own servers: a node or the database killed, a node paused."""

import signal

import psycopg

from harness.clock import now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences, connections_met, node_links
from harness.faults.resolve import FaultError
from harness.lab.protocol import Process


class KillNode:
    """SIGKILL a node; start it again on healing; healed when it is back in every ISR it left."""

    def __init__(self, node: int, *, around: Surroundings) -> None:
        self.what = f"kill node {node}"
        self.resolved = {"node": node}
        self._node = node
        self._around = around
        self._process = around.lab.nodes[node]
        self._met = 0
        self._since_us = 0
        self._code: int | None = None

    def apply(self) -> None:
        """Kill it; FaultError when it is not running."""
        _require_running(self._process)
        self._since_us = now_us()
        self._met = connections_met(self._around.lab, node_links(self._around.lab, self._node))
        self._process.kill()
        self._code = self._process.exit_code()

    def held(self) -> bool:
        """Tell whether the process is gone."""
        return self._process.pid() is None

    def heal(self) -> None:
        """Start it again."""
        if self._process.pid() is None:
            self._process.start()

    def healed(self) -> bool:
        """Tell whether it serves again; the run waits for the full ISR of all in the end."""
        return self._process.serves()

    def evidence(self) -> Evidence:
        """Return its exit status, the connections it dropped, and what the cluster did."""
        changes = cluster_sentences(self._around.watch, node=self._node, since_us=self._since_us)
        return Evidence(
            bit=self._code == -signal.SIGKILL and self._met > 0,
            sentences=(
                f"node {self._node} ended with status {self._code}",
                f"{self._met} open connections were met by its death",
                *changes,
            ),
        )


class PauseNode:
    """SIGSTOP a node; SIGCONT on healing."""

    def __init__(self, node: int, *, around: Surroundings) -> None:
        self.what = f"pause node {node}"
        self.resolved = {"node": node}
        self._node = node
        self._around = around
        self._process = around.lab.nodes[node]
        self._pid: int | None = None
        self._met = 0
        self._since_us = 0

    def apply(self) -> None:
        """Stop it; FaultError when it is not running."""
        _require_running(self._process)
        self._since_us = now_us()
        self._met = connections_met(self._around.lab, node_links(self._around.lab, self._node))
        self._pid = self._process.pid()
        self._process.pause()

    def held(self) -> bool:
        """`apply` returned after the kernel said that it is stopped."""
        return True

    def heal(self) -> None:
        """Continue it, unless another fault ended it meanwhile."""
        if self._process.pid() == self._pid:
            self._process.resume()

    def healed(self) -> bool:
        """Tell whether it answers."""
        return self._process.serves()

    def evidence(self) -> Evidence:
        """Return the connections it left hanging, and what the cluster did."""
        changes = cluster_sentences(self._around.watch, node=self._node, since_us=self._since_us)
        met = f"{self._met} open connections hung while it was stopped"
        return Evidence(bit=self._met > 0, sentences=(met, *changes))


class KillDatabase:
    """SIGKILL the database server; start it again on healing: crash recovery included."""

    def __init__(self, *, around: Surroundings) -> None:
        self.what = "kill the database"
        self.resolved: dict[str, object] = {"database": True}
        self._around = around
        self._server = around.lab.database
        self._sessions = 0
        self._code: int | None = None

    def apply(self) -> None:
        """Count the pipeline's sessions, then kill it."""
        _require_running(self._server)
        self._sessions = self._count_sessions()
        self._server.kill()
        self._code = self._server.exit_code()

    def held(self) -> bool:
        """Tell whether the server is gone."""
        return self._server.pid() is None

    def heal(self) -> None:
        """Start it again."""
        if self._server.pid() is None:
            self._server.start()

    def healed(self) -> bool:
        """Tell whether it accepts queries again."""
        return self._server.serves()

    def evidence(self) -> Evidence:
        """Return its exit status and the sessions that died with it."""
        return Evidence(
            bit=self._code == -signal.SIGKILL and self._sessions > 0,
            sentences=(
                f"the database ended with status {self._code}",
                f"{self._sessions} sessions of the pipeline died with it",
            ),
        )

    def _count_sessions(self) -> int:
        with psycopg.connect(self._server.url("postgres"), connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND usename <> current_user"
            ).fetchone()
        return int(row[0]) if row else 0


def _require_running(process: Process) -> None:
    if process.pid() is None:
        raise FaultError(f"{process.name} was not running when its fault was due")
