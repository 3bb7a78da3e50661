"""The budget: which faults may overlap, and what is still promised when more do. PURE.

`safe` means that at every moment the absence of ONE node explains everything that is broken between
nodes. With three replicas and min.insync.replicas=2 every partition then has two replicas in sync
and the quorum its majority, so writes go on during the fault, not only after it: that is why
liveness is asked within `safe`, and only there. "Node 3 is dead while 1 cannot fetch from 2" is
over: what 2 leads has one replica in sync, nothing is lost, and nothing is written.

A topic that is deleted is over by itself, and nothing is promised: it is no failure of nodes.

A lost disk is alone: no other fault of nodes, of links between them or of replicas may stand
anywhere in its schedule, overlapping or not, because whoever is elected may be who forgot. Faults
of roles, of the database and of client links hold no replica and change no election: they may
overlap with everything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.schedule.operations import RecreateTopic
from harness.schedule.overlap import may_overlap
from harness.schedule.reach import Reach, reach
from harness.schedule.values import Budget, Fault, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What is asked of a safe pipeline under one schedule."""

    safety: bool
    """No committed message is lost, doubled, or made up."""
    liveness: bool
    """Everything is drained by the deadline."""
    why: str


def problems(schedule: Schedule) -> list[str]:
    """Return one sentence for each reason why a schedule is beyond its own budget."""
    return [] if schedule.budget == "over" else list(_beyond_safe(schedule.faults))


def needed(faults: Sequence[Fault]) -> Budget:
    """Return the smallest budget that these faults are within."""
    return "over" if any(_beyond_safe(faults)) else "safe"


def hopeless(faults: Sequence[Fault]) -> bool:
    """Tell whether nothing at all is promised: a disk is lost beside another fault of nodes.

    Or a topic is deleted, with all its replicas.
    """
    return any(_lost_disks(faults)) or any(_deletions(faults))


def stated_promise(schedule: Schedule) -> Promise:
    """Return what still holds under the schedule, by what its faults do and the budget it states.

    Nodes that are merely away, all of them included, keep their logs: what was acknowledged by two
    replicas comes back with them. A disk lost beside another fault may have held the last copy.
    """
    if any(_deletions(schedule.faults)):
        why = "a topic is deleted, with whatever it held"
        return Promise(safety=False, liveness=False, why=why)
    if hopeless(schedule.faults):
        why = "a disk is lost beside another one, or another fault: the last copy may be gone"
        return Promise(safety=False, liveness=False, why=why)
    if schedule.budget == "over":
        why = "more than one node may be away: what was acknowledged is kept, progress may stop"
        return Promise(safety=True, liveness=False, why=why)
    return Promise(safety=True, liveness=True, why="one node is away at the most")


def _beyond_safe(faults: Sequence[Fault]) -> Iterator[str]:
    yield from _deletions(faults)
    yield from _lost_disks(faults)
    reached = [(place, found) for place, found in _reaches(faults) if not found.loses_disk]
    for place, found in reached:
        if not found.explained_by:
            yield f"{_called(faults, place)} takes more than one node away by itself"
    alone = [(place, found) for place, found in reached if found.explained_by]
    pairs = [pair for pair in combinations(alone, 2) if _clash(faults, pair)]
    for (one, _), (other, _) in pairs:
        yield (
            f"{_called(faults, one)} and {_called(faults, other)} may leave two nodes away at once"
        )
    # Each explained by two nodes at the most, so pairs and triples show every group that is not.
    for group in combinations(alone, 3):
        if _clash(faults, group) and not any(pair in pairs for pair in combinations(group, 2)):
            named = [_called(faults, place) for place, _ in group]
            yield f"{', '.join(named)}: no single node explains all three, and they may overlap"


def _clash(faults: Sequence[Fault], group: Sequence[tuple[int, Reach]]) -> bool:
    """Tell whether no one node explains all of them though all may be in force at once."""
    if frozenset.intersection(*(found.explained_by for _, found in group)):
        return False
    return all(may_overlap(faults, one, other) for (one, _), (other, _) in combinations(group, 2))


def _deletions(faults: Sequence[Fault]) -> Iterator[str]:
    for place, fault in enumerate(faults):
        if isinstance(fault, RecreateTopic):
            yield f"{_called(faults, place)} deletes whatever the topic holds"


def _lost_disks(faults: Sequence[Fault]) -> Iterator[str]:
    reached = list(_reaches(faults))
    for place, found in reached:
        if found.loses_disk and not found.explained_by:
            yield f"{_called(faults, place)} loses more than one disk"
    for one, other in combinations(reached, 2):
        if one[1].loses_disk or other[1].loses_disk:
            lost, beside = (one, other) if one[1].loses_disk else (other, one)
            yield (
                f"{_called(faults, lost[0])} loses a disk, and "
                f"{_called(faults, beside[0])} is in the same schedule"
            )


def _reaches(faults: Sequence[Fault]) -> Iterator[tuple[int, Reach]]:
    for place in range(len(faults)):
        found = reach(faults, place)
        if found is not None:
            yield place, found


def _called(faults: Sequence[Fault], place: int) -> str:
    return f"fault {place} ({faults[place]})"
