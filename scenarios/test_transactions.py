"""Transactions of Kafka's: what they hold together, and what they do not.

Safe: a batch of the outbox in one transaction, ended before its marks, and consumers that read what
was committed. Unsafe: a transaction of Kafka's around one of the database's; uncommitted reads; an
end of a transaction that comes late and ends another one.
"""

import pytest

from harness.scenario import LabSession, claims, play_claim


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize("name", claims("transactions"))
def test_every_claim_about_transactions_is_as_it_says(lab: LabSession, name: str) -> None:
    """Each with the schedule that shows it; the last one on an older Kafka, too."""
    play_claim(lab, name)
