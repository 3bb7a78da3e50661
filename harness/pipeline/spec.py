"""The specification of any pipeline, as frozen values in the shape of `pipeline.toml`.

Owns the words of the file format and their defaults; reading files is the loader's business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from harness.schedule.moments import POINT_BYTES
from harness.schedule.shape import Peer
from harness.schedule.targets import LockServiceName
from harness.schedule.values import Budget, Fault, Workload

STRICT = ConfigDict(extra="forbid", strict=True)

Finding = Literal[
    "lost",
    "duplicate-effect",
    "phantom",
    "corrupt",
    "reordered",
    "overwritten-offset",
    "aborted-effect",
    "stuck",
]
Hop = Literal[
    "never-in-outbox", "never-published", "acked-not-in-log", "never-delivered", "no-effect"
]
IdType = Literal["int", "string"]
Entry = Annotated[str, Field(pattern=r"^(K[1-9][0-9]?)?$")]
Seconds = Annotated[float, Field(ge=0, strict=False)]
PositiveSeconds = Annotated[float, Field(gt=0, strict=False)]


def _as_text(value: object) -> object:
    """Write a TOML scalar as Kafka's tools and an environment would."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value):
        raise ValueError("a name has 1 to 100 letters, digits, '.', '_' or '-'")
    return value


def _id_place(value: str) -> str:
    if not re.fullmatch(r"key|header:.+|json:(/.*)?", value):
        raise ValueError("must be header:<name>, json:/pointer/to/it, or key")
    return value


def _point(value: str) -> str:
    if not 1 <= len(value.encode()) <= POINT_BYTES:
        raise ValueError(f"a crash point's name has 1 to {POINT_BYTES} bytes")
    return value


