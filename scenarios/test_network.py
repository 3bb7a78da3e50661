"""Network: links that are slow, that lose only the answers, or that come and go.

Safe: whoever does not hear an answer asks again, and whoever asks twice changes nothing.
"""

import pytest

from harness.scenario import (
    LabSession,
    cannot_fetch,
    cannot_reach,
    damage,
    follower,
    isolate,
    latency,
    leader,
    pipeline,
    relay,
)


@pytest.mark.thorough
def test_a_slow_follower_holds_nobody_up(lab: LabSession) -> None:
    """Every fetch of one follower takes 600 ms longer; the ISR may keep it or not."""
    fault = cannot_fetch(follower("orders", 0), source=leader("orders", 0), flavour=latency(300))
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(4)).assert_exactly_once()


@pytest.mark.thorough
def test_records_whose_acknowledgements_are_lost_are_sent_again_without_harm(
    lab: LabSession,
) -> None:
    """The leader has the relay's records; the relay never hears of it, and sends them again."""
    fault = cannot_reach(relay(0), leader("orders", 0), flavour=damage("drop", stream="answers"))
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(3)).assert_exactly_once()


@pytest.mark.thorough
def test_a_flapping_leader_loses_nothing(lab: LabSession) -> None:
    """Cut off from its peers every other half second: fenced and back, or never quite."""
    fault = isolate(leader("orders", 0), flavour="refuse", flap_s=0.5)
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(4)).assert_exactly_once()
