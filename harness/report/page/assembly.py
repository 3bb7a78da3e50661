"""What the templates are given: the report and its drawings. PURE."""

from harness.report.model import Report, RunLine
from harness.report.page.cover import sheets
from harness.report.page.funnel import balance
from harness.report.page.matrix import planes
from harness.report.page.order import outcomes, strip_of
from harness.report.page.recovery import recovery
from harness.report.page.timeaxis import axis

FEW_RUNS = 100
"""With more runs than these, a printed list leaves out those that passed."""


def context(report: Report) -> dict[str, object]:
    """Return the names that `page.html.j2` knows."""
    lines: dict[str, RunLine] = {line.key: line for line in report.runs}
    return {
        "report": report,
        "headline": report.headline,
        "lines": lines,
        "outcomes": outcomes(report.headline),
        "balances": [balance(funnel) for funnel in report.funnels],
        "axes": [axis(story) for story in report.stories],
        "shown": {story.run for story in report.stories},
        "planes": planes(report.links),
        "recovery": recovery(report.recovery),
        "sheets": sheets(report.coverage.cells),
        "history": strip_of(report),
        "many_runs": len(report.runs) > FEW_RUNS,
    }
