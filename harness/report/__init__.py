"""Run folders in, one report out: `build` reads and adds up, `write` makes the page and data."""

from harness.report.building import build
from harness.report.files import write
from harness.report.publishing import publish, publish_at_the_end

__all__ = ["build", "publish", "publish_at_the_end", "write"]
