"""Leads client links of a lab through its frame proxy, and back.

The proxy is a process of the lab like any other: it bears the lab's mark, so the warden ends it
when the harness dies, and it ends by itself when its control connection does. It starts with the
first link that is led through it; a lab that never needs it never pays for it.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from harness.errors import LabError
from harness.lab.frames.connection import Detour
from harness.lab.frames.control import FrameControl
from harness.lab.frames.rules import FrameRule, FrameSighting
from harness.lab.layout import LOOPBACK, Layout
from harness.lab.links.proxied import ProxiedLinks
from harness.lab.process import Command, ServerProcess, plain_environment
from harness.lab.values import Link

START_S = 10.0


class FrameDetours:
    """`Frames` of one lab."""

    def __init__(
        self,
        folder: Path,
        *,
        layout: Layout,
        links: ProxiedLinks,
        mark: Mapping[str, str],
        listen_at: Callable[[], str] = lambda: LOOPBACK,
        found_at: Callable[[], str] = lambda: LOOPBACK,
    ) -> None:
        """Listen on the address `listen_at`, which Toxiproxy finds under `found_at`."""
        self._layout = layout
        self._listen_at = listen_at
        self._found_at = found_at
        self._links = links
        self._led: tuple[Link, ...] = ()
        self._control: FrameControl | None = None
        command = Command(
            argv=(sys.executable, "-I", "-m", "harness.lab.frames", str(layout.frames)),
            folder=folder,
            log=folder / "frames.log",
            environment={**plain_environment(), **mark},
            ports=(),  # it listens at one after the other, and at the control port for one call
        )
        self.server = ServerProcess("the frame proxy", command, answers=self._answers)

    def lead(self, links: Iterable[Link]) -> None:
        """Lead client links through the proxy; LabError when it does not come up."""
        fresh = tuple(link for link in dict.fromkeys(links) if link not in self._led)
        if not fresh:
            return
        control = self._started()
        listen_host, found_at = self._listen_at(), self._found_at()
        for link in fresh:
            control.open(
                Detour(
                    listen=self._layout.detour(link),
                    upstream=self._layout.upstream(link),
                    slot=int(link.source.removeprefix("slot")),
                    node=int(link.target),
                    listen_host=listen_host,
                )
            )
        self._led += fresh
        self._reroute(fresh, {link: f"{found_at}:{self._layout.detour(link)}" for link in fresh})

    def lead_back(self) -> None:
        """End every rule, and let every link go straight to its node again."""
        led, self._led = self._led, ()
        if led:
            self._reroute(led, {})  # the links first: nothing may find a detour that is closed
            self._running().close_all()

    def arm(self, rule: FrameRule) -> int:
        """Put a rule into force; return its number."""
        return self._running().arm(rule)

    def look(self, number: int) -> FrameSighting:
        """Return what a rule saw and did so far."""
        return self._running().look(number)

    def release(self, number: int) -> None:
        """Take a rule out of force: what it held goes on its way, in order."""
        self._running().release(number)

    def close(self) -> None:
        """Hang up; the process ends by itself, if the lab has not ended it."""
        if self._control is not None:
            self._control.hang_up()

    def _reroute(self, links: tuple[Link, ...], detours: Mapping[Link, str]) -> None:
        self._links.reroute(links, detours=detours)

    def _started(self) -> FrameControl:
        if self._control is None:
            self.server.start()
            self._control = FrameControl(self._layout.frames, start_s=START_S)
        return self._control

    def _running(self) -> FrameControl:
        if self._control is None:
            raise LabError("No link is led through the frame proxy, so it can catch nothing")
        return self._control

    def _answers(self) -> bool:
        return self._control is not None
