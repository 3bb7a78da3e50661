"""The words that scenarios are written in: what a fault is aimed at, and what happens to it there.

Faults of links have words of their own, in `network_words.py`.
"""

from typing import Literal

from harness.schedule.operations import (
    AddPartitions,
    ConfigureNodes,
    ConfigureTopic,
    MoveLeader,
    Reassign,
    RecreateTopic,
)
from harness.schedule.processes import (
    Amnesia,
    Kill,
    KillRecovering,
    Pause,
    RestartStorm,
    RollingRestart,
    Scale,
    Skew,
    Stop,
    Terminate,
)
from harness.schedule.targets import (
    Controller,
    Coordinator,
    Database,
    EveryNode,
    Follower,
    Former,
    Instance,
    Leader,
    LockService,
    Node,
    NodeLike,
    Nodes,
    Role,
    Standby,
)

Anything = NodeLike | Nodes | Instance | Role | Database | LockService

# --- targets ---------------------------------------------------------------------------------


def node(number: int) -> Node:
    """Name a node by its number, 1 to 3."""
    return Node(number=number)


def nodes(*members: NodeLike) -> Nodes:
    """Name several nodes at once."""
    return Nodes(members=members)


def every_node() -> EveryNode:
    """Name all nodes, as what a role cannot reach."""
    return EveryNode()


def leader(topic: str, partition: int) -> Leader:
    """Name whichever node leads this partition when the fault starts."""
    return Leader(topic=topic, partition=partition)


def follower(topic: str, partition: int, *, index: int = 0) -> Follower:
    """Name the `index`-th follower of this partition when the fault starts, those in sync first."""
    return Follower(topic=topic, partition=partition, index=index)


def controller() -> Controller:
    """Name whichever node is the active controller when the fault starts."""
    return Controller()


def standby(index: int = 0) -> Standby:
    """Name the `index`-th node that is not the active controller when the fault starts."""
    return Standby(index=index)


def coordinator(
    of: Literal["group", "transaction"] = "group", name: str | None = None
) -> Coordinator:
    """Name the coordinator of a group (by default this run's) or of a transactional id."""
    return Coordinator(of=of, name=name)


def former(fault: int) -> Former:
    """Name the node that an earlier fault of the schedule hit, whatever it is now."""
    return Former(fault=fault)


def instance(role: str, number: int = 0) -> Instance:
    """Name one process of any role of the pipeline."""
    return Instance(role=role, number=number)


def every(role: str) -> Role:
    """Name all processes of a role."""
    return Role(role=role)


def producer(number: int = 0) -> Instance:
    """Name one producer process."""
    return Instance(role="producer", number=number)


def relay(number: int = 0) -> Instance:
    """Name one relay process."""
    return Instance(role="relay", number=number)


def consumer(number: int = 0) -> Instance:
    """Name one consumer process."""
    return Instance(role="consumer", number=number)


def database() -> Database:
    """Name the database server."""
    return Database()


def redis() -> LockService:
    """Name the Redis server, for pipelines that use it."""
    return LockService(name="redis")


def zookeeper() -> LockService:
    """Name the ZooKeeper server, for pipelines that use it."""
    return LockService(name="zookeeper")


# --- processes -------------------------------------------------------------------------------


def kill(target: Anything) -> Kill:
    """SIGKILL the target; it is started again when the fault ends."""
    return Kill(target=target)


def restart(target: Anything) -> Kill:
    """Kill the target under load and start it again at once: its recovery is part of the fault."""
    return Kill(target=target).for_seconds(0.5)


def stop(target: Anything) -> Stop:
    """End the target in good order; it is started again when the fault ends."""
    return Stop(target=target)


def pause(target: Anything) -> Pause:
    """SIGSTOP the target; SIGCONT when the fault ends."""
    return Pause(target=target)


def amnesia(
    target: NodeLike | Nodes, *, loses: Literal["tail", "log"] = "tail", keep: float = 0.0
) -> Amnesia:
    """Kill a node, or several at once, and let disks forget what was not flushed, or everything."""
    return Amnesia(target=target, loses=loses, keep=keep)


def kill_recovering(target: NodeLike, *, times: int = 1) -> KillRecovering:
    """Kill a node, and kill it again while it recovers."""
    return KillRecovering(target=target, times=times)


def rolling_restart(*, how: Literal["stop", "kill"] = "stop") -> RollingRestart:
    """Restart every node, one after the other."""
    return RollingRestart(how=how)


def restart_storm(target: Instance | Role, *, every_s: float = 1.0) -> RestartStorm:
    """Kill processes of a role again and again."""
    return RestartStorm(target=target, every_s=every_s)


def scale(role: str, *, to: int) -> Scale:
    """Run another number of instances of a role until the fault ends."""
    return Scale(target=Role(role=role), to=to)


def skew(target: Instance, *, by_s: float) -> Skew:
    """Set the clock of a process wrong until the fault ends."""
    return Skew(target=target, by_s=by_s)


def terminate(target: Instance | Role) -> Terminate:
    """Have the database end the target's sessions in the middle of their transactions."""
    return Terminate(target=target)


# --- operations ------------------------------------------------------------------------------


def move_leader(topic: str, partition: int) -> MoveLeader:
    """Hand leadership to a follower in sync, as an operator does."""
    return MoveLeader(topic=topic, partition=partition)


def reassign(topic: str, partition: int) -> Reassign:
    """Take a replica away from a node, and give it back when the operation ends."""
    return Reassign(topic=topic, partition=partition)


def add_partitions(topic: str, add: int = 1) -> AddPartitions:
    """Give a topic more partitions."""
    return AddPartitions(topic=topic, add=add)


def recreate_topic(topic: str) -> RecreateTopic:
    """Delete a topic, and make it anew when the operation ends: whatever it held is gone."""
    return RecreateTopic(topic=topic)


def configure_topic(topic: str, settings: dict[str, str]) -> ConfigureTopic:
    """Change settings of a topic until the operation ends."""
    return ConfigureTopic(topic=topic, settings=settings)


def configure_nodes(settings: dict[str, str]) -> ConfigureNodes:
    """Change dynamic settings of every node in turn until the operation ends."""
    return ConfigureNodes(settings=settings)
