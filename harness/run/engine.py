"""Play one schedule once: warm-up → storm → heal → drain → read → check.

The folder that comes out holds everything that the verdict rests on; judging is the ledger's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness.clock import Deadline, monotonic_s, sleep
from harness.errors import LabError, PipelineError
from harness.faults.make import make_driver
from harness.faults.resolve import partition_state
from harness.lab.protocol import Lab
from harness.ledger.findings import Verdict
from harness.ledger.judge import judge, write_verdict
from harness.pipeline.spec import Spec
from harness.run.drain import DrainQueries, Standing, drain, questioned
from harness.run.events import Events, Observer, TimelineFile
from harness.run.folder import disk_error, write_environment
from harness.run.gauges import NeverPassed, Standstill
from harness.run.markers import LastRecords
from harness.run.offsets import OffsetReader, lag
from harness.run.read import look_at_first_records, read_witnesses
from harness.run.stage import Stage, failing_sentence
from harness.run.storm import Storm
from harness.schedule.values import Schedule

TICK_S = 0.015
PROGRESS_S = 0.5
WARM_MESSAGES = 40
SLOW_WARM_UP_S = 5.0
SETTLE_S = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A run that was played and judged."""

    folder: Path
    verdict: Verdict
    took_s: float


def play(
    lab: Lab,
    spec: Spec,
    schedule: Schedule,
    *,
    folder: Path,
    environment: dict[str, object],
    observers: Iterable[Observer] = (),
) -> Played:
    """Play `schedule` on `lab` and judge it.

    Raises PipelineError when the pipeline cannot be run at all, HarnessError when the run folder
    cannot be written. What the lab does wrong is in the verdict, not raised.
    """
    began = monotonic_s()
    try:
        _play_into(folder, lab, spec, schedule, environment=environment, observers=observers)
        verdict = judge(folder)
        write_verdict(folder, verdict)
    except OSError as error:
        raise disk_error(folder, error) from error
    return Played(folder=folder, verdict=verdict, took_s=monotonic_s() - began)


def _play_into(
    folder: Path,
    lab: Lab,
    spec: Spec,
    schedule: Schedule,
    *,
    environment: dict[str, object],
    observers: Iterable[Observer],
) -> None:
    timeline = TimelineFile(folder / "timeline.jsonl")
    events = Events(timeline, *observers)
    try:
        stage = Stage(lab, spec, schedule, folder=folder, events=events)
        write_environment(folder, {**environment, "lab": lab.describe(), **stage.describe()})
        with stage:
            Run(stage, schedule, events).play()
    except LabError as error:  # the stage could not be set, or not be cleared
        events.emit("trouble", kind="lab", message=error.message)
        events.emit("phase", phase="done")
    finally:
        timeline.close()


