"""Order per key: promised only by pipelines that say so, and then judged.

Safe: one relay that waits for its rows, an idempotent producer, no gaps. Unsafe: several requests
in flight without idempotence, several relays. What enable.idempotence does not promise stands here.
"""

import pytest

from harness.scenario import (
    LabSession,
    Workload,
    claims,
    frames,
    play_claim,
    relay,
    variant,
)

# A request each, and so many of a key in flight that the lost one is hardly ever the last.
SIDE_BY_SIDE = Workload(keys=3, rate_per_s=60, batch=60)
LOST_REQUEST = frames(relay(), "Produce", nth=3, act="drop").after(acked=100).for_seconds(2)


@pytest.mark.thorough
def test_a_request_that_is_lost_between_others_keeps_its_place(lab: LabSession) -> None:
    """The broker refuses what comes after the gap; all of it is sent again, in order."""
    lab.run(variant("ordered"), LOST_REQUEST, workload=SIDE_BY_SIDE).assert_exactly_once()


@pytest.mark.unsafe
def test_requests_in_flight_without_idempotence_are_caught(lab: LabSession) -> None:
    """The same request is lost, those behind it arrive, and its retry comes after them."""
    lab.catch(variant("reordered-in-flight"), LOST_REQUEST, workload=SIDE_BY_SIDE)


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize("name", claims("order per key", but=("ordered", "reordered-in-flight")))
def test_every_other_claim_about_order_is_as_it_says(lab: LabSession, name: str) -> None:
    """Two relays; duplicates in the log of an idempotent producer."""
    play_claim(lab, name)
