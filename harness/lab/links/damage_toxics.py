"""Which toxics a damage stands for, and what they are changed to when it is healed. Pure.

What was found out about each on Toxiproxy 2.12.0 (its sources, and by experiment):

- `latency`, `bandwidth` and `slicer` let go of what they hold when they are changed, in order, and
  a connection goes on: they are changed to something that can no longer be told from nothing.
- `timeout` swallowed bytes, `reset_peer` and `limit_data` have closed, or will close, in the middle
  of a message; and the state of `limit_data` counts on per connection whatever it is changed to.
  No connection is of any use after them: the proxy is made anew.
- `reset_peer` closes with RST only what was opened while it was there; older connections end with
  FIN, at the next byte that passes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from toxiproxy.toxic import Toxic

from harness.schedule.network import Damage, Flavour

TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000
ENDLESS = 2**31 - 1
SLICE_EVERY_US = 1000
CLOSING: frozenset[Flavour] = frozenset({"drop", "reset", "limit"})
"""Flavours that no connection survives: healing closes what is left of them."""

HARMLESS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "latency": {"latency": 0},
        "bandwidth": {"rate": ENDLESS},
        "slicer": {"average_size": ENDLESS, "delay": 0},
    }
)
"""What a toxic of a kind is changed to in place."""

_STREAMS = {
    "both": ("upstream", "downstream"),
    "requests": ("upstream",),
    "answers": ("downstream",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedToxic:
    """One toxic as it is asked of the server."""

    name: str
    kind: str
    stream: str
    attributes: Mapping[str, int]


def toxics_of(damage: Damage) -> tuple[WantedToxic, ...]:
    """Return what a damage asks for; nothing for `refuse`, which is the proxy's own switch."""
    amount = damage.amount or 0
    kinds: dict[Flavour, tuple[str, dict[str, int]]] = {
        "hold": ("latency", {"latency": TEN_YEARS_MS}),
        "drop": ("timeout", {"timeout": 0}),
        "reset": ("reset_peer", {"timeout": 0}),
        "latency": ("latency", {"latency": amount}),
        "bandwidth": ("bandwidth", {"rate": amount}),
        "slice": (
            "slicer",
            {"average_size": amount, "size_variation": 0, "delay": SLICE_EVERY_US},
        ),
        "limit": ("limit_data", {"bytes": amount}),
    }
    if damage.flavour not in kinds:
        return ()
    kind, attributes = kinds[damage.flavour]
    return tuple(
        WantedToxic(
            name=f"{damage.flavour}-{stream}", kind=kind, stream=stream, attributes=attributes
        )
        for stream in _STREAMS[damage.stream]
    )


def is_harmless(toxic: Toxic) -> bool:
    """Tell whether a toxic lets everything pass at once."""
    harmless = HARMLESS.get(toxic.type)
    return harmless is not None and toxic.attributes.items() >= harmless.items()
