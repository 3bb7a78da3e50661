"""What a person sees while a run goes on: one live line on a terminal, plain lines elsewhere."""

from collections.abc import Callable
from typing import TextIO

from harness.clock import monotonic_s
from harness.run.events import Event

_CLEAR = "\r\x1b[2K"


def say(event: Event) -> str | None:
    """Return an event as one plain line, or None for one that is not worth a line."""
    fields = event.fields
    if event.event == "phase":
        return f"phase: {fields['phase']}"
    if event.event == "fault":
        evidence = fields.get("evidence")
        because = f" ({evidence[0]})" if isinstance(evidence, list) and evidence else ""
        return f"fault {fields['fault']} {fields['state']}: {fields.get('what', '')}{because}"
    if event.event == "trouble":
        return f"trouble ({fields['kind']}): {fields['message']}"
    if event.event == "drained":
        return f"drained after {fields['waited_s']} s: {fields['why']}"
    if event.event == "role" and fields.get("state") == "exited" and not fields.get("asked"):
        return f"{fields['role']} {fields['instance']} ended by itself with {fields.get('code')}"
    return None


class PlainLines:
    """Writes a line for each phase, fault and trouble."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._began_s = monotonic_s()

    def __call__(self, event: Event) -> None:
        """Write the event if it is worth a line."""
        if event.event == "phase" and event.fields["phase"] == "warm-up":
            self._began_s = monotonic_s()
        line = say(event)
        if line is not None:
            self._write(f"[{monotonic_s() - self._began_s:6.2f} s] {line}\n")

    def note(self, text: str) -> None:
        """Write a line that belongs to no run: what is fetched or started."""
        self._write(f"{text}\n")


class LiveLine:
    """Keeps one line of a terminal up to date: phase, messages so far, faults in force."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._phase = ""
        self._counts = ""
        self._faults: dict[object, str] = {}
        self._began_s = monotonic_s()

    def __call__(self, event: Event) -> None:
        """Take the event into the line; troubles get a line of their own."""
        fields = event.fields
        if event.event == "phase":
            self._phase = str(fields["phase"])
            if self._phase == "warm-up":
                self._began_s = monotonic_s()
                self._faults.clear()
        elif event.event == "fault":
            self._faults[fields["fault"]] = f"{fields.get('what', '')} {fields['state']}"
        elif event.event == "progress":
            self._counts = f"{fields['acked']} acked, {fields['processed']} processed"
        elif event.event == "trouble":
            self._stream.write(f"{_CLEAR}{say(event)}\n")
        self._draw()
        if event.event == "phase" and self._phase == "done":
            self.clear()

    def note(self, text: str) -> None:
        """Show what is fetched or started."""
        self._stream.write(f"{_CLEAR}{text[:100]}")
        self._stream.flush()

    def clear(self) -> None:
        """Leave an empty line for what is printed next."""
        self._stream.write(_CLEAR)
        self._stream.flush()

    def _draw(self) -> None:
        faults = "; ".join(self._faults.values())
        line = f"{monotonic_s() - self._began_s:5.1f} s  {self._phase:8} {self._counts}  {faults}"
        self._stream.write(f"{_CLEAR}{line[:118]}")
        self._stream.flush()


def choose(stream: TextIO) -> PlainLines | LiveLine:
    """Return the live line for a terminal, plain lines for anything else."""
    if stream.isatty():
        return LiveLine(stream)

    def write(text: str) -> None:
        stream.write(text)
        stream.flush()

    return PlainLines(write)
