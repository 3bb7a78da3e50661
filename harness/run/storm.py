"""The faults of one schedule, each led from its trigger through hold and heal to evidence."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from enum import Enum

from harness.clock import Deadline, monotonic_s
from harness.errors import HarnessError
from harness.faults.driver import AtCrashPoint, Driver, Evidence, Lasting
from harness.faults.resolve import FaultError, UnplayableError
from harness.run.events import Events
from harness.run.gauges import Tally
from harness.schedule.moments import (
    AfterCount,
    AfterSeconds,
    AtIsr,
    AtPoint,
    End,
    Trigger,
    WithFault,
)
from harness.schedule.values import Fault

VERIFY_EVERY_S = 0.1


class Phase(Enum):
    """Where one fault is in its life; the values are the timeline's words."""

    WAITING = "waiting"
    ASKED = "asked"
    HELD = "held"
    HEALED = "healed"
    VERIFIED = "verified"
    FAILED = "failed"
    UNASKED = "unasked"
    """Its trigger never came; the timeline has nothing of it, and the verdict says `never`."""


class _Player:
    """One fault of the storm."""

    def __init__(self, index: int, fault: Fault) -> None:
        self.index = index
        self.fault = fault
        self.phase = Phase.WAITING
        self.driver: Driver | None = None
        self.held_at_s = 0.0
        self.tally_at_hold: Tally | None = None
        self.loaded = False
        """Whether load was running when it began to act, took hold, or was about to end."""
        self.missed: str | None = None
        """Why it met less than it was meant to: that is no bite, whatever else was seen."""
        self.verify_by: Deadline | None = None
        self.next_verify_s = 0.0
        self.reached_s: dict[Phase, float] = {}

    def over(self) -> bool:
        return self.phase in (Phase.VERIFIED, Phase.FAILED, Phase.UNASKED)


