"""From a fault of the schedule to the driver that applies it, its target resolved now.

Each area says which kinds it can make; this module only puts them together.
"""

from harness.errors import UsageError
from harness.faults import frames, link_faults, node_faults, operation_faults, role_faults
from harness.faults.driver import Driver, Surroundings
from harness.schedule.values import Fault

_AREAS = (
    link_faults.make,
    frames.make,
    node_faults.make,
    operation_faults.make,
    role_faults.make,
)


def make_driver(fault: Fault, around: Surroundings) -> Driver:
    """Return the driver of a fault; FaultError or UsageError when its target does not exist."""
    for make in _AREAS:
        driver = make(fault, around)
        if driver is not None:
            return driver
    raise UsageError(f"{fault}: there is no driver for faults of kind {fault.kind}")
