"""Damages and heals the links of a lab, and proves that it did. Knows proxies, not faults.

`refuse`: the proxy is disabled. Everything else is toxics (`damage_toxics.py`). A damage that no
connection survives is healed by making the proxy anew; the others by *changing* their toxics to
harmless ones, which stay.

Why not removed: while a toxic is removed, Toxiproxy hands each chunk that it held to the writer of
its connection with a time limit of 5 s a chunk and the proxy's lock held (`link.go`, RemoveToxic).
When the client hung up meanwhile there is no writer, and the proxy, then the server, is wedged for
5 s times the chunks. A change of the toxic wakes the very same chunk, flushes nothing and lets go
of the lock at once: every connection goes on in order, or ends. One race is left: a change that
takes the lock in the very moment in which a writer has found its client gone, and before it has
told the proxy so, waits for ever. So it is given `CHANGE_S`, and then the proxy is made anew:
deleting one never takes the lock of its toxics, which is why it works when nothing else does.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.layout import LINKS, Layout
from harness.lab.links import link_probe
from harness.lab.links.damage_toxics import CLOSING, HARMLESS, WantedToxic, is_harmless, toxics_of
from harness.lab.links.toxiproxy import ProxyState, ToxiproxyApi
from harness.lab.links.traffic import TrafficGauge
from harness.lab.values import Link, LinkTraffic
from harness.schedule.network import Damage

VERIFY_S = 2.0
CHANGE_S = 0.5
_WORKERS = 4


class ProxiedLinks:
    """`Links` over one Toxiproxy server."""

    def __init__(self, api: ToxiproxyApi, *, layout: Layout, gauge: TrafficGauge) -> None:
        self._api = api
        self._layout = layout
        self._gauge = gauge
        self._damages: dict[Link, list[Damage]] = {}
        self._toxics: dict[Link, dict[str, str]] = {}
        """The kind of each toxic that a proxy has, by its name."""
        self._unknown: set[Link] = set()
        self._detours: dict[Link, str] = {}
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="links")

    def all(self) -> tuple[Link, ...]:
        """Return every link there is."""
        return LINKS

    def cut(self, links: Iterable[Link], *, damage: Damage) -> None:
        """Damage all of `links`; returns when it is in force on each. LabError if one is not.

        A link may be damaged in several ways at once; healing takes all of them off.
        """
        with self._lock:
            self._each(links, lambda link: self._damage_one(link, damage))

    def heal(self, links: Iterable[Link]) -> None:
        """Heal all of `links`; returns when each accepts connections and delays nothing.

        LabError if one does not come back even after its proxy was made anew.
        """
        with self._lock:
            wanted = tuple(dict.fromkeys(links))
            self._each(wanted, self._heal_one)
            self._each(wanted, self._verify)

    def reroute(self, links: Iterable[Link], *, detours: Mapping[Link, str]) -> None:
        """Make the proxies of `links` anew: each connects to its detour, or straight to its server.

        Their connections end. It holds whatever happens to a link afterwards, until the next call.
        """
        with self._lock:
            wanted = tuple(links)
            for link in wanted:
                self._detours.pop(link, None)
            self._detours.update(detours)
            self._each(wanted, self._make_anew)
            self._each(wanted, self._verify)

    def restore(self) -> tuple[Link, ...]:
        """Make every proxy anew that is not as a new lab has it, and return those.

        For a lab that stood before this process, and whose last user may have died.
        """
        with self._lock:
            wrong = tuple(link for link in LINKS if not self._is_new(link))
            self._each(wrong, self._make_anew)
            self._each(wrong, self._verify)
            return wrong

    def is_whole(self, link: Link) -> bool:
        """Tell whether the link lets everything pass at once (asked of the proxy)."""
        return _is_clear(self._api.state(str(link)))

    def answers(self, link: Link) -> bool:
        """Tell whether the link's target answers a request through it within half a second."""
        return link_probe.answers(self._layout.proxy(link), link, own=self._own(link))

    def traffic(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Observe links: connections open, accepted and terminated, and bytes both ways."""
        return self._gauge.read(links)

    def close(self) -> None:
        """End the worker threads and the connections to the server."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._api.close()

    def _is_new(self, link: Link) -> bool:
        state = self._api.state(str(link))
        return _is_clear(state) and state.upstream == self._layout.upstream_address(link)

    def _own(self, link: Link) -> Callable[[int], None]:
        """Return what is told the port of a probe of this link."""
        return partial(self._gauge.ignore, link)

    def _each(self, links: Iterable[Link], action: Callable[[Link], None]) -> None:
        """Do it to all links side by side; raise the first error after all were tried."""
        futures = [self._pool.submit(action, link) for link in links]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]

    def _damage_one(self, link: Link, damage: Damage) -> None:
        if damage in self._damages.get(link, ()):
            return
        self._unknown.add(link)  # until every call below has said what it did
        if damage.flavour == "refuse":
            self._api.enable(str(link), enabled=False)
        for toxic in toxics_of(damage):
            self._put(link, toxic)
        self._damages.setdefault(link, []).append(damage)
        self._unknown.discard(link)

    def _put(self, link: Link, toxic: WantedToxic) -> None:
        """Add a toxic, or change the one that an earlier damage left behind."""
        there = self._toxics.setdefault(link, {})
        attributes = dict(toxic.attributes)
        if toxic.name in there:
            self._api.update_toxic(str(link), toxic.name, attributes=attributes)
        else:
            self._api.add_toxic(
                str(link), toxic.name, kind=toxic.kind, stream=toxic.stream, attributes=attributes
            )
            there[toxic.name] = toxic.kind

    def _heal_one(self, link: Link) -> None:
        if link in self._unknown:
            self._make_anew(link)
        elif damages := self._damages.get(link):
            self._unknown.add(link)
            try:
                self._undo(link, damages)
            except LabError:
                self._make_anew(link)
            self._damages.pop(link, None)
            self._unknown.discard(link)

    def _undo(self, link: Link, damages: list[Damage]) -> None:
        flavours = {damage.flavour for damage in damages}
        if flavours & CLOSING:
            self._make_anew(link)
            return
        harmful = {toxic.name for damage in damages for toxic in toxics_of(damage)}
        # The last of the chain first: one that waits for a full one behind it cannot be changed.
        for name, kind in reversed(self._toxics.get(link, {}).items()):
            if name in harmful:
                harmless = dict(HARMLESS[kind])
                self._api.update_toxic(str(link), name, attributes=harmless, within_s=CHANGE_S)
        if "refuse" in flavours:
            self._api.enable(str(link), enabled=True)

    def _make_anew(self, link: Link) -> None:
        """Delete and create the proxy: the way out of an unknown state; connections are lost."""
        name = str(link)
        self._api.delete(name)
        upstream = self._detours.get(link, self._layout.upstream_address(link))
        self._api.create(name, listen=self._layout.listen_address(link), upstream=upstream)
        self._toxics.pop(link, None)
        self._damages.pop(link, None)
        self._unknown.discard(link)

    def _verify(self, link: Link) -> None:
        state = self._api.state(str(link))
        if not _is_clear(state):
            toxics = {toxic.name: toxic.attributes for toxic in state.toxics}
            raise LabError(
                f"Link {link} was healed, but its proxy says enabled={state.enabled}, {toxics}",
                remedy="the lab must be started anew",
            )
        port = self._layout.proxy(link)
        wait_until(
            lambda: link_probe.accepts(port, within_s=VERIFY_S, own=self._own(link)),
            deadline_s=VERIFY_S,
            describe=f"link {link} to accept",
        )


def _is_clear(state: ProxyState) -> bool:
    """Tell whether a proxy lets everything pass: harmless toxics are what a slow link keeps."""
    return state.enabled and all(is_harmless(toxic) for toxic in state.toxics)
