"""What was seen on damaged links while their damage was in force, and whether that is a bite."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.faults.driver import Evidence, Met
from harness.lab.values import Link, LinkTraffic
from harness.schedule.network import Damage

Traffic = Mapping[Link, LinkTraffic]
_SLOW = ("latency", "bandwidth", "slice")
_ENDING = ("reset", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """One link that came under the damage: just before it, and once it was in force."""

    before: LinkTraffic
    after: LinkTraffic


class Exposure:
    """Adds up, over all the times a damage was in force, what its links carried meanwhile."""

    def __init__(self, damage: Damage, *, links: int) -> None:
        """`links`: how many the fault is about, whoever holds them."""
        self._damage = damage
        self._wanted = links
        self._now: dict[Link, _Begun] = {}
        self._under: set[Link] = set()
        self._met = 0
        self._open = 0
        self._accepted = 0
        self._ended = 0
        self._asked: int | None = 0
        self._answered: int | None = 0
        self._times = 0

    def begin(self, *, before: Traffic, after: Traffic) -> None:
        """Take in that the damage came into force, on these links for now."""
        self._times += 1
        self.extend(before=before, after=after)

    def extend(self, *, before: Traffic, after: Traffic) -> None:
        """Take in more links, which another fault has let go of meanwhile."""
        for link, seen in after.items():
            self._met += before[link].established
            self._now[link] = _Begun(before=before[link], after=seen)
        self._under |= after.keys()

    def links(self) -> frozenset[Link]:
        """Return the links under it now."""
        return frozenset(self._now)

    def end(self, seen: Traffic) -> None:
        """Take in what was seen just before the damage is taken off all of its links."""
        for link, begun in self._now.items():
            now = seen[link]
            self._open += now.established
            self._accepted += now.accepted - begun.before.accepted
            self._ended += now.terminated - begun.before.terminated
            self._asked = _more(self._asked, begun.after.asked_bytes, now.asked_bytes)
            self._answered = _more(self._answered, begun.after.answered_bytes, now.answered_bytes)
        self._now.clear()

    def evidence(self) -> Evidence:
        """Return whether connections were met or, under a slow damage, bytes went through."""
        said = [f"{_count(self._met, 'open connection')} on {self._share()} met it"]
        said.append(self._bytes_sentence())
        if self._accepted or self._ended:
            opened = _count(self._accepted, "connection")
            said.append(f"{opened} opened and {self._ended} ended while it was in force")
        if self._damage.flavour in _ENDING and not self._bit():
            said.append(f"none of them is seen to have ended by {self._damage}")
        if self._damage.flavour == "latency" and self._met and not self._bit():
            both_ways = 2 if self._damage.stream == "both" else 1
            takes_s = both_ways * (self._damage.amount or 0) / 1000
            said.append(f"an answer takes {takes_s:g} s under it: let it be in force for longer")
        if self._times != 1:
            said.append(f"it came into force {self._times} times")
        met = Met(connections=self._met, bytes_sent=self._asked, bytes_answered=self._answered)
        return Evidence(bit=self._bit(), sentences=tuple(said), met=met)

    def _bit(self) -> bool:
        if self._damage.flavour in _SLOW:
            slowed = self._slowed()
            return self._met + self._open > 0 if slowed is None else slowed > 0
        if self._damage.flavour in _ENDING:
            # One that ended with its client is none of ours; a client that lives on comes back.
            return self._ended > 0 and self._accepted > 0
        if self._damage.flavour == "refuse":
            return self._met > 0
        return self._met + self._open > 0

    def _slowed(self) -> int | None:
        """Return how many bytes are known to have gone into it: not past it, before it was there.

        An answer came out of a slow link, so it had gone in; a request is known as it goes in.
        """
        if self._asked is None or self._answered is None:
            return None
        asked, answered = self._asked, self._answered
        return {"requests": asked, "answers": answered, "both": asked + answered}[
            self._damage.stream
        ]

    def _share(self) -> str:
        under = len(self._under)
        if under == self._wanted:
            return _count(under, "link")
        other = "the others were held by another fault all the time"
        return f"{under} of {_count(self._wanted, 'link')} ({other})"

    def _bytes_sentence(self) -> str:
        if self._asked is None or self._answered is None:
            return "how many bytes they carried cannot be known on this machine"
        if not self._asked and not self._answered:
            return "nothing was sent on them while it was in force: they were idle"
        return (
            f"{self._asked} bytes were sent into it while it was in force, "
            f"{self._answered} bytes of answers came out"
        )


def _more(total: int | None, before: int | None, now: int | None) -> int | None:
    return None if total is None or before is None or now is None else total + now - before


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
