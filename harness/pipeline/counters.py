"""The harness's side of the counter files: make, read, arm. Never counts anything itself.

Arming is safe beside a role that passes the point meanwhile. The role is the only writer of
`passes`, and it fires on `passes >= kill_at`: a pass that slips in between our reading of `passes`
and our writing of `kill_at` makes the point fire that much earlier, but never not at all. The role
clears `kill_at` after it wrote `fired_at` and dies, or stops, with the next instruction, so it
cannot clear a later arming; and we do not arm twice.
"""

from pathlib import Path

from harness.errors import UsageError
from harness.pipeline.probe import FILE_BYTES, FIRED_AT, KILL_AT, PASSES, CounterFile


class Counters:
    """The counter file of one role instance, made before its first start and kept over restarts."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(bytes(FILE_BYTES))
        self.path = path
        self._file = CounterFile(str(path))

    def read(self) -> dict[str, int]:
        """Return the passes of every counter, over all lives of the instance."""
        passes: dict[str, int] = {}
        for where, name in self._file.names():
            passes[name] = passes.get(name, 0) + self._file.words[where + PASSES]
        return passes

    def arm(self, name: str, *, passes: int = 1, stop: bool = False) -> None:
        """Let the role die, or stop, at its `passes`-th pass of point `name` from now."""
        if passes < 1:
            raise UsageError(f"Crash point {name!r} cannot be armed for pass {passes}")
        where, words = self._file.record(name), self._file.words
        if words[where + KILL_AT] != 0:
            raise UsageError(
                f"Crash point {name!r} is armed already", remedy="disarm it, or let it fire first"
            )
        words[where + FIRED_AT] = 0
        at = words[where + PASSES] + passes
        words[where + KILL_AT] = -at if stop else at

    def disarm(self, name: str) -> None:
        """Take an arming back; a point that fired stays fired."""
        self._file.words[self._file.record(name) + KILL_AT] = 0

    def armed(self, name: str) -> bool:
        """Tell whether the point waits for its pass."""
        return self._file.words[self._file.record(name) + KILL_AT] != 0

    def fired(self, name: str) -> int:
        """Return the pass at which the point fired since it was last armed, or 0."""
        return abs(self._file.words[self._file.record(name) + FIRED_AT])

    def all_fired(self) -> dict[str, int]:
        """Return every point that ended a life since it was last armed, with its pass."""
        found = {name: self._file.words[where + FIRED_AT] for where, name in self._file.names()}
        return {name: at for name, at in found.items() if at > 0}

    def close(self) -> None:
        """Unmap the file; it stays for the next reader."""
        self._file.close()
