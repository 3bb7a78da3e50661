"""A process whose wall clock is wrong for one life."""

import json
from pathlib import Path

from harness.clock import Deadline, now_us
from harness.faults.driver import Evidence, Surroundings
from harness.faults.instances import Who, are_back, named, resolution, running
from harness.faults.roles import Ends
from harness.provision import skew

PATIENCE_S = 15.0
"""A process that shows no wrong clock within this after its start has none."""
_SLACK_S = 0.05


class SkewClock:
    """Restart a process in good order with its clock wrong, and with the right one on healing."""

    def __init__(self, one: Who, *, by_s: float, around: Surroundings) -> None:
        self.what = f"set the clock of {named((one,))} wrong by {by_s:+g} s"
        self.resolved = {**resolution((one,)), "by_s": by_s}
        self._one = one
        self._by_s = by_s
        self._around = around
        self._library = skew.provide().path
        self._wrong = _Life(one, library=self._library, around=around, owner=self)
        self._right = _Life(one, library=self._library, around=around, owner=self)
        self._bounds: tuple[float, float] | None = None
        self._loaded: int | None = None

    def apply(self) -> None:
        """Ask it to end; FaultError when it does not run."""
        running((self._one,), self._around, due="wrong clock")
        variables = skew.variables(self._library, by_s=self._by_s)
        self._around.supervisor.dress(*self._one, extra=variables)
        self._wrong.ask()

    def held(self) -> bool:
        """Tell whether its new life has shown a wrong clock, or shows none for too long."""
        if not self._wrong.begun():
            return False
        self._loaded = self._loaded or self._wrong.library_loaded()
        self._bounds = self._bounds or self._wrong.bounds_s()
        if self._wrong.journals():
            return self._bounds is not None or self._wrong.patience.passed()
        return self._loaded is not None or self._wrong.patience.passed()

    def heal(self) -> None:
        """Ask it to end once more."""
        self._around.supervisor.dress(*self._one, extra={})
        self._right.ask()

    def healed(self) -> bool:
        """Tell whether a life with the right clock has begun."""
        if not (self._right.begun() and are_back((self._one,), self._around.supervisor)):
            return False
        if not self._right.journals():
            return self._right.library_loaded() is None
        bounds = self._right.bounds_s()
        return bounds is not None and _within(0.0, bounds)

    def evidence(self) -> Evidence:
        """Return how wrong its clock was by its own journal; without one, that the library was in.

        A journal line is written between the start of its process and its being read, so its stamp
        bounds the error of the clock from both sides.
        """
        said = [
            f"the library for wrong clocks was loaded in process {self._loaded}"
            if self._loaded
            else "the library for wrong clocks was not loaded: is the program linked statically?"
        ]
        if self._bounds is None:
            return Evidence(
                bit=self._loaded is not None and not self._wrong.journals(), sentences=tuple(said)
            )
        low, high = self._bounds
        said.append(f"by its own journal its clock was wrong by {low:+.2f} to {high:+.2f} s")
        bit = _within(self._by_s, self._bounds) and not _within(0.0, self._bounds)
        return Evidence(bit=bit, sentences=tuple(said))


class _Life:
    """One life that begins after the last one was asked to end."""

    def __init__(self, one: Who, *, library: Path, around: Surroundings, owner: object) -> None:
        self._one = one
        self._owner = owner
        self._library = library
        self._around = around
        self._ends = Ends(around=around, owner=owner)
        self._journal_bytes = 0
        self._asked = False
        self._started_us = 0
        self.patience = Deadline(PATIENCE_S)

    def ask(self) -> None:
        """Ask the life before it to end, if there is one."""
        supervisor = self._around.supervisor
        if supervisor.pid(*self._one) is not None:
            self._asked = True
            self._ends.ask((self._one,))

    def begun(self) -> bool:
        """Tell whether it has been started, which is done as soon as the last one has ended."""
        if self._started_us:
            return True
        if self._asked and not self._ends.come():
            return False
        self._journal_bytes = len(self._journal())
        self._started_us = now_us()
        self._around.tell(self._around.supervisor.start(*self._one, owner=self._owner))
        self.patience = Deadline(PATIENCE_S)
        return True

    def journals(self) -> bool:
        """Tell whether the process before it wrote a journal: then this one will."""
        return self._journal_bytes > 0

    def bounds_s(self) -> tuple[float, float] | None:
        """Return the least and the most by which its clock can be wrong; None before its start."""
        for line in self._journal()[self._journal_bytes :].splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue  # not a whole line: torn by the last life, or still being written
            at_us = event.get("at_us") if isinstance(event, dict) else None
            if isinstance(at_us, int):
                return (at_us - now_us()) / 1e6, (at_us - self._started_us) / 1e6
        return None

    def library_loaded(self) -> int | None:
        """Return a process of it that has the library mapped, by the kernel's word."""
        pid = self._around.supervisor.pid(*self._one)
        try:
            maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return pid if str(self._library) in maps else None

    def _journal(self) -> bytes:
        path = self._around.supervisor.journal(*self._one)
        return path.read_bytes() if path.exists() else b""


def _within(value_s: float, bounds: tuple[float, float]) -> bool:
    low, high = bounds
    return low - _SLACK_S <= value_s <= high + _SLACK_S
