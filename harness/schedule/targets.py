"""What a fault is aimed at, as frozen values: symbolic, resolved when the fault starts. PURE."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node by its number (1-based)."""

    __pydantic_config__ = STRICT
    number: int
    kind: Literal["node"] = "node"

    def __str__(self) -> str:
        return f"node {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Whichever node leads this partition when the fault starts."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    kind: Literal["leader"] = "leader"

    def __str__(self) -> str:
        return f"the leader of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """The `index`-th follower of this partition, by node number, when the fault starts.

    Followers in sync come first, then those that are not.
    """

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    index: int = 0
    kind: Literal["follower"] = "follower"

    def __str__(self) -> str:
        return f"follower {self.index} of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Whichever node is the active controller (the quorum's leader) when the fault starts."""

    __pydantic_config__ = STRICT
    kind: Literal["controller"] = "controller"

    def __str__(self) -> str:
        return "the active controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """The `index`-th standby controller, by node number, when the fault starts.

    A standby is a voter of the quorum that is not the active controller: the one that asks it for
    the metadata. Nodes that the cluster holds for alive come first.
    """

    __pydantic_config__ = STRICT
    index: int = 0
    kind: Literal["standby"] = "standby"

    def __str__(self) -> str:
        return f"standby controller {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinator:
    """Whichever node coordinates a consumer group or a transactional id when the fault starts."""

    __pydantic_config__ = STRICT
    of: Literal["group", "transaction"] = "group"
    name: str | None = None
    """A literal group or transactional id; None: the run's own KAFKA_GROUP_ID."""
    kind: Literal["coordinator"] = "coordinator"

    def __str__(self) -> str:
        return f"the coordinator of {self.of} {self.name or 'of this run'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """The node that an earlier fault of this schedule hit: `kill(L)`, then something to that L."""

    __pydantic_config__ = STRICT
    fault: int
    """The earlier fault's place in the schedule, from 0."""
    kind: Literal["former"] = "former"

    def __str__(self) -> str:
        return f"the node of fault {self.fault}"


NodeLike = Node | Leader | Follower | Controller | Standby | Coordinator | Former
NodeTarget = Annotated[NodeLike, Field(discriminator="kind")]
"""One node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """Several nodes at once; targets that stand for the same node count once."""

    __pydantic_config__ = STRICT
    members: tuple[NodeTarget, ...]
    kind: Literal["nodes"] = "nodes"

    def __str__(self) -> str:
        return " and ".join(str(each) for each in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process of the pipeline: the `number`-th instance (0-based) of a role."""

    __pydantic_config__ = STRICT
    role: str
    number: int = 0
    kind: Literal["instance"] = "instance"

    def __str__(self) -> str:
        return f"{self.role} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Every process of a role."""

    __pydantic_config__ = STRICT
    role: str
    kind: Literal["role"] = "role"

    def __str__(self) -> str:
        return f"every {self.role}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The database server."""

    __pydantic_config__ = STRICT
    kind: Literal["database"] = "database"

    def __str__(self) -> str:
        return "the database"


LockServiceName = Literal["redis", "zookeeper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LockService:
    """A lock service of the lab, for pipelines that use it."""

    __pydantic_config__ = STRICT
    name: LockServiceName
    kind: Literal["lock-service"] = "lock-service"

    def __str__(self) -> str:
        return {"redis": "Redis", "zookeeper": "ZooKeeper"}[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryNode:
    """All nodes: what a role cannot reach, for instance."""

    __pydantic_config__ = STRICT
    kind: Literal["every-node"] = "every-node"

    def __str__(self) -> str:
        return "any node"


NodesTarget = Annotated[NodeLike | Nodes, Field(discriminator="kind")]
"""One node, or several at once."""
RoleTarget = Annotated[Instance | Role, Field(discriminator="kind")]
ServerTarget = Annotated[
    NodeLike | Nodes | Instance | Role | Database | LockService, Field(discriminator="kind")
]
"""Whatever is a process: nodes, roles, the database, lock services."""
Target = ServerTarget
