"""The stage of one run: fresh topics and tables, roles with their links, and the watchers.

Building it touches the lab; closing it leaves the lab as it was, whatever happened in between.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import psycopg

from harness.errors import LabError, PipelineError, UsageError
from harness.faults.controller_watch import ControllerWatch
from harness.faults.driver import Surroundings
from harness.faults.frames import detoured_links
from harness.faults.linkbook import LinkBook
from harness.faults.sessions import session_name
from harness.faults.watch import Change, ClusterWatch
from harness.lab.protocol import Lab
from harness.lab.values import SLOTS, TopicRefusedError, TopicSpec
from harness.pipeline.role_state import RoleEvent
from harness.pipeline.spec import LOCK_VARIABLES, Spec, topic_variable
from harness.pipeline.supervisor import Supervisor
from harness.pipeline.witness_queries import WITNESSES, check_queries
from harness.run.events import Events
from harness.run.gauges import Gauges
from harness.schedule.processes import Scale
from harness.schedule.values import Schedule


class Stage:
    """Everything one run has for itself in a lab that other runs use before and after it."""

    def __init__(
        self, lab: Lab, spec: Spec, schedule: Schedule, *, folder: Path, events: Events
    ) -> None:
        tag = secrets.token_hex(3)
        self.lab = lab
        self.spec = spec
        self.folder = folder
        self.topics = {name: f"{name}-{tag}" for name in spec.topics}
        self.slots = assign_slots(spec, schedule)
        self.database = f"run_{tag}"
        """The name of its database, and of its space in a lock service."""
        self.group = f"{spec.name}-{tag}"
        self.foreign: frozenset[str] = frozenset()
        """Topics that were there before this run: what other runs left to be deleted."""
        self._schedule = schedule
        self._events = events
        self.supervisor = Supervisor(
            spec,
            environment=self.environment,
            run_folder=folder,
            start_container=lab.start_role,
        )
        self.watch = ClusterWatch(lab.cluster, on_change=self._tell_change)
        self.controllers = ControllerWatch(
            lab.cluster, on_change=lambda node: events.emit("controller", node=node)
        )
        self.linkbook = LinkBook(lab.links)
        self.gauges = Gauges(
            ends=lab.cluster.ends,
            partitions=self._partitions,
            database_url=lab.database.url(self.database),
            effects_query=spec.queries.effects,
            counters=self._read_counters,
        )

    def __enter__(self) -> Self:
        """Make topics and tables, start the watchers; undo all of it if a part fails."""
        try:
            self.lab.database.create(self.database)
            for service in self.spec.lock_services:
                self.lab.lock_service(service).create(self.database)
            self._apply_schema()
            check_queries(self.spec, self.lab.database.url(self.database))
            self.foreign = frozenset(state.topic for state in self.lab.cluster.partitions())
            self._create_topics()
            self.lab.frames.lead(detoured_links(self._schedule.faults, slots=self.slots))
            self.watch.start()
            self.controllers.start()
            self.gauges.start()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the roles, heal everything, remove topics and tables."""
        self._close()

    def around(self) -> Surroundings:
        """Return what fault drivers work on."""
        return Surroundings(
            lab=self.lab,
            supervisor=self.supervisor,
            watch=self.watch,
            linkbook=self.linkbook,
            group=self.group,
            topics=self.topics,
            slots=self.slots,
            tell=self.tell_roles,
            database_url=self.lab.database.url(self.database),
            hit={},
            specs=self._topic_specs(),
        )

    def tell_roles(self, happened: Iterable[RoleEvent]) -> None:
        """Write what happened to roles into the timeline; a failing one is trouble.

        A process that was started is the lab's from here on, whatever becomes of its mark.
        """
        for event in happened:
            if self.spec.roles[event.role].image is None:
                self._note_session(event)
            self._events.emit("role", **asdict(event))
            if event.state == "failing":
                self._events.emit("trouble", kind="pipeline", message=failing_sentence(event))

    def _note_session(self, event: RoleEvent) -> None:
        if event.state == "started":
            self.lab.adopt(event.pid)
        elif event.state == "exited":
            self.lab.orphan(event.pid)

    def load_alive(self) -> bool:
        """Tell whether a process that makes load runs, or none was ever meant to."""
        load = [one for one in self.supervisor.instances() if self.spec.kind(one[0]) == "load"]
        return not load or any(self.supervisor.pid(*one) is not None for one in load)

    def environment(self, role: str, instance: int) -> Mapping[str, str]:
        """Return what one role instance is told of the lab; the supervisor adds who it is."""
        slot = self.slots[role, instance]
        workload = self._schedule.workload
        return {
            **self.lab.role_environment(),
            "HARNESS_PROFILE": self.lab.profile.name,
            "KAFKA_BOOTSTRAP_SERVERS": self.lab.bootstrap(slot),
            **database_variables(self.lab.database_url(slot, self.database)),
            "PGAPPNAME": session_name(role, instance),
            **self._lock_variables(role, slot),
            **{topic_variable(topic): physical for topic, physical in self.topics.items()},
            "KAFKA_GROUP_ID": self.group,
            "WORKLOAD_RATE": str(workload.rate_per_s),
            "WORKLOAD_BATCH": str(workload.batch),
            "WORKLOAD_KEYS": str(workload.keys),
            "WORKLOAD_PAYLOAD_BYTES": str(workload.payload_bytes),
            "WORKLOAD_SEED": str(self._schedule.seed),
        }

    def describe(self) -> dict[str, object]:
        """Return this run's part of `environment.json`."""
        return {
            "topics": self.topics,
            "group": self.group,
            "slots": {f"{role}-{number}": slot for (role, number), slot in self.slots.items()},
            "pipeline": {
                "name": self.spec.name,
                "path": str(self.spec.path),
                "variant": self.spec.variant,
                "order": self.spec.file.pipeline.order,
                "witnesses": [
                    "log",
                    "offsets",
                    *(each for each in WITNESSES if getattr(self.spec.queries, each)),
                ],
                "consumers": {name: list(topics) for name, topics in self.spec.consumers.items()},
                "copies": {name: list(topics) for name, topics in self.spec.copies.items()},
                "document": self.spec.document,
            },
        }

    def own_partitions(self) -> list[tuple[str, int]]:
        """Return every partition of every topic of this run, and of any topic it made by itself."""
        return [
            (state.topic, state.partition)
            for state in self.lab.cluster.partitions()
            if not state.topic.startswith("__") and state.topic not in self.foreign
        ]

    def logical(self, topic: str) -> str:
        """Return the pipeline's own name of a topic, or the physical one if it has none."""
        return next((name for name, physical in self.topics.items() if physical == topic), topic)

    def _lock_variables(self, role: str, slot: int) -> dict[str, str]:
        return {
            LOCK_VARIABLES[service]: self.lab.lock_address(slot, service, self.database)
            for service in self.spec.lock_services
            if service in self.spec.roles[role].uses
        }

    def _partitions(self) -> list[tuple[str, int]]:
        """Return what partitions the topics of the pipeline have now: some may have been added."""
        mine = set(self.topics.values())
        return [(at.topic, at.partition) for at in self.watch.partitions() if at.topic in mine]

    def _read_counters(self) -> Iterator[Mapping[str, int]]:
        for role, instance in self.supervisor.instances():
            yield self.supervisor.counters(role, instance).read()

    def _apply_schema(self) -> None:
        if self.spec.schema_path is None:
            return
        url = self.lab.database_url(SLOTS[0], self.database)
        try:
            text = self.spec.schema_path.read_text(encoding="utf-8")
            with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                connection.execute(text)
        except OSError as error:
            raise PipelineError(f"The schema cannot be read: {error}") from error
        except psycopg.Error as error:
            raise PipelineError(
                f"The schema {self.spec.schema_path} was refused by the database: {error}",
                remedy="try it with psql against a standing lab: `harness up`",
            ) from error

    def _topic_specs(self) -> dict[str, TopicSpec]:
        return {
            name: TopicSpec(
                name=self.topics[name],
                partitions=topic.partitions,
                replication_factor=topic.replication_factor,
                config=topic.config,
            )
            for name, topic in self.spec.topics.items()
        }

    def _create_topics(self) -> None:
        try:
            self.lab.cluster.create_topics(self._topic_specs().values())
        except TopicRefusedError as error:
            raise PipelineError(
                f"{self.spec.path}: {error.message}", remedy="correct it under [topics.…] config"
            ) from error

    def _tell_change(self, change: Change) -> None:
        state = change.after
        topic = self.logical(state.topic)
        if topic == state.topic and not topic.startswith("__"):
            return  # a topic of an earlier run that is still being deleted
        self._events.emit(
            "partition",
            topic=topic,
            partition=state.partition,
            leader=state.leader,
            epoch=state.leader_epoch,
            isr=sorted(state.isr),
        )

    def _close(self) -> None:
        """Do all of it, whatever becomes of a part: Ctrl-C may come just here."""
        with ExitStack() as last_first:
            last_first.callback(self.controllers.stop)
            last_first.callback(self.watch.stop)
            last_first.callback(self._clear)
            last_first.callback(self.supervisor.close)
            last_first.callback(self.gauges.stop)

    def _clear(self) -> None:
        with suppress(LabError):  # a lab that cannot be healed is replaced, see LabSession
            self._restore()
            self.lab.cluster.delete_topics(self.topics.values())
            self.lab.database.drop(self.database)
            for service in self.spec.lock_services:
                self.lab.lock_service(service).drop(self.database)

    def _restore(self) -> None:
        locks = [self.lab.lock_service(service) for service in self.spec.lock_services]
        for process in (*self.lab.nodes.values(), self.lab.database, *locks):
            if process.pid() is None:
                process.start()
            else:
                process.resume()
        try:
            self.linkbook.heal_everything()
        finally:
            self.lab.frames.lead_back()  # no rule of this run may meet the next one