Name = Annotated[str, AfterValidator(_name)]
Point = Annotated[str, AfterValidator(_point)]
Text = Annotated[str, BeforeValidator(_as_text)]
Argv = Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """`[pipeline]`: what it is called, its schema, and what it promises about order."""

    __pydantic_config__ = STRICT
    name: Name
    schema: str | None = None
    """An SQL file, relative to the pipeline.toml, that makes the tables in an empty database."""
    order: Literal["per-key", "none"] = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """`[topics.<logical>]`: a topic of the pipeline; its physical name is given per run."""

    __pydantic_config__ = STRICT
    partitions: Annotated[int, Field(ge=1)] = 6
    replication_factor: Annotated[int, Field(ge=1, le=3)] = 3
    config: dict[str, Text] = field(default_factory=dict)
    copies: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Topics whose messages may stand on this one once more, under their ids: a role puts them here
    for a retry, or as dead letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """`[roles.<name>]`: one kind of process, and how many of it run side by side."""

    __pydantic_config__ = STRICT
    command: Argv = ()
    """What is started; a role with an image may leave it to the image."""
    image: str | None = None
    """Run it as a container of this image, in labs of containers; None: as a process."""
    instances: Annotated[int, Field(ge=0, le=64)] = 1
    kind: Literal["load", "service"] | None = None
    """`load` is stopped once all has healed, and may end earlier; `service` runs until the drain
    is over."""
    env: dict[str, Text] = field(default_factory=dict)
    cwd: str = "."
    """Relative to the folder of the pipeline.toml."""
    stop_grace_s: PositiveSeconds = 5.0
    """From SIGTERM to SIGKILL."""
    restart: bool = True
    """Start it again when it ends by itself, as a supervisor in production would."""
    restart_delay_s: Seconds = 0.2
    crash_points: tuple[Point, ...] = ()
    """The crash points that this role passes, for schedules that are drawn; see ARCHITECTURE.md."""
    uses: tuple[Peer, ...] = ("kafka", "database")
    """Whom it has connections to: links that nobody uses are not cut by drawn schedules, and a lock
    service that nobody uses is not started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`[message]`: where a record carries its id, and what of it is compared."""

    __pydantic_config__ = STRICT
    id: Annotated[str, AfterValidator(_id_place)]
    id_type: IdType = "string"
    payload: Literal["value"] = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queries:
    """`[queries]`: SELECTs that say what was meant, marked and effected."""

    __pydantic_config__ = STRICT
    intents: str
    effects: str
    outbox: str | None = None
    sent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSpec:
    """`[consumers.<name>]`: whose effects every message of these topics must have."""

    __pydantic_config__ = STRICT
    topics: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Liveness:
    """`[liveness]`: how long the pipeline may take before it is called stuck."""

    __pydantic_config__ = STRICT
    warmup_s: PositiveSeconds = 20.0
    drain_s: PositiveSeconds = 60.0
    """No progress at all for this long, with something missing, ends the wait: longer than the
    session time-out of the pipeline's consumers (45 s by default in Kafka's clients)."""
    quiet_s: PositiveSeconds = 3.0
    """Nothing new for this long, with nothing left to do, is called drained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The accusation that an unsafe variant must lead to."""

    __pydantic_config__ = STRICT
    finding: Finding
    hop: Hop | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownBy:
    """The smallest schedule known that shows what a variant claims, in a schedule's own words."""

    __pydantic_config__ = STRICT
    faults: tuple[Fault, ...] = ()
    workload: Workload = field(default_factory=Workload)
    budget: Budget = "safe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a variant must have of its lab from the lab's first start."""

    __pydantic_config__ = STRICT
    kafka: str | None = None
    """A release of Kafka; None: whichever was asked for."""
    features: dict[str, int] = field(default_factory=dict)
    """Feature levels of the new cluster."""
    broker: dict[str, Text] = field(default_factory=dict)
    """Settings of every node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineVariant:
    """`[variants.<name>]`: a claim about one row of the guarantee, and its overrides."""

    __pydantic_config__ = STRICT
    row: str
    safe: bool
    why: str
    reference: str = ""
    entry: Entry = ""
    """Its number in the catalogue of public reports, e.g. `K35`."""
    expects: Expectation | None = None
    override: dict[str, object] = field(default_factory=dict)
    needs: Needs = field(default_factory=Needs)
    shown_by: ShownBy | None = None
    tried: str = ""
    """Set where it could not be provoked: what was tried, and why nothing came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFile(InlineVariant):
    """A variant as a file of its own has it: the same, with its name."""

    __pydantic_config__ = STRICT
    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineFile:
    """A whole `pipeline.toml`."""

    __pydantic_config__ = STRICT
    pipeline: General
    roles: Annotated[dict[Name, Role], Field(min_length=1)]
    message: Message
    queries: Queries
    topics: dict[Name, Topic] = field(default_factory=dict)
    consumers: dict[str, ConsumerSpec] = field(default_factory=dict)
    """Empty: who reads which topic is learnt from the effects that were seen."""
    liveness: Liveness = field(default_factory=Liveness)
    variants: dict[Name, InlineVariant] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A pipeline in force: its file, checked, with the overrides of its variant applied."""

    path: Path
    file: PipelineFile
    document: Mapping[str, object]
    """What `file` was read from, overrides included: plain TOML values, safe to write as JSON."""
    variant: str | None = None

    @property
    def name(self) -> str:
        """Return the pipeline's name."""
        return self.file.pipeline.name

    @property
    def folder(self) -> Path:
        """Return the folder that its relative paths start from."""
        return self.path.parent

    @property
    def topics(self) -> Mapping[str, Topic]:
        """Return its topics by logical name."""
        return self.file.topics

    @property
    def roles(self) -> Mapping[str, Role]:
        """Return its roles by name, in the order of the file."""
        return self.file.roles

    @property
    def message(self) -> Message:
        """Return where a record carries its id."""
        return self.file.message

    @property
    def queries(self) -> Queries:
        """Return its queries."""
        return self.file.queries

    @property
    def copies(self) -> Mapping[str, tuple[str, ...]]:
        """Return, for each logical topic that has them, the topics whose copies it may hold."""
        return {name: topic.copies for name, topic in self.topics.items() if topic.copies}

    @property
    def consumers(self) -> Mapping[str, tuple[str, ...]]:
        """Return the logical topics that each consumer must act on; empty: not declared."""
        return {name: consumer.topics for name, consumer in self.file.consumers.items()}

    @property
    def liveness(self) -> Liveness:
        """Return its deadlines."""
        return self.file.liveness

    @property
    def images(self) -> tuple[str, ...]:
        """Return the images that its roles run in, each once."""
        return tuple(dict.fromkeys(role.image for role in self.roles.values() if role.image))

    @property
    def lock_services(self) -> tuple[LockServiceName, ...]:
        """Return the lock services that a role with instances uses."""
        used = {peer for role in self.roles.values() if role.instances for peer in role.uses}
        return tuple(name for name in get_args(LockServiceName) if name in used)

    @property
    def schema_path(self) -> Path | None:
        """Return its SQL schema file, if it has one."""
        schema = self.file.pipeline.schema
        return None if schema is None else self.folder / schema

    def kind(self, role: str) -> Literal["load", "service"]:
        """Return whether `role` makes the load; a role called producer does unless it says not."""
        return self.roles[role].kind or ("load" if role == "producer" else "service")

    def role_folder(self, role: str) -> Path:
        """Return the folder that the role's command is started in."""
        return (self.folder / self.roles[role].cwd).resolve()

    def instances(self) -> tuple[tuple[str, int], ...]:
        """Return every (role, instance) there is, services first: they are started first."""
        services_first = sorted(self.roles, key=lambda name: self.kind(name) == "load")
        return tuple(
            (role, number)
            for role in services_first
            for number in range(self.roles[role].instances)
        )


LOCK_VARIABLES: Mapping[str, str] = {
    "redis": "REDIS_URL",
    "zookeeper": "ZOOKEEPER_CONNECT",
}
"""The variables that tell a role where the lock services are that it uses."""


def topic_variable(logical: str) -> str:
    """Return the name of the variable that tells a role the physical name of a topic."""
    return "TOPIC_" + re.sub(r"[-.]", "_", logical).upper()
