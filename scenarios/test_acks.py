"""acks: when a record may be called acknowledged.

Safe: acks=all with retries, and an error is an error. Unsafe: acks=0 and acks=1 are told "done" by
a leader that nobody follows any more; errors that are logged and then forgotten.
"""

from typing import Literal

import pytest

from harness.scenario import (
    LabSession,
    claims,
    isolate,
    leader,
    pipeline,
    play_claim,
    variant,
)


@pytest.mark.parametrize("flavour", ["hold", "drop", "refuse"])
def test_acked_messages_survive_the_isolation_of_their_leader(
    lab: LabSession, flavour: Literal["hold", "drop", "refuse"]
) -> None:
    """Cut the leader off from its peers, while clients still reach it."""
    fault = isolate(leader("orders", 0), flavour=flavour).after(acked=300).for_seconds(3)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.unsafe
@pytest.mark.parametrize("acks", ["acks-1", "acks-0"])
def test_weaker_acks_lose_what_an_isolated_leader_acknowledged(lab: LabSession, acks: str) -> None:
    """The same isolation under acks=1 and acks=0: acknowledged, and not in the log."""
    fault = isolate(leader("orders", 0), flavour="hold").after(acked=300).for_seconds(6)
    lab.catch(variant(acks), fault)


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize("name", claims("acks", but=("acks-0", "acks-1")))
def test_every_other_claim_about_acks_is_as_it_says(lab: LabSession, name: str) -> None:
    """Planned moves, dead leaders, ignored errors: each with the schedule that shows it."""
    play_claim(lab, name)
