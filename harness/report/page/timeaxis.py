"""One run on one time axis: its lanes, curves and ruler, ready for the page. PURE."""

from dataclasses import dataclass

from harness.report.axis import PhaseSpan, RunStory
from harness.report.page.chronicle import Entry, chronicle
from harness.report.page.cluster import cluster_lanes
from harness.report.page.curves import Chart, charts
from harness.report.page.faults import fault_lanes
from harness.report.page.lanes import Group
from harness.report.page.lives import Life, by_message, life_lanes
from harness.report.page.processes import process_lanes, trouble_lanes
from harness.report.page.scale import ticks

SHORTEST_S = 0.1
MOST_LIVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A run's time axis."""

    run: str
    why: str
    length_s: float
    exact: bool
    """Whether the curves come from journals."""
    ticks: tuple[float, ...]
    phases: tuple[PhaseSpan, ...]
    storm: PhaseSpan | None
    """What is looked at first."""
    lives: tuple[Life, ...]
    groups: tuple[Group, ...]
    charts: tuple[Chart, ...]
    entries: tuple[Entry, ...]


def axis(story: RunStory) -> Axis:
    """Return what the page draws of a run."""
    length_s = max(story.length_s, SHORTEST_S)
    groups = (trouble_lanes(story), fault_lanes(story), process_lanes(story), cluster_lanes(story))
    return Axis(
        run=story.run,
        why=story.why,
        length_s=length_s,
        exact=story.source == "journals",
        ticks=ticks(length_s),
        phases=story.phases,
        storm=next((phase for phase in story.phases if phase.name == "storm"), None),
        lives=tuple(life_lanes(life) for life in by_message(story.lives)[:MOST_LIVES]),
        groups=tuple(group for group in groups if group.rows),
        charts=charts(story.series),
        entries=chronicle(story),
    )