class Run:
    """The phases of one run on a stage that is set."""

    def __init__(self, stage: Stage, schedule: Schedule, events: Events) -> None:
        self._stage = stage
        self._events = events
        self._supervisor = stage.supervisor
        self._patience = stage.lab.profile.patience
        liveness = stage.spec.liveness
        self._warmup_s = max(liveness.warmup_s, self._patience.warmup_s)
        self._drain_s = max(liveness.drain_s, self._patience.drain_s)
        around = stage.around()
        self._storm = Storm(
            schedule.faults,
            make=partial(make_driver, around=around),
            events=events,
            tally=stage.gauges.tally,
            load_alive=stage.load_alive,
            in_sync=lambda topic, partition: len(partition_state(topic, partition, around).isr),
            hit=around.hit,
            verify_s=self._patience.verify_s,
        )
        self._next_progress_s = 0.0
        self._troubles: set[str] = set()
        self._warm = False

    def play(self) -> None:
        """Go through all phases; trouble of the lab ends the run early, told in the timeline."""
        try:
            self._phase("warm-up", self._warm_up)
            self._phase("storm", self._weather)
            self._phase("heal", self._heal)
            self._phase("drain", self._drain)
            self._phase("read", self._read)
            self._events.emit("phase", phase="check")
        except LabError as error:
            self._events.emit("trouble", kind="lab", message=error.message)
        self._events.emit("phase", phase="done")

    def _phase(self, name: str, body: Callable[[], None]) -> None:
        self._events.emit("phase", phase=name)
        body()
        self._progress(at_once=True)

    def _warm_up(self) -> None:
        self._stage.tell_roles(self._supervisor.start_all())
        deadline = Deadline(self._warmup_s)
        began = monotonic_s()
        while (processed := self._stage.gauges.tally().processed) < WARM_MESSAGES:
            if processed and monotonic_s() - began > SLOW_WARM_UP_S:
                break  # a pipeline of few messages is warm once any has come through
            self._tick()
            if deadline.passed():
                raise self._never_warm()
        look_at_first_records(self._stage)
        self._warm = True

    def _weather(self) -> None:
        deadline = Deadline(self._patience.storm_s)
        self._storm.begin()
        standstill = Standstill(
            self._stage.gauges.tally,
            alive=self._supervisor.load_to_come,
            patience_s=self._patience.standstill_s,
        )
        never_passed = NeverPassed(
            self._storm.awaited_passes,
            # A member of a group that died may be missed for as long as the drain waits for it.
            patience_s=max(self._patience.point_s, self._drain_s),
        )
        while not self._storm.over():
            self._storm.tick()
            self._tick()
            if deadline.passed() or standstill.lasted() or never_passed.lasted():
                self._storm.abandon()

    def _heal(self) -> None:
        self._await("every partition to have all its replicas in sync", self._not_in_sync)
        self._await("every role to run", self._not_running)
        before = self._stage.gauges.tally().processed
        began, deadline = monotonic_s(), Deadline(self._patience.settle_s)
        while monotonic_s() - began < SETTLE_S or not self._flowed_since(before):
            self._tick()
            if deadline.passed():
                break  # the drain will tell whether anything still moves
        self._stage.tell_roles(self._supervisor.stop_load())

    def _flowed_since(self, before: int) -> bool:
        return not self._stage.load_alive() or (
            self._stage.gauges.tally().processed >= before + WARM_MESSAGES
        )

    def _drain(self) -> None:
        stage = self._stage
        with questioned(stage.spec, stage.lab.database.url(stage.database)) as connection:
            queries = DrainQueries(stage.spec, connection, topics=stage.topics)
            offsets = OffsetReader(stage.lab.cluster)
            records = LastRecords(stage.lab.cluster.bootstrap, group=f"{stage.group}-drain")
            partitions = stage.own_partitions()
            topics = frozenset(topic for topic, _ in partitions)

            def ask() -> Standing:
                groups = offsets.groups(topics)
                ends = records.without_markers(offsets.ends(partitions), groups)
                return queries.ask(lag(ends, groups), groups)

            drained = drain(
                ask,
                drain_s=self._drain_s,
                quiet_s=stage.spec.liveness.quiet_s,
                tick=self._tick,
                moved=lambda: stage.gauges.tally().total(),
            )
        self._events.emit(
            "drained",
            complete=drained.complete,
            waited_s=round(drained.waited_s, 3),
            why=drained.why,
        )

    def _read(self) -> None:
        self._stage.tell_roles(self._supervisor.stop_all())
        read_witnesses(self._stage)

    def _not_in_sync(self) -> str:
        lagging = [
            f"{state.topic}/{state.partition} has {sorted(state.isr)} of {sorted(state.replicas)}"
            for state in self._stage.lab.cluster.partitions()
            if state.topic not in self._stage.foreign
            and (set(state.isr) != set(state.replicas) or state.leader < 0)
        ]
        return "; ".join(lagging[:3])

    def _not_running(self) -> str:
        return ", ".join(f"{role} {number}" for role, number in self._supervisor.missing())

    def _never_warm(self) -> PipelineError:
        tally = self._stage.gauges.tally()
        said = "\n".join(
            f"  {role} {number}: {self._supervisor.output(role, number, lines=3) or '(silent)'}"
            for role, number in self._supervisor.instances()
        )
        return PipelineError(
            f"{self._stage.spec.path}: after {self._warmup_s:g} s of warm-up, "
            f"without any fault, {tally.log} records were in its topics and {tally.effects} "
            f"effects in its tables; the first effects were waited for.\n"
            f"What the roles printed last:\n{said}",
            remedy="do the roles use TOPIC_…, KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL? "
            "Is liveness.warmup_s long enough?",
        )

    def _await(self, what: str, lacking: Callable[[], str]) -> None:
        deadline = Deadline(self._patience.heal_s)
        while lacks := lacking():
            if deadline.passed():
                raise LabError(f"Waited {deadline.seconds:g} s for {what}, in vain: {lacks}")
            self._tick(0.05)

    def _tick(self, seconds: float = TICK_S) -> None:
        self._stage.watch.background.raise_failure()
        self._stage.controllers.background.raise_failure()
        self._stage.gauges.background.raise_failure()
        happened = self._supervisor.poll()
        self._stage.tell_roles(happened)
        failing = next((event for event in happened if event.state == "failing"), None)
        if failing is not None and not self._warm:
            raise PipelineError(
                f"{self._stage.spec.path}: {failing_sentence(failing)}",
                remedy="start it by hand against a standing lab (`harness up`) to see why",
            )
        self._progress()
        sleep(seconds)

    def _progress(self, *, at_once: bool = False) -> None:
        if not at_once and monotonic_s() < self._next_progress_s:
            return
        self._next_progress_s = monotonic_s() + PROGRESS_S
        tally = self._stage.gauges.tally()
        self._events.emit(
            "progress",
            committed=tally.committed,
            acked=tally.acked,
            processed=tally.processed,
            log=tally.log,
            effects=tally.effects,
        )
        for sentence in self._stage.lab.check_alive():
            if sentence not in self._troubles:
                self._troubles.add(sentence)
                self._events.emit("trouble", kind="lab", message=sentence)
