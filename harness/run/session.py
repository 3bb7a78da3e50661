"""A lab that is started once and reused: what scenarios call `lab`.

A healthy lab serves run after run; one that had trouble is closed, and the next run gets a new one.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self

from harness.errors import LabError, UsageError
from harness.lab.choice import LabChoice
from harness.lab.protocol import Lab
from harness.ledger.findings import Outcome
from harness.pipeline.spec import Needs, Spec
from harness.pipeline.variant import load_variant
from harness.provision import backend, lock_services, skew
from harness.role_life import without_engine
from harness.run.engine import play
from harness.run.events import Observer
from harness.run.folder import discard_run_folder, make_run_folder
from harness.run.plan import called, check_playable
from harness.run.result import RunResult
from harness.schedule.budget import stated_promise
from harness.schedule.processes import Skew
from harness.schedule.targets import LockServiceName
from harness.schedule.values import Fault, Schedule, Workload

NOTHING_SPECIAL = Needs()
CATCH_TIMES = 3
"""Plays of an unsafe variant that was caught in ten of ten: its probability may be as low as 72 %
(Wilson), and three such plays miss it once in fifty times."""


class StartLab(Protocol):
    """Starts a lab, with what a variant needs of it."""

    def __call__(self, needs: Needs = NOTHING_SPECIAL) -> Lab:
        """Return a running lab."""


def _refuse_image(image: str) -> None:
    raise without_engine(image)


class LabSession:
    """Starts its lab when the first run needs it; `close` (or leaving the context) ends it."""

    def __init__(
        self,
        *,
        start: StartLab,
        runs: Path,
        observers: Iterable[Observer] = (),
        provide_service: Callable[[LockServiceName], object] = lock_services.provide,
        require_image: Callable[[str], object] = _refuse_image,
        progress: Callable[[str], object] = lambda _: None,
    ) -> None:
        """`provide_service` and `require_image` are asked before anything of a run starts.

        `progress` is told what else a caller may want to know on the way.
        """
        self.runs = runs
        self.played: list[Path] = []
        """The folder of each run so far, whatever became of it."""
        self._start = start
        self._observers = tuple(observers)
        self._provide_service = provide_service
        self._require_image = require_image
        self._progress = progress
        self._lab: Lab | None = None
        self._needs = NOTHING_SPECIAL

    @property
    def lab(self) -> Lab:
        """Return the standing lab, starting one if there is none."""
        return self._with(self._needs)

    def _with(self, needs: Needs) -> Lab:
        """Return the standing lab if it has just what is needed; else a new one in its place."""
        if needs != self._needs:
            self.close()
            self._needs = needs
        if self._lab is None:
            self._lab = self._start(needs)
        return self._lab

    def run(
        self,
        pipeline: Spec,
        *faults: Fault,
        workload: Workload | None = None,
        budget: Literal["safe", "over"] = "safe",
        seed: int = 0,
        name: str | None = None,
    ) -> RunResult:
        """Play these faults on this pipeline once, and judge what became of every message."""
        schedule = _schedule(pipeline, faults, workload=workload, budget=budget, seed=seed)
        return self.play(pipeline, schedule, name=name)

    def catch(
        self,
        pipeline: Spec,
        *faults: Fault,
        times: int = CATCH_TIMES,
        workload: Workload | None = None,
        budget: Literal["safe", "over"] = "safe",
        seed: int = 0,
    ) -> RunResult:
        """Play these faults on an unsafe variant until it is caught, `times` times at the most.

        What a fault meets is a matter of milliseconds, so one play may miss what is there; a safe
        variant has no such second chance. Returns the run that caught it. AssertionError if none
        did, or at once if the harness itself failed.
        """
        schedule = _schedule(pipeline, faults, workload=workload, budget=budget, seed=seed)
        return self.play_until_caught(pipeline, schedule, times=times)

    def play_until_caught(self, pipeline: Spec, schedule: Schedule, *, times: int) -> RunResult:
        """Do as `catch` does with a whole schedule."""
        _check_unsafe(pipeline)
        result = self.play(pipeline, schedule)
        for left in range(times - 1, 0, -1):
            if result.caught() or result.verdict.outcome is Outcome.HARNESS_ERROR:
                break
            self._progress(f"not caught, {left} more plays at the most: {result.folder}")
            result = self.play(pipeline, schedule)
        result.assert_caught()
        return result

    def play(self, pipeline: Spec, schedule: Schedule, *, name: str | None = None) -> RunResult:
        """Play a whole schedule on this pipeline once, and judge it."""
        variant = load_variant(pipeline.variant, spec=pipeline) if pipeline.variant else None
        check_playable(schedule, on=pipeline)
        self._provide_extras(pipeline, schedule)
        folder = make_run_folder(
            self.runs, name=name or pipeline.variant or pipeline.name, schedule=schedule
        )
        try:
            lab = self._lab_for(pipeline, variant.needs if variant else NOTHING_SPECIAL)
        except BaseException:
            self.close()
            discard_run_folder(folder)  # nothing was played, so there is nothing to judge
            raise
        self.played.append(folder)
        try:
            played = play(
                lab,
                pipeline,
                schedule,
                folder=folder,
                environment={
                    "harness": version("zero-loss-harness"),
                    "variant": asdict(variant) if variant else None,
                    "promise": _promise(schedule, unsafe=variant is not None and not variant.safe),
                },
                observers=self._observers,
            )
        except BaseException:
            self.close()  # whatever it was, the next run starts on a lab without a past
            raise
        if played.verdict.outcome in (Outcome.HARNESS_ERROR, Outcome.UNKNOWN) or self._is_sick():
            self.close()
        expects = variant and variant.expects
        return RunResult(
            folder=played.folder,
            verdict=played.verdict,
            took_s=played.took_s,
            expects=(expects.finding, expects.hop) if expects else None,
        )

    def close(self) -> None:
        """End the lab, if one stands."""
        lab, self._lab = self._lab, None
        if lab is not None:
            lab.close()

    def __enter__(self) -> Self:
        """Return the session itself; the lab starts with the first run."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the lab."""
        self.close()

    def _provide_extras(self, pipeline: Spec, schedule: Schedule) -> None:
        """Fetch what only some runs need; where that cannot be done, tell it before any start."""
        if any(isinstance(fault, Skew) for fault in schedule.faults):
            skew.provide()
        for service in pipeline.lock_services:
            self._provide_service(service)
        for image in pipeline.images:
            self._require_image(image)

    def _lab_for(self, pipeline: Spec, needs: Needs) -> Lab:
        """Return a lab with what is needed; a lock service starts with the first run using it."""
        lab = self._with(needs)
        for service in pipeline.lock_services:
            lab.lock_service(service)
        return lab

    def _is_sick(self) -> bool:
        """Tell whether the standing lab lost a server, a link or a replica."""
        lab = self.lab
        try:
            out_of_sync = any(
                state.topic.startswith("__") and set(state.isr) != set(state.replicas)
                for state in lab.cluster.partitions()
            )
        except LabError:
            return True
        return bool(lab.check_alive()) or out_of_sync


