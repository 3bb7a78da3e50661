"""Cuts and heals the links of a local lab, and proves that it did. Knows proxies, not faults.

`refuse`: the proxy is disabled. `drop`: a `timeout 0` toxic on both streams, taken off only while
the proxy is disabled. `hold`: a `latency` toxic of ten years on both streams, *changed* to zero on
healing and left there.

Why not removed: while a toxic is removed, Toxiproxy hands each chunk that it held to the writer of
its connection with a time limit of 5 s a chunk and the proxy's lock held (`link.go`, RemoveToxic).
When the client hung up meanwhile there is no writer, and the proxy, then the server, is wedged for
5 s times the chunks. A change of the toxic wakes the very same chunk, flushes nothing and lets go
of the lock at once: every connection goes on in order, or ends.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.local.layout import LINKS, Layout
from harness.lab.local.toxiproxy import ProxyState, ToxiproxyApi
from harness.lab.local.traffic import TrafficGauge
from harness.lab.protocol import Link, LinkTraffic
from harness.schedule.network import Damage, Flavour

STREAMS = ("upstream", "downstream")
TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000
VERIFY_S = 2.0
_WORKERS = 4


class LocalLinks:
    """`Links` over one Toxiproxy server."""

    def __init__(self, api: ToxiproxyApi, *, layout: Layout, gauge: TrafficGauge) -> None:
        self._api = api
        self._layout = layout
        self._gauge = gauge
        self._cuts: dict[Link, set[Flavour]] = {}
        self._toxics: dict[Link, set[str]] = {}
        self._unknown: set[Link] = set()
        self._detours: dict[Link, int] = {}
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix="links")

    def all(self) -> tuple[Link, ...]:
        """Return every link there is."""
        return LINKS

    def cut(self, links: Iterable[Link], *, damage: Damage) -> None:
        """Cut all of `links`; returns when every cut is in force. LabError if one is not.

        A link may be cut in several flavours at once; healing takes all of them off.
        """
        with self._lock:
            self._each(links, lambda link: self._cut_one(link, damage.flavour))

    def heal(self, links: Iterable[Link]) -> None:
        """Heal all of `links`; returns when each accepts connections and delays nothing.

        LabError if one does not come back even after its proxy was made anew.
        """
        with self._lock:
            wanted = tuple(dict.fromkeys(links))
            self._each(wanted, self._heal_one)
            self._each(wanted, self._verify)

    def reroute(self, links: Iterable[Link], *, detours: Mapping[Link, int]) -> None:
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

    def is_whole(self, link: Link) -> bool:
        """Tell whether the link lets everything pass at once (asked of the proxy)."""
        return _is_clear(self._api.state(str(link)))

    def traffic(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Observe links: established connections and accepted/terminated counts."""
        return self._gauge.read(links)

    def close(self) -> None:
        """End the worker threads and the connections to the server."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._api.close()

    def _each(self, links: Iterable[Link], action: Callable[[Link], None]) -> None:
        """Do it to all links side by side; raise the first error after all were tried."""
        futures = [self._pool.submit(action, link) for link in links]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]

    def _cut_one(self, link: Link, flavour: Flavour) -> None:
        if flavour in self._cuts.get(link, ()):
            return
        name = str(link)
        self._unknown.add(link)  # until every call below has said what it did
        if flavour == "refuse":
            self._api.enable(name, enabled=False)
        elif flavour == "drop":
            for stream in STREAMS:
                self._put(link, "drop", stream, kind="timeout", attributes={"timeout": 0})
        else:
            for stream in STREAMS:
                self._put(
                    link, "hold", stream, kind="latency", attributes={"latency": TEN_YEARS_MS}
                )
        self._cuts.setdefault(link, set()).add(flavour)
        self._unknown.discard(link)

    def _put(
        self, link: Link, flavour: str, stream: str, *, kind: str, attributes: dict[str, int]
    ) -> None:
        """Add a toxic, or change the one that an earlier cut left behind."""
        toxic = f"{flavour}-{stream}"
        there = self._toxics.setdefault(link, set())
        if toxic in there:
            self._api.update_toxic(str(link), toxic, attributes=attributes)
        else:
            self._api.add_toxic(str(link), toxic, kind=kind, stream=stream, attributes=attributes)
            there.add(toxic)

    def _heal_one(self, link: Link) -> None:
        if link in self._unknown:
            self._make_anew(link)
            return
        cuts = self._cuts.get(link)
        if not cuts:
            return
        self._unknown.add(link)
        try:
            self._undo(link, cuts)
        except LabError:
            self._make_anew(link)
        self._cuts.pop(link, None)
        self._unknown.discard(link)

    def _undo(self, link: Link, cuts: set[Flavour]) -> None:
        name = str(link)
        there = self._toxics.get(link, set())
        closes = bool(cuts & {"drop", "refuse"})
        if "drop" in cuts and "refuse" not in cuts:
            self._api.enable(name, enabled=False)
        for toxic in sorted(there):
            if toxic.startswith("drop-"):
                self._api.remove_toxic(name, toxic)
                there.discard(toxic)
            elif "hold" in cuts:
                self._api.update_toxic(name, toxic, attributes={"latency": 0})
        if closes:
            self._api.enable(name, enabled=True)

    def _make_anew(self, link: Link) -> None:
        """Delete and create the proxy: the way out of an unknown state; connections are lost."""
        name = str(link)
        self._api.delete(name)
        upstream = self._detours.get(link, self._layout.upstream(link))
        self._api.create(name, listen=self._layout.proxy(link), upstream=upstream)
        self._toxics.pop(link, None)
        self._cuts.pop(link, None)
        self._unknown.discard(link)

    def _verify(self, link: Link) -> None:
        state = self._api.state(str(link))
        if not _is_clear(state):
            toxics = {toxic.name: toxic.attributes for toxic in state.toxics}
            raise LabError(
                f"Link {link} was healed, but its proxy says enabled={state.enabled}, {toxics}",
                remedy="the lab must be started anew",
            )
        wait_until(
            lambda: self._accepts(link), deadline_s=VERIFY_S, describe=f"link {link} to accept"
        )

    def _accepts(self, link: Link) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(VERIFY_S)
            sock.bind(("127.0.0.1", 0))
            self._gauge.ignore(sock.getsockname()[1])
            return sock.connect_ex(("127.0.0.1", self._layout.proxy(link))) == 0


def _is_clear(state: ProxyState) -> bool:
    """Tell whether a proxy lets everything pass: a latency of zero is what a held link keeps."""
    return state.enabled and all(
        toxic.type == "latency" and toxic.attributes["latency"] == 0 for toxic in state.toxics
    )
