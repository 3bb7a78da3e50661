"""A report as one HTML file that needs nothing else: no network, no script to be read, no folder.

Server-rendered: `render` is the whole interface. Modules here turn values of `harness.report` into
what templates draw; they read no files but the templates, and decide nothing about a run.
"""

from harness.report.model import Report
from harness.report.page.assembly import context
from harness.report.page.environment import environment

__all__ = ["render"]


def render(report: Report) -> str:
    """Return the page of a report, to be written as UTF-8.

    Everything that comes from a system under test is escaped, and its control characters are made
    visible. The page forbids itself, by its content security policy, to load anything at all.
    """
    return environment().get_template("page.html.j2").render(context(report))