def _schedule(
    pipeline: Spec,
    faults: tuple[Fault, ...],
    *,
    workload: Workload | None,
    budget: Literal["safe", "over"],
    seed: int,
) -> Schedule:
    return Schedule(
        pipeline=called(pipeline),
        variant=pipeline.variant,
        faults=faults,
        workload=workload or Workload(),
        budget=budget,
        seed=seed,
    )


def _check_unsafe(pipeline: Spec) -> None:
    if pipeline.variant is None or load_variant(pipeline.variant, spec=pipeline).safe:
        raise UsageError(
            f"{pipeline.variant or pipeline.name} is no unsafe variant: there is nothing to catch",
            remedy="play it with lab.run(...) and assert_exactly_once()",
        )


def _promise(schedule: Schedule, *, unsafe: bool) -> dict[str, object]:
    """Return what is promised under the schedule; an unsafe variant is judged in any case."""
    promise = stated_promise(schedule)
    return {**asdict(promise), "safety": promise.safety or unsafe}


def default_session(
    choice: LabChoice,
    *,
    runs: Path,
    progress: Callable[[str], None],
    observers: Iterable[Observer] = (),
) -> LabSession:
    """Return a session whose labs run where the choice says."""
    return LabSession(
        start=default_start(progress=progress, choice=choice),
        runs=runs,
        observers=observers,
        provide_service=partial(_provide_service, choice),
        require_image=_refuse_image if choice.backend == "local" else backend.require_role_image,
        progress=progress,
    )


def default_start(
    *,
    progress: Callable[[str], None],
    choice: LabChoice | None = None,
    port_base: int | None = None,
) -> StartLab:
    """Return what starts a lab: its parts (or images) are there first, then all is booted.

    `port_base` is for the local backend, whose servers share the ports of this machine.
    """

    def start(needs: Needs = NOTHING_SPECIAL) -> Lab:
        asked = (choice or LabChoice()).also(
            kafka=needs.kafka, features=needs.features, broker=needs.broker
        )
        if asked.backend == "docker":
            if port_base is not None:
                raise UsageError(
                    "A lab of containers chooses its ports by itself",
                    remedy="leave --port-base out, or use --backend local",
                )
            return _start_docker(asked, progress=progress)
        # Imported late: `harness check` and `explain` need neither a lab nor its libraries.
        from harness.lab.local import start_local_lab  # noqa: PLC0415
        from harness.provision.parts import provide  # noqa: PLC0415

        parts = provide(asked.kafka_version, features=asked.features, progress=progress)
        return start_local_lab(parts, profile=asked.profile, progress=progress, port_base=port_base)

    return start


def _start_docker(asked: LabChoice, *, progress: Callable[[str], None]) -> Lab:
    # Imported late, as in `default_start`.
    from harness.lab.docker import start_docker_lab  # noqa: PLC0415

    images = asked.image_set()
    backend.require_images(images.needed())
    return start_docker_lab(
        images=images,
        kafka_version=asked.kafka_version,
        features=asked.features,
        profile=asked.profile,
        progress=progress,
    )


def _provide_service(choice: LabChoice, service: LockServiceName) -> None:
    """Have the parts of a lock service, or tell what is missing before anything starts."""
    if choice.backend == "docker":
        backend.require_images([getattr(choice.image_set(), service)])
    else:
        lock_services.provide(service)
