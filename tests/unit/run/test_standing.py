"""A standing lab is taken as it is: what needs another one is refused before anything is asked."""

import pytest

from harness.errors import UsageError
from harness.lab.choice import LabChoice
from harness.pipeline.spec import Needs
from harness.run.standing import standing_start


@pytest.mark.parametrize(
    ("choice", "needs"),
    [
        (LabChoice(), Needs(broker={"min.insync.replicas": "1"})),
        (LabChoice(), Needs(kafka="3.9.1")),
        (LabChoice(features={"eligible.leader.replicas.version": 0}), Needs()),
    ],
)
def test_what_needs_a_cluster_of_its_own_is_refused(choice: LabChoice, needs: Needs) -> None:
    """With the remedy in the error, and before any engine is asked."""
    start = standing_start(choice, progress=lambda _: None)
    with pytest.raises(UsageError, match="leave --lab out"):
        start(needs)
