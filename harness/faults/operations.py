"""What an operator does on a good day: leaders moved, replicas reassigned, partitions added.

Kafka answers such a request before it has happened: each driver asks, and goes on asking while
Kafka cannot, until the cluster's own metadata shows the change.
"""

from collections.abc import Callable, Sequence

from harness.clock import Deadline, monotonic_s, now_us
from harness.errors import LabError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.evidence import partition_sentences
from harness.faults.resolve import FaultError, UnplayableError, partition_state
from harness.lab.values import OperationRefusedError, PartitionState

DONE_S = 30.0
UNDONE_S = 120.0
"""Longer than anybody waits for a fault to be healed, so that nobody else gives up first."""
NOTICED_S = 10.0
ASK_EVERY_S = 0.5
LOOK_EVERY_S = 0.05


class Asking:
    """Asks for something again and again, until it is seen to be so; never in a burst.

    UnplayableError when Kafka refuses it for good.
    """

    def __init__(
        self, ask: Callable[[], None], *, done: Callable[[], bool], deadline_s: float = DONE_S
    ) -> None:
        self.seen = False
        self._ask = ask
        self._done = done
        self._by = Deadline(deadline_s)
        self._asked = False
        self._next_ask_s = 0.0
        self._next_look_s = 0.0
        self._last = "nothing was refused"

    def step(self) -> bool:
        """Look, and ask if it is time to; return whether it is done. LabError when time is up.

        What was so before the first time it was asked for does not count; it is asked for once
        even if this process slept through all its time.
        """
        now_s = monotonic_s()
        if not self.seen and self._asked and now_s >= self._next_look_s:
            self._next_look_s = now_s + LOOK_EVERY_S
            self.seen = self._done()
        if self.seen or now_s < self._next_ask_s:
            return self.seen
        if self._asked and self._by.passed():
            raise LabError(
                f"the operation was not done within {self._by.seconds:g} s; {self._last}"
            )
        self._next_ask_s = now_s + ASK_EVERY_S
        self._asked = True
        try:
            self._ask()
        except OperationRefusedError as error:
            raise UnplayableError(error.message, remedy="correct the schedule") from error
        except LabError as error:
            self._last = f"the last answer was: {error.message}"
        return False


class MovedLeader:
    """An in-sync follower made the preferred leader, and elected: the old leader stays in sync."""

    def __init__(self, topic: str, partition: int, *, around: Surroundings) -> None:
        """FaultError when there is no follower in sync to hand leadership to."""
        around.watch.refresh()
        before = partition_state(topic, partition, around)
        followers = [node for node in before.replicas if node in set(before.isr) - {before.leader}]
        if before.leader < 0 or not followers:
            raise FaultError(f"{topic}/{partition} has no follower in sync to become its leader")
        self._to = followers[0]
        self.what = f"move the leader of {topic}/{partition} from {before.leader} to {self._to}"
        self.resolved: dict[str, object] = {"node": before.leader, "to": self._to}
        self._before = before
        self._around = around
        self._since_us = 0
        others = [node for node in before.replicas if node != self._to]
        self._asking = Asking(lambda: self._ask([self._to, *others]), done=self._moved)

    def apply(self) -> None:
        """Ask for the first time."""
        self._since_us = now_us()
        self._asking.step()

    def held(self) -> bool:
        """Tell whether it was asked for, which it was when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Ask again until the follower leads."""
        self._asking.step()

    def finished(self) -> bool:
        """Tell whether the follower was seen to lead."""
        return self._asking.seen

    def heal(self) -> None:
        """Do nothing: there is nothing to undo in a leader that moved."""

    def healed(self) -> bool:
        """Tell whether the partition has a leader and all its replicas in sync."""
        return whole([_now(self._before, self._around)])

    def evidence(self) -> Evidence:
        """Return how leader and epoch moved."""
        changes = partition_sentences(
            self._around.watch, place=_place(self._before), since_us=self._since_us
        )
        seen = "was seen to lead" if self._asking.seen else "was never seen to lead"
        return Evidence(
            bit=self._asking.seen and bool(changes),
            sentences=(f"node {self._to}, in sync before, {seen}", *changes),
        )

    def _ask(self, replicas: Sequence[int]) -> None:
        operator = self._around.lab.cluster.operator
        operator.reassign(self._before.topic, self._before.partition, replicas=replicas)
        operator.elect_preferred(self._before.topic, self._before.partition)

    def _moved(self) -> bool:
        now = _now(self._before, self._around)
        return now.leader == self._to and now.leader_epoch > self._before.leader_epoch


