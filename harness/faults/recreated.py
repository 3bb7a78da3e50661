"""A topic that an operator deletes and makes anew, under the same name: its records are gone."""

from harness.errors import LabError, UsageError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.operations import DONE_S, UNDONE_S, Asking, whole
from harness.lab.values import PartitionState


class RecreatedTopic:
    """The topic is gone while the fault is in force, and made anew at its end.

    By the same specification: what is written afterwards begins at offset 0 again.
    """

    def __init__(self, topic: str, *, around: Surroundings) -> None:
        """UsageError when the pipeline declares no such topic."""
        if topic not in around.specs:
            raise UsageError(
                f"There is no topic {topic} that could be made anew",
                remedy=f"topics of this pipeline: {', '.join(sorted(around.specs))}",
            )
        self._spec = around.specs[topic]
        self._around = around
        self.what = f"delete {topic} and make it anew"
        self.resolved: dict[str, object] = {"topic": self._spec.name}
        self._records = 0
        operator = around.lab.cluster.operator
        self._going = Asking(
            lambda: operator.delete_topic(self._spec.name),
            done=lambda: self._states() == [],
            deadline_s=DONE_S,
        )
        self._coming = self._asking_back()

    def apply(self) -> None:
        """Count what is in it, and ask for its end for the first time."""
        cluster = self._around.lab.cluster
        places = [(state.topic, state.partition) for state in self._states() or ()]
        begins, ends = cluster.begins(places), cluster.ends(places)
        self._records = sum(ends[place] - begins.get(place, 0) for place in ends)
        self._going.step()

    def held(self) -> bool:
        """Tell whether it was asked for, which it was when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Ask again until the topic is gone."""
        self._going.step()

    def finished(self) -> bool:
        """Tell whether the cluster's own metadata showed it no more."""
        return self._going.seen

    def heal(self) -> None:
        """Ask for a new one: what the watch knows of the old one is forgotten first."""
        self._around.watch.forget(self._spec.name)
        self._coming = self._asking_back()
        self._coming.step()

    def healed(self) -> bool:
        """Tell whether it is there again, with every replica of its partitions in sync."""
        return self._coming.step()

    def evidence(self) -> Evidence:
        """Return how much was in it, and whether it was seen to be gone and to be back."""
        back = "is there again" if self._coming.seen else "was not there again"
        return Evidence(
            bit=self._going.seen and self._records > 0,
            sentences=(
                f"{self._records} records were in it when it was deleted",
                f"it was {'' if self._going.seen else 'never '}seen to be gone, and {back}",
            ),
        )

    def _asking_back(self) -> Asking:
        operator = self._around.lab.cluster.operator
        return Asking(
            lambda: operator.create_topic(self._spec), done=self._is_back, deadline_s=UNDONE_S
        )

    def _is_back(self) -> bool:
        states = self._states() or ()
        return len(states) == self._spec.partitions and whole(states)

    def _states(self) -> list[PartitionState] | None:
        """Return its partitions by the cluster's own newest word, None if no node answers.

        Not by the watch's, which never forgets by itself what it has seen once.
        """
        try:
            found = self._around.lab.cluster.partitions()
        except LabError:
            return None
        return [state for state in found if state.topic == self._spec.name]
