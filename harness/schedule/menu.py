"""The menu: everything that the generator may order, and how often it does. PURE."""

from collections.abc import Mapping
from types import MappingProxyType

from harness.schedule.item import Item
from harness.schedule.menu_cluster import cluster_items
from harness.schedule.menu_pipeline import pipeline_items
from harness.schedule.shape import PipelineShape
from harness.schedule.values import Budget

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "kill": 4.0,
        "stop": 1.5,
        "pause": 2.0,
        "amnesia": 1.0,
        "kill-recovering": 0.5,
        "rolling-restart": 0.3,
        "restart-storm": 1.0,
        "scale": 1.0,
        "skew": 0.0,  # not every platform can, and the role restarts for it: by hand only
        "terminate": 1.0,
        "isolate": 2.0,
        "cut": 2.0,
        "partition": 1.5,
        "unreachable": 3.0,
        "frames": 0.0,  # they make known races certain; which ones is for people to say
        "move-leader": 1.0,
        "reassign": 0.7,
        "add-partitions": 0.5,
        "configure-topic": 0.4,
        "configure-nodes": 0.4,
    }
)
"""How often each kind is drawn, relative to the others. A kind is switched off by 0: one line."""


def items(
    shape: PipelineShape, *, budget: Budget = "safe", weights: Mapping[str, float] = WEIGHTS
) -> tuple[Item, ...]:
    """Return what may be ordered for a pipeline within a budget; their names are unique."""
    everything = (*(cluster_items(shape) if shape.topics else ()), *pipeline_items(shape))
    return tuple(
        item
        for item in everything
        if weights.get(item.kind, 0.0) > 0.0 and (budget == "over" or item.budget == "safe")
    )
