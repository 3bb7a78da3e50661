"""Turn symbolic targets into what they stand for at this moment."""

from harness.errors import HarnessError, UsageError
from harness.faults.driver import Surroundings
from harness.lab.values import PartitionState
from harness.schedule.targets import (
    Controller,
    Coordinator,
    Former,
    Instance,
    Leader,
    Node,
    NodeLike,
    Standby,
)


class FaultError(HarnessError):
    """A fault could not be applied, or not go on, on what its target stands for."""


class UnplayableError(UsageError):
    """Kafka refuses for good what a fault asks for: no run can ever play this schedule."""


def resolve_node(target: NodeLike, around: Surroundings) -> int:
    """Return the node's number; FaultError when the target stands for none right now."""
    if isinstance(target, Node):
        if target.number not in around.lab.nodes:
            raise UsageError(f"There is no {target}; nodes are {sorted(around.lab.nodes)}")
        return target.number
    if isinstance(target, Former):
        if target.fault not in around.hit:
            raise FaultError(f"{target}: that fault has hit no node so far")
        return around.hit[target.fault]
    if isinstance(target, Controller | Coordinator):
        return _resolve_server_role(target, around)
    if isinstance(target, Standby):
        return _resolve_standby(target, around)
    around.watch.refresh()
    state = partition_state(target.topic, target.partition, around)
    if isinstance(target, Leader):
        if state.leader not in around.lab.nodes:
            raise FaultError(f"{target.topic}/{target.partition} has no leader at this moment")
        return state.leader
    followers = sorted(set(state.isr) - {state.leader})
    followers += sorted(set(state.replicas) - {state.leader, *followers})
    if target.index >= len(followers):
        raise FaultError(f"{target} does not exist: the followers are {followers}")
    return followers[target.index]


def _resolve_server_role(target: Controller | Coordinator, around: Surroundings) -> int:
    cluster = around.lab.cluster
    if isinstance(target, Controller):
        node = cluster.controller()
    else:
        node = cluster.coordinator(target.name or around.group, kind=target.of)
    if node is None or node not in around.lab.nodes:
        raise FaultError(f"{target} is not known at this moment")
    return node


def _resolve_standby(target: Standby, around: Surroundings) -> int:
    others = sorted(set(around.lab.nodes) - {_resolve_server_role(Controller(), around)})
    alive = around.lab.cluster.registered()
    others.sort(key=lambda node: node not in alive)
    if target.index >= len(others):
        raise FaultError(f"{target} does not exist: the standbys are {others}")
    return others[target.index]


def partition_state(topic: str, partition: int, around: Surroundings) -> PartitionState:
    """Return the newest state of a partition by its logical topic name.

    FaultError while there is none: its topic is being made anew, say.
    """
    physical = around.topics.get(topic, topic)
    state = around.watch.state(physical, partition)
    if state is None:
        raise FaultError(f"there is no partition {topic}/{partition} at this moment")
    return state


def require_instance(target: Instance, around: Surroundings) -> tuple[str, int]:
    """Return (role, instance); UsageError when the pipeline has no such process."""
    found = (target.role, target.number)
    if found not in around.slots:
        known = ", ".join(f"{role} {number}" for role, number in sorted(around.slots))
        raise UsageError(
            f"There is no process {target} in this pipeline", remedy=f"use one of: {known}"
        )
    return found
