"""Schedules that nobody wrote: whatever breaks within the budget, the safe pipeline loses nothing.

Each session draws a few schedules from its own seed; `--seed` plays the same ones again,
`--schedules N` plays more of them, and `--time 10m` as many as fit.
"""

from harness.scenario import Drawing, DrawnSchedules, LabSession, pipeline


def test_a_safe_pipeline_survives_schedules_that_nobody_wrote(
    lab: LabSession, drawing: Drawing
) -> None:
    """One node away at a time, and roles, links and the database at any."""
    DrawnSchedules(lab, pipeline("outbox")).play(drawing)
