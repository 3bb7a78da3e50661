"""Schedules that nobody wrote: whatever breaks within the budget, the safe pipeline loses nothing.

Each session draws a few schedules from its own seed; `--seed` plays the same ones again, and
`--schedules N` plays more of them.
"""

from harness.scenario import DrawnSchedules, LabSession, pipeline


def test_a_safe_pipeline_survives_schedules_that_nobody_wrote(
    lab: LabSession, drawn_session: tuple[int, int]
) -> None:
    """One node away at a time, and roles, links and the database at any."""
    root_seed, session = drawn_session
    DrawnSchedules(lab, pipeline("outbox")).play(root_seed=root_seed, session=session)