class Storm:
    """Polled from the run's own thread; `tick` returns within about a second."""

    def __init__(
        self,
        faults: tuple[Fault, ...],
        *,
        make: Callable[[Fault], Driver],
        events: Events,
        tally: Callable[[], Tally],
        load_alive: Callable[[], bool],
        in_sync: Callable[[str, int], int],
        hit: dict[int, int],
        verify_s: float,
    ) -> None:
        """`make` resolves a fault's target at the moment it is due and returns its driver.

        `in_sync` tells how many in-sync replicas a partition has, by its logical topic name. The
        node that a fault hit is put into `hit`, by the fault's place. A healed fault has
        `verify_s` to be seen healed.
        """
        self._players = [_Player(index, fault) for index, fault in enumerate(faults)]
        self._make = make
        self._events = events
        self._tally = tally
        self._load_alive = load_alive
        self._in_sync = in_sync
        self._began_s = 0.0
        self._hit = hit
        self._verify_s = verify_s

    def begin(self) -> None:
        """Start the storm's clock and arm what waits for a crash point."""
        self._began_s = monotonic_s()
        for player in self._players:
            if isinstance(player.fault.trigger, AtPoint):
                self._ask(player)

    def tick(self) -> None:
        """Move every fault on as far as it can go now.

        What goes wrong with one of them fails that one alone; UnplayableError for what can never
        be played.
        """
        for player in self._players:
            try:
                self._move(player)
            except HarnessError as error:
                self._stumble(player, error)

    def _move(self, player: _Player) -> None:
        if player.phase is Phase.WAITING and self._due(player):
            self._ask(player)
        if player.phase is Phase.WAITING and self._never(player.fault.trigger):
            player.phase = Phase.UNASKED
        if player.phase is Phase.ASKED and _driver(player).held():
            self._hold(player)
        if player.phase is Phase.HELD:
            self._keep(player)
        if player.phase is Phase.HEALED:
            self._verify(player)

    def _stumble(self, player: _Player, error: HarnessError) -> None:
        """Take an error of a fault's driver for what it says of this fault."""
        in_force = player.phase in (Phase.ASKED, Phase.HELD)
        if in_force and isinstance(error, UnplayableError):
            raise error
        if in_force and isinstance(error, FaultError):
            player.missed = error.message
            self._heal(player)
            return
        if in_force:
            with suppress(HarnessError):  # nothing of it may stay in force while others go on
                _driver(player).heal()
        self._fail(player, error.message)

    def over(self) -> bool:
        """Tell whether every fault has been verified healed, or has failed."""
        return all(player.over() for player in self._players)

    def abandon(self) -> None:
        """Undo what is still in force and give up what never came; the storm has lasted too long.

        A fault whose crash point was never passed is healed (disarmed) with the evidence that says
        so; one whose trigger never came stays unasked: both make the run vacuous.
        """
        for player in self._players:
            if player.phase in (Phase.ASKED, Phase.HELD):
                self._heal(player)
            elif player.phase is Phase.WAITING:
                player.phase = Phase.UNASKED

    def awaited_passes(self) -> tuple[int, ...] | None:
        """Return how often each crash point that is waited for was passed so far.

        None while no point is waited for, or anything else is still to come or to end: a fault
        that is in force, a time or a count that is not reached.
        """
        left = [player for player in self._players if not player.over()]
        armed = [player.driver for player in left if player.phase is Phase.ASKED]
        behind = [player for player in left if player.phase is Phase.WAITING]
        passes = tuple(driver.passed() for driver in armed if isinstance(driver, AtCrashPoint))
        only_points = (
            0 < len(passes) == len(armed)
            and len(armed) + len(behind) == len(left)
            and not any(self._comes_by_itself(player) for player in behind)
        )
        return passes if only_points else None

    def _comes_by_itself(self, player: _Player) -> bool:
        """Tell whether the trigger needs no other fault to move on, but for its seconds."""
        trigger = player.fault.trigger
        if not isinstance(trigger, WithFault):
            return True
        return Phase(trigger.state) in self._players[trigger.fault].reached_s

    def waiting_for(self) -> str:
        """Say in words what has not come to its end."""
        return "; ".join(
            f"{player.fault} is {player.phase.value} (starts after {player.fault.trigger})"
            for player in self._players
            if not player.over()
        )

    def _due(self, player: _Player) -> bool:
        trigger = player.fault.trigger
        if isinstance(trigger, AfterSeconds):
            return monotonic_s() - self._began_s >= trigger.seconds
        if isinstance(trigger, AfterCount):
            return _count(self._tally(), trigger) >= trigger.count
        if isinstance(trigger, WithFault):
            return self._come(trigger)
        if isinstance(trigger, AtIsr):
            return self._lacks(trigger)
        return False

    def _lacks(self, moment: AtIsr) -> bool:
        """Tell whether so few replicas are in sync; no while there is no such partition."""
        try:
            return self._in_sync(moment.topic, moment.partition) <= moment.at_most
        except FaultError:
            return False

    def _come(self, moment: WithFault) -> bool:
        """Tell whether another fault reached that state, so many seconds ago."""
        since_s = self._players[moment.fault].reached_s.get(Phase(moment.state))
        return since_s is not None and monotonic_s() - since_s >= moment.seconds

    def _never(self, moment: Trigger | End) -> bool:
        """Tell whether it waits for a state that another fault can no longer reach."""
        if not isinstance(moment, WithFault):
            return False
        other = self._players[moment.fault]
        return other.over() and Phase(moment.state) not in other.reached_s

    def _keep(self, player: _Player) -> None:
        """Do what a fault has to do while it is in force, and heal it once it may end."""
        driver = _driver(player)
        finished = True
        if isinstance(driver, Lasting):
            driver.pulse()
            finished = driver.finished()
        if finished and self._ended(player):
            self._heal(player)

    def _ask(self, player: _Player) -> None:
        try:
            player.driver = self._make(player.fault)
            if isinstance(node := player.driver.resolved.get("node"), int):
                self._hit[player.index] = node
            self._tell(
                player, Phase.ASKED, what=player.driver.what, resolved=dict(player.driver.resolved)
            )
            if not isinstance(player.fault.trigger, AtPoint):  # which acts later, when it is passed
                player.loaded = self._load_alive()
            player.driver.apply()
        except FaultError as error:
            # Its target was not there to be hit: the fault met nothing, which is not a failure.
            if player.driver is None:
                self._tell(player, Phase.ASKED, what=str(player.fault), resolved={})
            self._tell(player, Phase.HEALED, bit=False, evidence=[error.message])
            self._tell(player, Phase.VERIFIED)
        except UnplayableError:
            raise
        except HarnessError as error:
            self._fail(player, error.message)

    def _fail(self, player: _Player, why: str) -> None:
        what = str(player.fault) if player.driver is None else player.driver.what
        self._tell(player, Phase.FAILED, what=what, evidence=[why])

    def _hold(self, player: _Player) -> None:
        player.held_at_s = monotonic_s()
        player.tally_at_hold = self._tally()
        player.loaded = player.loaded or self._load_alive()
        self._tell(player, Phase.HELD, what=_driver(player).what)

    def _ended(self, player: _Player) -> bool:
        end = player.fault.end
        if isinstance(end, AfterSeconds):
            return monotonic_s() - player.held_at_s >= end.seconds
        if isinstance(end, WithFault):
            return self._come(end) or self._never(end)
        before = player.tally_at_hold
        return before is not None and _count(self._tally(), end) - _count(before, end) >= end.count

    def _heal(self, player: _Player) -> None:
        player.loaded = player.loaded or self._load_alive()
        try:
            _driver(player).heal()
            player.verify_by = Deadline(self._verify_s)
            self._tell_evidence(player, Phase.HEALED)
        except HarnessError as error:
            self._fail(player, error.message)

    def _weigh(self, player: _Player) -> Evidence:
        evidence = _driver(player).evidence()
        if player.missed is not None:
            said = (*evidence.sentences, player.missed)
            evidence = replace(evidence, bit=False, sentences=said)
        moved = (
            player.tally_at_hold is not None
            and self._tally().total() > player.tally_at_hold.total()
        )
        if player.loaded or moved:
            return evidence
        quiet = "no load was running when it was in force"
        return replace(evidence, bit=False, sentences=(*evidence.sentences, quiet))

    def _verify(self, player: _Player) -> None:
        if monotonic_s() < player.next_verify_s:
            return
        player.next_verify_s = monotonic_s() + VERIFY_EVERY_S
        if _driver(player).healed():
            self._tell_evidence(player, Phase.VERIFIED)  # the cluster answers with a delay
        elif player.verify_by is not None and player.verify_by.passed():
            self._fail(player, f"not verified healed within {self._verify_s:g} s")

    def _tell_evidence(self, player: _Player, phase: Phase) -> None:
        evidence = self._weigh(player)
        met = {link: asdict(met) for link, met in evidence.met.items()}
        self._tell(
            player,
            phase,
            what=_driver(player).what,
            bit=evidence.bit,
            evidence=list(evidence.sentences),
            **({"met": met} if met else {}),
        )

    def _tell(self, player: _Player, phase: Phase, **fields: object) -> None:
        player.phase = phase
        player.reached_s.setdefault(phase, monotonic_s())
        self._events.emit("fault", fault=player.index, state=phase.value, **fields)


def _driver(player: _Player) -> Driver:
    if player.driver is None:
        raise FaultError(f"{player.fault} has no driver yet")
    return player.driver


def _count(tally: Tally, moment: AfterCount) -> int:
    return tally.acked if moment.event == "acked" else tally.processed
