"""The witness of the quorum tells each change of the active controller once."""

from harness.errors import LabError
from harness.faults.controller_watch import ControllerWatch

from .standing_in import cluster_of


class FakeCluster:
    """Names one prepared controller after another; 0 stands for a cluster that does not answer."""

    def __init__(self, nodes: list[int | None]) -> None:
        self.nodes = nodes

    def controller(self) -> int | None:
        """Return the next one."""
        node = self.nodes.pop(0)
        if node == 0:
            raise LabError("nobody answers")
        return node


def test_each_other_controller_is_told_once() -> None:
    """An election in between, or nobody who answers, is no change."""
    nodes = [None, 1, 1, None, 1, 0, 2, 2, 1]
    told: list[int] = []
    watch = ControllerWatch(cluster_of(FakeCluster(list(nodes))), on_change=told.append)
    for _ in nodes:
        watch.look()
    assert told == [1, 2, 1]
