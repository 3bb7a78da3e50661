"""A lab of local processes: `start_local_lab` is all that other rooms need of it."""

from harness.lab.local.boot import start_local_lab
from harness.lab.local.lab import LocalLab

__all__ = ["LocalLab", "start_local_lab"]
