"""What was seen on damaged links while their damage was in force, and whether that is a bite."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
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


@dataclass(slots=True)
class _Seen:
    """One link, over all the times that the damage was in force on it."""

    met: int = 0
    open: int = 0
    accepted: int = 0
    ended: int = 0
    asked: int | None = 0
    answered: int | None = 0


class Exposure:
    """Adds up, over all the times a damage was in force, what its links carried meanwhile."""

    def __init__(self, damage: Damage, *, links: int) -> None:
        """`links`: how many the fault is about, whoever holds them."""
        self._damage = damage
        self._wanted = links
        self._now: dict[Link, _Begun] = {}
        self._seen: defaultdict[Link, _Seen] = defaultdict(_Seen)
        self._times = 0

    def begin(self, *, before: Traffic, after: Traffic) -> None:
        """Take in that the damage came into force, on these links for now."""
        self._times += 1
        self.extend(before=before, after=after)

    def extend(self, *, before: Traffic, after: Traffic) -> None:
        """Take in more links, which another fault has let go of meanwhile."""
        for link, seen in after.items():
            self._seen[link].met += before[link].established
            self._now[link] = _Begun(before=before[link], after=seen)

    def links(self) -> frozenset[Link]:
        """Return the links under it now."""
        return frozenset(self._now)

    def end(self, seen: Traffic) -> None:
        """Take in what was seen just before the damage is taken off all of its links."""
        for link, begun in self._now.items():
            now, so_far = seen[link], self._seen[link]
            so_far.open += now.established
            so_far.accepted += now.accepted - begun.before.accepted
            so_far.ended += now.terminated - begun.before.terminated
            so_far.asked = _more(so_far.asked, begun.after.asked_bytes, now.asked_bytes)
            so_far.answered = _more(so_far.answered, begun.after.answered_bytes, now.answered_bytes)
        self._now.clear()

    def evidence(self) -> Evidence:
        """Return whether connections were met or, under a slow damage, bytes went through."""
        said = [f"{_count(self._all.met, 'open connection')} on {self._share()} met it"]
        said.append(self._bytes_sentence())
        if self._all.accepted or self._all.ended:
            opened = _count(self._all.accepted, "connection")
            said.append(f"{opened} opened and {self._all.ended} ended while it was in force")
        if self._damage.flavour in _ENDING and not self._bit():
            said.append(f"none of them is seen to have ended by {self._damage}")
        if self._damage.flavour == "latency" and self._all.met and not self._bit():
            both_ways = 2 if self._damage.stream == "both" else 1
            takes_s = both_ways * (self._damage.amount or 0) / 1000
            said.append(f"an answer takes {takes_s:g} s under it: let it be in force for longer")
        if self._times != 1:
            said.append(f"it came into force {self._times} times")
        met = {
            str(link): Met(
                connections=seen.met, bytes_sent=seen.asked, bytes_answered=seen.answered
            )
            for link, seen in self._seen.items()
        }
        return Evidence(bit=self._bit(), sentences=tuple(said), met=met)

    @property
    def _all(self) -> _Seen:
        """What was seen on all links together."""
        seen = self._seen.values()
        return _Seen(
            met=sum(each.met for each in seen),
            open=sum(each.open for each in seen),
            accepted=sum(each.accepted for each in seen),
            ended=sum(each.ended for each in seen),
            asked=_sum(each.asked for each in seen),
            answered=_sum(each.answered for each in seen),
        )

    def _bit(self) -> bool:
        if self._damage.flavour in _SLOW:
            slowed = self._slowed()
            return self._all.met + self._all.open > 0 if slowed is None else slowed > 0
        if self._damage.flavour in _ENDING:
            # One that ended with its client is none of ours; a client that lives on comes back.
            return self._all.ended > 0 and self._all.accepted > 0
        if self._damage.flavour == "refuse":
            return self._all.met > 0
        return self._all.met + self._all.open > 0

    def _slowed(self) -> int | None:
        """Return how many bytes are known to have gone into it: not past it, before it was there.

        An answer came out of a slow link, so it had gone in; a request is known as it goes in.
        """
        asked, answered = self._all.asked, self._all.answered
        if asked is None or answered is None:
            return None
        return {"requests": asked, "answers": answered, "both": asked + answered}[
            self._damage.stream
        ]

    def _share(self) -> str:
        under = len(self._seen)
        if under == self._wanted:
            return _count(under, "link")
        other = "the others were held by another fault all the time"
        return f"{under} of {_count(self._wanted, 'link')} ({other})"

    def _bytes_sentence(self) -> str:
        if self._all.asked is None or self._all.answered is None:
            return "how many bytes they carried cannot be known on this machine"
        if not self._all.asked and not self._all.answered:
            return "nothing was sent on them while it was in force: they were idle"
        return (
            f"{self._all.asked} bytes were sent into it while it was in force, "
            f"{self._all.answered} bytes of answers came out"
        )


def _more(total: int | None, before: int | None, now: int | None) -> int | None:
    return None if total is None or before is None or now is None else total + now - before


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number for number in known if number is not None)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
