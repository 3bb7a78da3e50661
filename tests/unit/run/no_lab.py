"""A lab that does not come up, for what is told or judged without one."""

from harness.errors import LabError
from harness.lab.protocol import Lab
from harness.pipeline.spec import Needs
from harness.run.session import NOTHING_SPECIAL


def no_lab(needs: Needs = NOTHING_SPECIAL) -> Lab:
    """Fail as a lab does that cannot be booted."""
    raise LabError(f"Nobody came up, {needs}")
