"""Share groups: a queue whose broker counts deliveries, and gives a record up after the fifth.

Safe is a group with a dead-letter queue and `earliest`, which nobody has here yet. Unsafe: the
broker's defaults.
"""

import pytest

from harness.scenario import LabSession, claims, play_claim


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize("name", claims("share groups"))
def test_every_claim_about_share_groups_is_as_it_says(lab: LabSession, name: str) -> None:
    """Records that failed five times; records from before the group first met."""
    play_claim(lab, name)
