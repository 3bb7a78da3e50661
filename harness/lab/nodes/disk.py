"""The disk of a node, which can forget what a power loss or an exchanged disk takes away.

SIGKILL keeps the page cache, so only this shows what was acknowledged without being flushed. The
quorum's own log is never touched: a node that was the active controller dies on its next start
when its quorum state is gone.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.errors import LabError
from harness.lab.nodes import segments
from harness.lab.protocol import Process
from harness.lab.values import LogLoss

QUORUM_LOG = "__cluster_metadata-0"
_CLEAN_SHUTDOWN = ".kafka_cleanshutdown"
_CHECKPOINTS = "*-checkpoint"
_RECOVERY_POINTS = "recovery-point-offset-checkpoint"
_NAME = re.compile(r".+-\d+")
_DERIVED = (".index", ".timeindex", ".txnindex")
"""Files beside a segment that recovery makes anew from it."""


class NodeDisk:
    """`Disk` over the log folder of a node, which is a folder of this machine."""

    def __init__(self, data: Path, *, process: Process) -> None:
        self._data = data
        self._process = process

    def forget_tail(self, *, keep: float) -> tuple[LogLoss, ...]:
        """Cut what was never flushed off the newest segment of each log; a share of it stays."""
        self._require_dead()
        points = self._recovery_points()
        (self._data / _CLEAN_SHUTDOWN).unlink(missing_ok=True)
        losses = [
            self._cut_tail(folder, flushed=points.get(_place(folder), 0), keep=keep)
            for folder in self._logs()
        ]
        return tuple(loss for loss in losses if loss.bytes)

    def forget_log(self) -> tuple[LogLoss, ...]:
        """Remove every log but the quorum's own, and the checkpoints; the identity stays."""
        self._require_dead()
        losses = [_whole(folder) for folder in self._logs()]
        for folder in self._data.iterdir():
            if folder.is_dir() and folder.name != QUORUM_LOG:
                shutil.rmtree(folder)
        for checkpoint in self._data.glob(_CHECKPOINTS):
            checkpoint.unlink()
        (self._data / _CLEAN_SHUTDOWN).unlink(missing_ok=True)
        return tuple(loss for loss in losses if loss.bytes)

    def _cut_tail(self, folder: Path, *, flushed: int, keep: float) -> LogLoss:
        """Cut the newest segment: the ones before it were flushed when they were rolled."""
        newest = newest_segment(folder)
        size = newest.stat().st_size
        batches = list(segments.batches(newest.read_bytes()))
        safe = max((at.ends_at for at in batches if at.next_offset <= flushed), default=0)
        left = safe + int((size - safe) * keep)
        begin = _end_of_log(newest, [at for at in batches if at.ends_at <= left])
        if left < size:
            with newest.open("r+b") as segment:
                segment.truncate(left)
            for suffix in _DERIVED:
                newest.with_suffix(suffix).unlink(missing_ok=True)
        topic, partition = _place(folder)
        return LogLoss(
            topic=topic,
            partition=partition,
            bytes=size - left,
            begin=begin,
            end=_end_of_log(newest, batches),
        )

    def _recovery_points(self) -> dict[tuple[str, int], int]:
        path = self._data / _RECOVERY_POINTS
        return segments.checkpoint(path.read_text(encoding="utf-8")) if path.exists() else {}

    def _logs(self) -> Iterator[Path]:
        """Yield each partition's folder, without the quorum's and those about to be deleted."""
        for folder in sorted(self._data.iterdir()):
            if folder.name == QUORUM_LOG or not _NAME.fullmatch(folder.name):
                continue
            if any(folder.glob("*.log")):
                yield folder

    def _require_dead(self) -> None:
        if self._process.pid() is not None:
            raise LabError(f"{self._process.name} runs: its disk cannot forget anything now")


def newest_segment(folder: Path) -> Path:
    """Return the segment that a log appends to: the one with the highest first offset."""
    return max(folder.glob("*.log"))


def _whole(folder: Path) -> LogLoss:
    topic, partition = _place(folder)
    newest = newest_segment(folder)
    logs = sorted(folder.glob("*.log"))
    return LogLoss(
        topic=topic,
        partition=partition,
        bytes=sum(log.stat().st_size for log in logs),
        begin=int(logs[0].stem),
        end=_end_of_log(newest, list(segments.batches(newest.read_bytes()))),
    )


def _end_of_log(newest: Path, batches: "list[segments.Batch]") -> int:
    return batches[-1].next_offset if batches else int(newest.stem)


def _place(folder: Path) -> tuple[str, int]:
    topic, _, number = folder.name.rpartition("-")
    return topic, int(number)
