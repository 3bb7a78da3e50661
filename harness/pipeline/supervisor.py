"""Keeps the processes of a pipeline running, and ends them when a fault or the run says so.

Polled, without threads: nothing happens between two calls. Tells what happened as values; whether
that is a verdict is the run's business.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Self

from harness.clock import Deadline, monotonic_s, wait_until
from harness.errors import UsageError
from harness.pipeline.counters import Counters
from harness.pipeline.placeholders import fill
from harness.pipeline.role_process import RoleProcess, tail
from harness.pipeline.role_state import SHORT_LIFE_S, RoleEvent, RoleState
from harness.pipeline.spec import LOCK_VARIABLES, Spec
from harness.role_life import ContainerOrder, RoleLife, StartContainer

Environment = Callable[[str, int], Mapping[str, str]]
_NOT_INHERITED = (
    "HARNESS_",
    "KAFKA_",
    "TOPIC_",
    "WORKLOAD_",
    "DATABASE_URL",
    *LOCK_VARIABLES.values(),
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGAPPNAME",
)


class Supervisor:
    """Every role instance of one run. Use as a context manager: leaving it ends all of them."""

    def __init__(
        self,
        spec: Spec,
        *,
        environment: Environment,
        run_folder: Path,
        start_container: StartContainer,
    ) -> None:
        """Make the files of every instance and start none.

        `environment(role, instance)` gives what ARCHITECTURE promises a role; PYTHON and HARNESS_*
        are added here. `start_container` starts those that have an image.
        """
        self._spec = spec
        self._environment = environment
        self._folder = run_folder.absolute()
        self._start_container = start_container
        for folder in ("journal", "stderr"):
            (run_folder / folder).mkdir(parents=True, exist_ok=True)
        self._states = {one: self._new_state(*one) for one in spec.instances()}

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        self.close()

    def _new_state(self, role: str, instance: int) -> RoleState:
        name = f"{role}-{instance}"
        return RoleState(
            role=role,
            instance=instance,
            counters=Counters(self._folder / "counters" / f"{name}.bin"),
            output=self._folder / "stderr" / f"{name}.log",
        )

    # --- what is known ---------------------------------------------------------------------------

    def instances(self) -> tuple[tuple[str, int], ...]:
        """Return every (role, instance) that is or was supervised, those that were added too."""
        return tuple(self._states)

    def wanted(self, role: str) -> tuple[int, ...]:
        """Return the instances of a role that are meant to be there now, lowest number first."""
        return tuple(n for (name, n), s in self._states.items() if name == role and not s.retired)

    def counters(self, role: str, instance: int = 0) -> Counters:
        """Return the counters of an instance: to read, or to arm a crash point."""
        return self._state(role, instance).counters

    def totals(self) -> dict[str, int]:
        """Return every counter summed over all instances."""
        totals: dict[str, int] = {}
        for state in self._states.values():
            for name, passes in state.counters.read().items():
                totals[name] = totals.get(name, 0) + passes
        return totals

    def pid(self, role: str, instance: int = 0) -> int | None:
        """Return its process id, or None when it does not run."""
        state = self._state(role, instance)
        return state.process.pid if state.process is not None and state.runs() else None

    def stopped(self, role: str, instance: int = 0) -> tuple[int, ...]:
        """Return which processes of its group are stopped, by the kernel's word."""
        process = self._state(role, instance).process
        return () if process is None else process.stopped()

    def exit_codes(self, role: str, instance: int = 0) -> tuple[int, ...]:
        """Return how each of its lives ended, as far as `poll` has told."""
        return tuple(self._state(role, instance).codes)

    def ended_at(self, role: str, instance: int, *, point: str) -> int | None:
        """Return how the life ended that a crash point ended last, None if none of them did."""
        return self._state(role, instance).ended_at.get(point)

    def held(self, role: str, instance: int = 0) -> bool:
        """Tell whether a fault decides when it starts again."""
        return bool(self._state(role, instance).held_by)

    def journal(self, role: str, instance: int = 0) -> Path:
        """Return where its journal is, if it writes one."""
        return self._folder / "journal" / f"{role}-{instance}.jsonl"

    def output(self, role: str, instance: int = 0, *, lines: int = 20) -> str:
        """Return the last lines that it printed."""
        return tail(self._state(role, instance).output, lines=lines)

    def missing(self) -> tuple[tuple[str, int], ...]:
        """Return the services that should run and do not, or are paused.

        One that ended by itself, and is not restarted by its specification, should not.
        """
        return tuple(
            one
            for one, state in self._states.items()
            if self._spec.kind(state.role) == "service"
            and not (state.retired or state.gave_up)
            and (not state.runs() or state.paused)
        )

    def load_to_come(self) -> bool:
        """Tell whether a process that makes load runs or will again, or none was ever meant to."""
        load = self._of_kind("load")
        return not load or any(state.to_come() for state in load)

    # --- what can be done ------------------------------------------------------------------------

    def start_all(self, *, kind: str | None = None) -> tuple[RoleEvent, ...]:
        """Start every instance (of one kind: `service` or `load`) that does not run."""
        chosen = (s for s in self._states.values() if kind in (None, self._spec.kind(s.role)))
        return tuple(self._start(s) for s in chosen if s.process is None and not s.retired)

    def start(self, role: str, instance: int = 0, *, owner: object = None) -> tuple[RoleEvent, ...]:
        """Let go of an instance for `owner`, and start it, and let it be restarted again.

        Nothing is started if it runs or retired, or while another owner holds it down.
        """
        state = self._state(role, instance)
        state.held_by.discard(owner)
        state.awaited -= {owner}
        idle = state.process is None and not state.retired and not state.held_by
        return (self._start(state),) if idle else ()

    def add(self, role: str) -> tuple[int, tuple[RoleEvent, ...]]:
        """Start one more instance of a role; return its number, the lowest that is free."""
        number = next(n for n in count() if n not in self.wanted(role))
        one = (role, number)
        if one not in self._states:
            self._states[one] = self._new_state(*one)
        state = self._states[one]
        state.retired = state.stopping = False
        state.held_by.clear()
        return number, self.start(role, number)

    def retire(self, role: str, instance: int) -> None:
        """End an instance in good order, as `terminate`, and need it no more."""
        self._state(role, instance).retired = True
        self.terminate(role, instance)

    def dress(self, role: str, instance: int = 0, *, extra: Mapping[str, str]) -> None:
        """Put variables on top of the environment of its next lives, in place of earlier ones."""
        self._state(role, instance).extra = dict(extra)

    def terminate(self, role: str, instance: int = 0, *, owner: object = None) -> None:
        """SIGTERM its process group and hold it down; `poll` SIGKILLs it after its grace."""
        self.hold_down(role, instance, owner=owner)
        state = self._state(role, instance)
        if state.process is not None and state.runs():
            state.kill_by_s = monotonic_s() + self._grace_s(state, None)
            state.process.signal_group(signal.SIGTERM)

    def hold_down(self, role: str, instance: int = 0, *, owner: object = None) -> None:
        """Do not start this instance again, however it ends, until `owner` calls `start`."""
        state = self._state(role, instance)
        state.held_by.add(owner)
        state.due_s = None

    def hold_at(self, role: str, instance: int, *, point: str) -> None:
        """Hold an instance down once a crash point ends it; the owner is the point, by its name."""
        state = self._state(role, instance)
        state.awaited.add(point)
        state.ended_at.pop(point, None)

    def kill(self, role: str, instance: int = 0) -> tuple[RoleEvent, ...]:
        """SIGKILL its whole process group; returns when all of it is gone."""
        state = self._state(role, instance)
        if state.process is None:
            return ()
        alive = state.runs()
        state.process.kill()
        return self._exited(state, asked=alive)

    def pause(self, role: str, instance: int = 0) -> bool:
        """SIGSTOP its process group; returns when it is stopped, or False if it does not run."""
        state = self._state(role, instance)
        if state.process is None or not state.runs():
            return False
        state.process.pause()
        state.paused = True
        return True

    def resume(self, role: str, instance: int = 0) -> None:
        """SIGCONT its process group; nothing if it is gone."""
        state = self._state(role, instance)
        state.paused = False
        if state.process is not None:
            state.process.resume()

    def poll(self, now_s: float | None = None) -> tuple[RoleEvent, ...]:
        """Notice exits and do the restarts that are due (`now_s`: monotonic seconds)."""
        now = monotonic_s() if now_s is None else now_s
        events: list[RoleEvent] = []
        for state in self._states.values():
            late = state.kill_by_s is not None and state.kill_by_s <= now
            if state.process is not None and (late or not state.runs()):
                events += self._exited(state, asked=state.stopping, now_s=now)
            if state.process is None and state.due_s is not None and state.due_s <= now:
                events.append(self._start(state))
        return tuple(events)

    def stop_load(self, *, deadline_s: float | None = None) -> tuple[RoleEvent, ...]:
        """End the load roles with SIGTERM, after their grace with SIGKILL."""
        return self._stop(self._of_kind("load"), deadline_s)

    def stop_all(self, *, deadline_s: float | None = None) -> tuple[RoleEvent, ...]:
        """End every role, the load first; returns when every process group is gone."""
        stopped = self._stop(self._of_kind("load"), deadline_s)
        return (*stopped, *self._stop(self._of_kind("service"), deadline_s))

    def close(self) -> None:
        """SIGKILL whatever is left and close the counters; safe to call twice."""
        with ExitStack() as every_one_even_if_another_fails:
            for state in self._states.values():
                every_one_even_if_another_fails.callback(state.end)

    # --- how -------------------------------------------------------------------------------------

    def _state(self, role: str, instance: int) -> RoleState:
        state = self._states.get((role, instance))
        if state is None:
            names = ", ".join(f"{role} {number}" for role, number in self._states)
            raise UsageError(
                f"This pipeline has no {role} {instance}", remedy=f"its instances are: {names}"
            )
        return state

    def _of_kind(self, kind: str) -> list[RoleState]:
        return [state for state in self._states.values() if self._spec.kind(state.role) == kind]

    def _start(self, state: RoleState) -> RoleEvent:
        state.process = self._begin(state)
        state.started_s, state.due_s, state.kill_by_s = monotonic_s(), None, None
        state.stopping = state.paused = state.gave_up = False
        return RoleEvent(
            role=state.role, instance=state.instance, state="started", pid=state.process.pid
        )

    def _begin(self, state: RoleState) -> RoleLife:
        role, environment = self._spec.roles[state.role], self._variables(state)
        where = f"roles.{state.role}.command"
        command = tuple(fill(part, values=environment, where=where) for part in role.command)
        if role.image is None:
            return RoleProcess(
                command,
                cwd=self._spec.role_folder(state.role),
                environment=_inherited() | environment,
                output=state.output,
            )
        order = ContainerOrder(
            name=f"{state.role} {state.instance}",
            image=role.image,
            command=command,
            environment=environment,
            folders=(self._folder / "journal", self._folder / "counters"),
            output=state.output,
        )
        return self._start_container(order)

    def _variables(self, state: RoleState) -> dict[str, str]:
        """Return what this instance is given: the harness's variables, then its own `env`."""
        role, name = self._spec.roles[state.role], f"{state.role}-{state.instance}"
        given = {
            "PYTHON": sys.executable if role.image is None else "python3",
            "HARNESS_ROLE": state.role,
            "HARNESS_INSTANCE": str(state.instance),
            "HARNESS_INSTANCES": str(role.instances),
            "HARNESS_JOURNAL": str(self._folder / "journal" / f"{name}.jsonl"),
            "HARNESS_COUNTERS": str(state.counters.path),
            **self._environment(state.role, state.instance),
        }
        own = {
            key: fill(value, values=given, where=f"roles.{state.role}.env.{key}")
            for key, value in role.env.items()
        }
        return given | own | dict(state.extra)

    def _exited(
        self, state: RoleState, *, asked: bool, now_s: float | None = None
    ) -> tuple[RoleEvent, ...]:
        """Clear up after a life that ended, decide about the next one, and tell."""
        now = monotonic_s() if now_s is None else now_s
        process = state.process
        if process is None:
            return ()
        code = process.kill()  # what a shell left behind in its group goes with it
        point = state.newly_fired()
        asked = asked or point is not None or state.kill_by_s is not None
        state.process, state.paused, state.kill_by_s = None, False, None
        state.codes.append(code)
        if point is not None:
            state.ended_at[point] = code
            state.held_by |= {point} & state.awaited
        finished = self._spec.kind(state.role) == "load" and code == 0
        alone = not asked and not finished
        state.gave_up = not (asked or self._spec.roles[state.role].restart)
        short = now - state.started_s < SHORT_LIFE_S
        state.failures = state.failures + 1 if alone and short else 0
        if (
            not (state.held_by or state.stopping or finished)
            and self._spec.roles[state.role].restart
        ):
            first_s = self._spec.roles[state.role].restart_delay_s
            state.due_s = now + state.restart_delay_s(first_s)
        event = RoleEvent(
            role=state.role,
            instance=state.instance,
            state="exited",
            pid=process.pid,
            code=code,
            asked=asked,
            point=point,
            output=tail(state.output) if alone else "",
        )
        return (event, *state.failing(event))

    def _stop(self, states: Iterable[RoleState], deadline_s: float | None) -> tuple[RoleEvent, ...]:
        running = []
        for state in states:
            state.stopping, state.due_s = True, None
            if state.process is not None:
                running.append(state)
                state.process.resume()
                state.process.signal_group(signal.SIGTERM)
        graces = {id(s): Deadline(self._grace_s(s, deadline_s)) for s in running}
        events: list[RoleEvent] = []

        def all_gone() -> bool:
            for state in running:
                if state.process is None:
                    continue
                if state.process.exit_code() is not None or graces[id(state)].passed():
                    events.extend(self._exited(state, asked=True))
            return all(state.process is None for state in running)

        longest_s = max((grace.seconds for grace in graces.values()), default=0.0)
        wait_until(all_gone, deadline_s=longest_s + 1.0, describe="the roles to end", poll_s=0.01)
        return tuple(events)

    def _grace_s(self, state: RoleState, deadline_s: float | None) -> float:
        grace_s = self._spec.roles[state.role].stop_grace_s
        return grace_s if deadline_s is None else min(grace_s, deadline_s)


def _inherited() -> dict[str, str]:
    """Return our own environment, less what only the harness may give a role."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
