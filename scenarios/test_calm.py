"""Without a fault, everything that is committed takes effect exactly once."""

from harness.scenario import LabSession, Workload, pipeline


def test_a_calm_day_loses_nothing(lab: LabSession) -> None:
    """No fault at all: the yardstick that every other scenario is read against."""
    run = lab.run(pipeline("outbox"))
    run.assert_exactly_once()


def test_a_busy_calm_day_loses_nothing(lab: LabSession) -> None:
    """As fast as the producer can, twenty messages a transaction."""
    run = lab.run(pipeline("outbox"), workload=Workload(rate_per_s=4000, batch=20))
    run.assert_exactly_once()
