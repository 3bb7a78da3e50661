"""Which driver does which operation."""

from harness.faults import settings
from harness.faults.driver import Driver, Surroundings
from harness.faults.operations import AddedPartitions, MovedLeader, ReassignedReplica
from harness.schedule.operations import (
    AddPartitions,
    ConfigureNodes,
    ConfigureTopic,
    MoveLeader,
    Reassign,
)
from harness.schedule.values import Fault


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of an operation, or None if the fault is none."""
    if isinstance(fault, MoveLeader):
        return MovedLeader(fault.topic, fault.partition, around=around)
    if isinstance(fault, Reassign):
        return ReassignedReplica(fault.topic, fault.partition, around=around)
    if isinstance(fault, AddPartitions):
        return AddedPartitions(fault.topic, fault.add, around=around)
    if isinstance(fault, ConfigureTopic):
        return settings.of_topic(fault.topic, fault.settings, around=around)
    if isinstance(fault, ConfigureNodes):
        return settings.of_nodes(fault.settings, around=around)
    return None
