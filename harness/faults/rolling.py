"""Restarts that follow one another: every node in turn, or one node again while it recovers."""

from harness.clock import Deadline, monotonic_s, now_us
from harness.errors import LabError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import cluster_sentences, connections_met, node_links
from harness.faults.nodes import back_in_sync
from harness.faults.outages import How, Killing, Outage, outage, take_all

BACK_S = 60.0
LOOK_EVERY_S = 0.1
RECOVERY_BEGINS = "since no clean shutdown file was found"
RECOVERY_ENDS = "Kafka Server started"
_LOG_LINES = 4000


class RestartOfAll:
    """Every node restarted, the next one once the last one is back in every ISR it belongs to."""

    def __init__(self, how: How, *, around: Surroundings) -> None:
        self.what = f"restart all nodes one after the other ({how})"
        self.resolved: dict[str, object] = {"nodes": sorted(around.lab.nodes)}
        self._around = around
        self._how = how
        self._left = sorted(around.lab.nodes)
        self._outages: dict[int, Outage] = {}
        self._met: dict[int, int] = {}
        self._began_s: dict[int, float] = {}
        self._took_s: dict[int, float] = {}
        self._away = False
        self._by = Deadline(BACK_S)
        self._next_look_s = 0.0
        self._since_us = 0

    def apply(self) -> None:
        """Take the first node out."""
        self._since_us = now_us()
        self._take_next()

    def held(self) -> bool:
        """Tell whether it has begun, which it has when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Start the node that is gone, or take the next one out once the last one is back."""
        if self.finished() or monotonic_s() < self._next_look_s:
            return
        self._next_look_s = monotonic_s() + LOOK_EVERY_S
        node = max(self._outages)
        if self._away:
            if self._outages[node].taken():
                self._outages[node].give_back()
                self._away = False
        elif back_in_sync([node], self._around):
            self._took_s[node] = monotonic_s() - self._began_s[node]
            if self._left:
                self._take_next()
            return
        if self._by.passed():
            raise LabError(f"node {node} was not back in every ISR {BACK_S:g} s after its restart")

    def finished(self) -> bool:
        """Tell whether every node has been restarted and is back."""
        return len(self._took_s) == len(self._around.lab.nodes)

    def heal(self) -> None:
        """Put back the node that is out, if the storm was given up in the middle."""
        if self._away and self._outages:
            self._outages[max(self._outages)].give_back()

    def healed(self) -> bool:
        """Tell whether every node is in every ISR it belongs to."""
        return back_in_sync(self._around.lab.nodes, self._around)

    def evidence(self) -> Evidence:
        """Return how each node ended and how long it was away, and what the cluster did."""
        said: list[str] = []
        shown = {node: each.shown() for node, each in self._outages.items()}
        for node, evidence in shown.items():
            took = f"{self._took_s[node]:.1f} s" if node in self._took_s else "never"
            said += [*evidence.sentences, f"it was back in every ISR after {took}"]
            said += cluster_sentences(self._around.watch, node=node, since_us=self._since_us)
        if not self.finished():
            left = sorted({*self._left, *(self._outages.keys() - self._took_s.keys())})
            nodes = " and ".join(map(str, left))
            said.append(f"it was given up before node {nodes} had been restarted and was back")
        all_bit = all(each.bit for each in shown.values()) and all(self._met.values())
        return Evidence(bit=self.finished() and all_bit, sentences=tuple(said))

    def _take_next(self) -> None:
        """Take the next node out; FaultError, and nothing is changed, when another fault did."""
        node, lab = self._left[0], self._around.lab
        taking = outage(self._how, lab.nodes[node])
        met, began_s = connections_met(lab, node_links(lab, node)), monotonic_s()
        take_all([taking])
        self._left.remove(node)
        self._outages[node], self._met[node], self._began_s[node] = taking, met, began_s
        self._by = Deadline(BACK_S)
        self._away = True


class KillWhileRecovering:
    """SIGKILL a node, start it, and SIGKILL it again while it reads its logs back."""

    def __init__(self, node: int, *, times: int, around: Surroundings) -> None:
        self.what = f"kill node {node} and again {times} time(s) while it recovers"
        self.resolved: dict[str, object] = {"node": node}
        self._node = node
        self._times = times
        self._around = around
        self._process = around.lab.nodes[node]
        self._first = Killing(self._process)
        self._seen_before = ""
        self._inside: list[bool] = []
        """For each further death, whether the node was recovering."""
        self._met = 0
        self._by = Deadline(BACK_S)
        self._since_us = 0

    def apply(self) -> None:
        """Kill it for the first time; FaultError when it is not running."""
        self._since_us = now_us()
        lab = self._around.lab
        self._met = connections_met(lab, node_links(lab, self._node))
        take_all([self._first])

    def held(self) -> bool:
        """Tell whether it has died as often as it should: the end is counted from there."""
        if len(self._inside) < self._times:
            self._step()
        return len(self._inside) >= self._times

    def heal(self) -> None:
        """Start it, this time for good."""
        self._first.give_back()

    def healed(self) -> bool:
        """Tell whether it is back in every ISR it belongs to."""
        return back_in_sync([self._node], self._around)

    def evidence(self) -> Evidence:
        """Return how it died, and whether its own log says that it was recovering."""
        shown = self._first.shown()
        deaths = tuple(
            f"death {number}: its log said that it was reading its logs back"
            if inside
            else f"death {number}: it was not seen to be recovering"
            for number, inside in enumerate(self._inside, start=2)
        )
        changes = cluster_sentences(self._around.watch, node=self._node, since_us=self._since_us)
        bit = shown.bit and self._met > 0 and len(self._inside) == self._times
        return Evidence(
            bit=bit and all(self._inside), sentences=(*shown.sentences, *deaths, *changes)
        )

    def _step(self) -> None:
        """Start it, or kill it as soon as its log says that it recovers (or has recovered)."""
        if self._process.pid() is None:
            self._seen_before = self._process.log_tail(1)
            self._process.start()
            self._by = Deadline(BACK_S)
            return
        said = self._process.log_tail(_LOG_LINES)
        if self._seen_before:
            said = said.rpartition(self._seen_before)[2]
        late = RECOVERY_ENDS in said or self._by.passed()
        if RECOVERY_BEGINS in said or late:
            self._process.kill()
            self._inside.append(not late)