def assign_slots(spec: Spec, schedule: Schedule) -> dict[tuple[str, int], int]:
    """Give every role instance its own client slot, or every role one when they do not suffice.

    The instances that the schedule will add have theirs from the beginning.
    """
    added = {
        (fault.target.role, number): None
        for fault in schedule.faults
        if isinstance(fault, Scale)
        for number in range(spec.roles[fault.target.role].instances, fault.to)
    }
    instances = (*spec.instances(), *added)
    if len(instances) <= len(SLOTS):
        return dict(zip(instances, SLOTS, strict=False))
    if len(spec.roles) > len(SLOTS):
        raise UsageError(
            f"{spec.name} has {len(spec.roles)} roles; a lab has links for {len(SLOTS)}"
        )
    by_role = dict(zip(spec.roles, SLOTS, strict=False))
    return {(name, instance): by_role[name] for name, instance in instances}


def database_variables(url: str) -> dict[str, str]:
    """Return DATABASE_URL and, for clients that do not take one, libpq's own variables."""
    parts = urlsplit(url)
    return {
        "DATABASE_URL": url,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or ""),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": parts.path.lstrip("/"),
    }


def failing_sentence(event: RoleEvent) -> str:
    """Say that a role ends as soon as it starts, with the last that it printed."""
    return (
        f"{event.role} {event.instance} keeps ending by itself, the last time with status "
        f"{event.code}; its last lines:\n{event.output or '(it printed nothing)'}"
    )