class ReassignedReplica:
    """A follower taken out of a partition's replicas, and put back when it ends: a real copy."""

    def __init__(self, topic: str, partition: int, *, around: Surroundings) -> None:
        """FaultError when there is no follower to take away."""
        around.watch.refresh()
        before = partition_state(topic, partition, around)
        followers = [node for node in before.replicas if node != before.leader]
        if before.leader < 0 or not followers:
            raise FaultError(f"{topic}/{partition} has no follower whose replica could be moved")
        self._node = followers[-1]
        self.what = f"take the replica of {topic}/{partition} away from node {self._node}"
        self.resolved: dict[str, object] = {"node": self._node}
        self._before = before
        self._around = around
        self._since_us = 0
        self._asked_back_s = 0.0
        self._copied_s = 0.0
        rest = [node for node in before.replicas if node != self._node]
        self._away = self._asking(rest, deadline_s=DONE_S)
        self._back = self._asking(before.replicas, deadline_s=UNDONE_S)

    def apply(self) -> None:
        """Ask for the first time."""
        self._since_us = now_us()
        self._away.step()

    def held(self) -> bool:
        """Tell whether it was asked for, which it was when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Ask again until the replica is gone."""
        self._away.step()

    def finished(self) -> bool:
        """Tell whether the replica was seen to be gone."""
        return self._away.seen

    def heal(self) -> None:
        """Ask for the replica to come back: the node has to copy the whole log again."""
        self._asked_back_s = monotonic_s()
        self._back = self._asking(self._before.replicas, deadline_s=UNDONE_S)
        self._back.step()

    def healed(self) -> bool:
        """Tell whether the node is a replica again, and in sync."""
        if not self._back.step():
            return False
        self._copied_s = self._copied_s or monotonic_s() - self._asked_back_s
        return True

    def evidence(self) -> Evidence:
        """Return whether the replica was gone, how long its copy took, and what the cluster did."""
        changes = partition_sentences(
            self._around.watch, place=_place(self._before), since_us=self._since_us
        )
        said = [f"the replica on node {self._node} was {'' if self._away.seen else 'never '}gone"]
        if self._copied_s:
            said.append(f"it was copied and in sync {self._copied_s:.1f} s after it was asked back")
        return Evidence(bit=self._away.seen, sentences=(*said, *changes))

    def _asking(self, replicas: Sequence[int], *, deadline_s: float) -> Asking:
        place, operator = _place(self._before), self._around.lab.cluster.operator

        def done() -> bool:
            now = _now(self._before, self._around)
            return set(now.replicas) == set(now.isr) == set(replicas)

        return Asking(
            lambda: operator.reassign(*place, replicas=replicas), done=done, deadline_s=deadline_s
        )


class AddedPartitions:
    """More partitions for a topic; they stay. Over once the pipeline writes to them.

    Clients learn of them when they next ask for metadata: one that does not within `NOTICED_S` has
    met nothing, which is no bite.
    """

    def __init__(self, topic: str, add: int, *, around: Surroundings) -> None:
        around.watch.refresh()
        self._topic = around.topics.get(topic, topic)
        self._around = around
        self._before = len(self._states())
        self._count = self._before + add
        if not self._before:
            raise FaultError(f"{topic} has no partitions at this moment")
        self.what = f"give {topic} {self._count} partitions instead of {self._before}"
        self.resolved: dict[str, object] = {"topic": topic, "partitions": self._count}
        operator = around.lab.cluster.operator
        self._asking = Asking(
            lambda: operator.add_partitions(self._topic, count=self._count),
            done=lambda: len(self._states()) >= self._count and whole(self._states()),
        )
        self._noticed_by = Deadline(DONE_S + NOTICED_S)
        self._next_look_s = 0.0
        self._records = 0

    def apply(self) -> None:
        """Ask for the first time."""
        self._asking.step()

    def held(self) -> bool:
        """Tell whether it was asked for, which it was when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Look until they are there and in full sync, then until something is in them."""
        if not self._asking.seen:
            if self._asking.step():
                self._noticed_by = Deadline(NOTICED_S)
        elif monotonic_s() >= self._next_look_s:
            self._next_look_s = monotonic_s() + LOOK_EVERY_S
            self._count_records()

    def finished(self) -> bool:
        """Tell whether the new partitions hold records, or nobody noticed them in time."""
        return self._asking.seen and (self._records > 0 or self._noticed_by.passed())

    def heal(self) -> None:
        """Do nothing: Kafka never takes partitions back."""

    def healed(self) -> bool:
        """Tell whether every partition of the topic has a leader and all its replicas in sync."""
        return whole(self._states())

    def evidence(self) -> Evidence:
        """Return the new partitions, who leads them, and how much was written to them."""
        new = self._new()
        self._count_records()
        leaders = [state.leader for state in new]
        return Evidence(
            bit=self._asking.seen and self._records > 0,
            sentences=(
                f"partitions {[each.partition for each in new]} were seen, led by {leaders}",
                f"{self._records} records were in them",
            ),
        )

    def _count_records(self) -> None:
        ends = self._around.lab.cluster.ends(_place(state) for state in self._new())
        self._records = max(self._records, sum(ends.values()))

    def _new(self) -> list[PartitionState]:
        return [state for state in self._states() if state.partition >= self._before]

    def _states(self) -> list[PartitionState]:
        return [each for each in self._around.watch.partitions() if each.topic == self._topic]


def whole(states: Sequence[PartitionState]) -> bool:
    """Tell whether each partition has a leader, and all its replicas in sync."""
    return all(state.leader >= 0 and set(state.isr) == set(state.replicas) for state in states)


def _now(before: PartitionState, around: Surroundings) -> PartitionState:
    return around.watch.state(*_place(before)) or before


def _place(state: PartitionState) -> tuple[str, int]:
    return state.topic, state.partition
