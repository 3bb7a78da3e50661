"""The processes of the pipeline that a fault is aimed at, and what they tell of their work."""

import re

from harness.faults.driver import Surroundings
from harness.faults.resolve import FaultError, require_instance
from harness.pipeline.supervisor import Supervisor
from harness.schedule.targets import Instance, Role

Who = tuple[str, int]
_ASSIGNED = re.compile(rb'"event"\s*:\s*"assigned"')
_REVOKED = re.compile(rb'"event"\s*:\s*"revoked"')


def instances_of(target: Instance | Role, around: Surroundings) -> tuple[Who, ...]:
    """Return the processes that a target stands for now, those that were added included.

    FaultError when there is none.
    """
    if isinstance(target, Instance):
        return (require_instance(target, around),)
    who = tuple((target.role, number) for number in around.supervisor.wanted(target.role))
    if not who:
        raise FaultError(f"there was no process of {target.role} when its fault was due")
    return who


def running(who: tuple[Who, ...], around: Surroundings, *, due: str) -> tuple[Who, ...]:
    """Return those that run; FaultError when none does and its `due` fault would meet nobody."""
    found = tuple(one for one in who if around.supervisor.pid(*one) is not None)
    if not found:
        raise FaultError(f"{named(who)} was not running when its {due} was due")
    return found


def are_back(who: tuple[Who, ...], supervisor: Supervisor) -> bool:
    """Tell whether each runs again, but for those that another fault holds down, or has let go."""
    return all(
        supervisor.pid(*one) is not None
        or supervisor.held(*one)
        or one[1] not in supervisor.wanted(one[0])
        for one in who
    )


def named(who: tuple[Who, ...]) -> str:
    """Say who: `consumer 0 and consumer 1`."""
    return " and ".join(f"{role} {number}" for role, number in who) or "nobody"


def resolution(who: tuple[Who, ...]) -> dict[str, object]:
    """Return what a target turned out to be, for the timeline."""
    if len(who) == 1:
        return {"role": who[0][0], "instance": who[0][1]}
    return {"role": who[0][0] if who else None, "instances": [number for _, number in who]}


def passed(counters: dict[str, int]) -> str:
    """Say what an instance has counted so far."""
    said = ", ".join(f"{name} {count}" for name, count in sorted(counters.items()) if count)
    return said or "nothing that it counts"


class Rebalances:
    """What the journals of a role tell of assignments since a moment."""

    def __init__(self, role: str, supervisor: Supervisor) -> None:
        """Remember how long the journals are now: what follows is new."""
        self._role = role
        self._supervisor = supervisor
        self._before = {number: self._size(number) for number in self._numbers()}

    def sentences(self) -> tuple[str, ...]:
        """Say how often partitions were assigned and revoked; nothing where nobody journals it."""
        added = b"".join(self._added(number) for number in self._numbers())
        assigned, revoked = len(_ASSIGNED.findall(added)), len(_REVOKED.findall(added))
        if not assigned + revoked:
            return ()
        return (f"{self._role}s were assigned partitions {assigned} times, revoked {revoked}",)

    def _numbers(self) -> list[int]:
        """Return every instance that is or was there, those that left again too."""
        return [number for role, number in self._supervisor.instances() if role == self._role]

    def _size(self, number: int) -> int:
        path = self._supervisor.journal(self._role, number)
        return path.stat().st_size if path.exists() else 0

    def _added(self, number: int) -> bytes:
        path = self._supervisor.journal(self._role, number)
        if not path.exists():
            return b""
        with path.open("rb") as journal:
            journal.seek(self._before.get(number, 0))
            return journal.read()
