"""The optional probe of a role: counters, crash points and a journal. Standard library only.

It owns the writing side of the two files that ARCHITECTURE.md describes, and must never change
what a role does: without the variables every call is a no-op.
"""

import fcntl
import json
import mmap
import os
import signal
import threading
import time
from collections.abc import Mapping
from typing import Self

RECORDS = 64
RECORD_BYTES = 64
NAME_BYTES = 40
FILE_BYTES = RECORDS * RECORD_BYTES
WORDS = RECORD_BYTES // 8
PASSES, KILL_AT, FIRED_AT = 5, 6, 7
"""Indexes of the three int64 of a record, in words of eight bytes."""


class CounterFile:
    """The mapped counters of one role instance.

    Every number is one aligned native eight-byte store, so that neither side ever reads half of
    one (the format is little-endian, as is every machine that Kafka is run on). `passes` is written
    by the role alone, `kill_at` by the harness, and by the role only when it is about to die or
    to stop.
    Registering a name is the one thing both sides may do, so it is done under `flock`.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._map = mmap.mmap(self._file, FILE_BYTES)
        self._bytes = memoryview(self._map)
        self.words = self._bytes.cast("q")
        self._where: dict[str, int] = {}

    def close(self) -> None:
        """Unmap the file; safe to call twice."""
        if self._file < 0:
            return
        self.words.release()
        self._bytes.release()
        self._map.close()
        os.close(self._file)
        self._file = -1

    def names(self) -> list[tuple[int, str]]:
        """Return (word index of its record, name) of every record in use: the first ones."""
        found = []
        for start in range(0, FILE_BYTES, RECORD_BYTES):
            raw = bytes(self._bytes[start : start + NAME_BYTES]).rstrip(b"\0")
            if not raw:
                break  # records are taken in order and never given back
            found.append((start // 8, raw.decode("utf-8", "replace")))
        return found

    def record(self, name: str) -> int:
        """Return the word index of the record of `name`, taking a free one if it has none."""
        where = self._where.get(name)
        if where is None:
            where = self._where[name] = self._register(name)
        return where

    def _register(self, name: str) -> int:
        raw = name.encode()
        if not raw or len(raw) > NAME_BYTES:
            raise ValueError(f"A counter's name has 1 to {NAME_BYTES} bytes; {name!r} has not")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            taken = {known: where for where, known in self.names()}
            if name in taken:
                return taken[name]
            free = set(range(0, RECORDS * WORDS, WORDS)) - set(taken.values())
            if not free:
                raise ValueError(f"All {RECORDS} counters are taken; no room for {name!r}")
            where = min(free)
            self._bytes[where * 8 : where * 8 + len(raw)] = raw
            return where
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)


class Journal:
    """An append-only event file; an event is one `write`, so SIGKILL can tear at most the last."""

    def __init__(self, path: str) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o644)
        self._n = 0
        size = os.fstat(self._file).st_size
        self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"

    def write(self, event: str, fields: Mapping[str, object]) -> None:
        """Append one event; `n` is gapless because it only advances with a whole line written."""
        line = {"n": self._n + 1, "at_us": time.time_ns() // 1000, "event": event, **fields}
        text = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        if self._torn:
            text = b"\n" + text
            self._torn = False
        while text:
            text = text[os.write(self._file, text) :]
        self._n += 1

    def close(self) -> None:
        """Close the file; nothing is buffered, so nothing can be lost here."""
        os.close(self._file)


class Probe:
    """What a role tells the harness about itself; for one thread."""

    def __init__(self, *, journal: Journal | None, counters: CounterFile | None) -> None:
        self._journal = journal
        self._counters = counters

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Open what HARNESS_JOURNAL and HARNESS_COUNTERS name; journal the start of this life."""
        journal = environment.get("HARNESS_JOURNAL")
        counters = environment.get("HARNESS_COUNTERS")
        probe = cls(
            journal=Journal(journal) if journal else None,
            counters=CounterFile(counters) if counters else None,
        )
        probe.journal("start", pid=os.getpid())
        return probe

    def journal(self, event: str, **fields: object) -> None:
        """Append one event of ARCHITECTURE.md's table, with its fields as JSON values."""
        if self._journal is not None:
            self._journal.write(event, fields)

    def count(self, name: str, n: int = 1) -> None:
        """Add `n` to the counter `name`."""
        if self._counters is not None:
            self._counters.words[self._counters.record(name) + PASSES] += n

    def point(self, name: str) -> None:
        """Pass the crash point `name`: count it, and die or stop here if it is armed for now.

        A positive `kill_at` means SIGKILL, a negative one SIGSTOP: this very statement goes on
        after SIGCONT.
        """
        if self._counters is None:
            return
        words, where = self._counters.words, self._counters.record(name)
        passes = words[where + PASSES] = words[where + PASSES] + 1
        armed = words[where + KILL_AT]
        if armed == 0 or passes < abs(armed):
            return
        words[where + FIRED_AT] = passes if armed > 0 else -passes
        words[where + KILL_AT] = 0
        if armed > 0:
            os.kill(os.getpid(), signal.SIGKILL)
        else:  # to this very thread: what is sent to the process, another one may take, later
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)

    def close(self) -> None:
        """Close both files."""
        if self._journal is not None:
            self._journal.close()
        if self._counters is not None:
            self._counters.close()
