"""Reset and retention: where a group begins to read, and what is left for it to read.

Safe: `earliest`, offsets and records that are kept longer than anybody is away. Unsafe: `latest`,
expired offsets, records that retention or compaction removed before they were read.
"""

import pytest

from harness.scenario import (
    LabSession,
    add_partitions,
    claims,
    consumer,
    pause,
    pipeline,
    play_claim,
    variant,
)


@pytest.mark.thorough
def test_consumers_that_are_late_read_what_waited_for_them(lab: LabSession) -> None:
    """Nothing removes a record because it is old, and nobody begins behind it."""
    late = pause(consumer(0)).after(processed=300).for_seconds(8)
    lab.run(pipeline("outbox"), late).assert_exactly_once()


@pytest.mark.thorough
def test_more_partitions_under_load_lose_nothing(lab: LabSession) -> None:
    """Relay and consumers learn of the new partitions while they work, and use them."""
    run = lab.run(pipeline("outbox"), add_partitions("orders", 3).after(acked=300))
    run.assert_exactly_once()


@pytest.mark.unsafe
def test_latest_on_a_new_group_is_caught(lab: LabSession) -> None:
    """No fault at all: the group was deployed two seconds after the first order."""
    lab.catch(variant("latest-new-group"))


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize("name", claims("reset and retention", but=("latest-new-group",)))
def test_every_other_claim_about_reset_and_retention_is_as_it_says(
    lab: LabSession, name: str
) -> None:
    """New partitions, expired offsets, short retention, compaction."""
    play_claim(lab, name)
