"""Which driver does which operation."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.faults import settings
from harness.faults.driver import Driver, Surroundings
from harness.faults.operations import AddedPartitions, MovedLeader, ReassignedReplica
from harness.faults.recreated import RecreatedTopic
from harness.schedule.operations import (
    AddPartitions,
    ConfigureNodes,
    ConfigureTopic,
    MoveLeader,
    Reassign,
    RecreateTopic,
)
from harness.schedule.values import Fault

_DRIVERS: Mapping[type, Callable[[Any, Surroundings], Driver]] = {
    MoveLeader: lambda fault, around: MovedLeader(fault.topic, fault.partition, around=around),
    Reassign: lambda fault, around: ReassignedReplica(fault.topic, fault.partition, around=around),
    AddPartitions: lambda fault, around: AddedPartitions(fault.topic, fault.add, around=around),
    RecreateTopic: lambda fault, around: RecreatedTopic(fault.topic, around=around),
    ConfigureTopic: lambda fault, around: settings.of_topic(
        fault.topic, fault.settings, around=around
    ),
    ConfigureNodes: lambda fault, around: settings.of_nodes(fault.settings, around=around),
}


def make(fault: Fault, around: Surroundings) -> Driver | None:
    """Return the driver of an operation, or None if the fault is none."""
    found = _DRIVERS.get(type(fault))
    return None if found is None else found(fault, around)
