"""The five shapes that faults of one schedule can take in time. PURE.

`independent`, `overlap`, `rolling`, `flap`, and `swizzle`, which is FoundationDB's: clog one after
another, unclog in another order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from harness.schedule.company import is_node_process, role_of, server_of
from harness.schedule.dice import Dice
from harness.schedule.item import Item
from harness.schedule.layout import Layout
from harness.schedule.moments import AfterCount, AfterSeconds, WithFault
from harness.schedule.network import Cut, Flavour, Isolate, Partition, Unreachable
from harness.schedule.network_words import cannot_reach, isolate
from harness.schedule.overlap import RESYNC_S
from harness.schedule.processes import Kill, Pause, RestartStorm, Stop
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.shape import PipelineShape
from harness.schedule.targets import Instance, Leader, NodeLike
from harness.schedule.values import Fault, Operation
from harness.schedule.words import instance, node

_COUNTS = (1, 2, 3, 4, 5, 6, 7, 8)
_COUNT_WEIGHTS = (0.3, 0.32, 0.18, 0.08, 0.05, 0.03, 0.02, 0.02)
_LINKS = (Isolate, Cut, Partition, Unreachable)
_LOAD_ENDS = (Kill, Stop, Pause, RestartStorm)


class Order:
    """Picks items: first the kind by its weight, then one of its items."""

    def __init__(
        self, dice: Dice, menu: Mapping[str, Sequence[Item]], weights: Mapping[str, float]
    ) -> None:
        self._dice = dice
        self._menu = menu
        self._weights = weights

    def item(self, *kinds: str) -> Item | None:
        """Return an item of one of these kinds, or of any; None when there is none."""
        among = [kind for kind in self._menu if not kinds or kind in kinds]
        if not among:
            return None
        kind = self._dice.weighted(among, [self._weights[kind] for kind in among])
        return self._dice.pick(self._menu[kind])

    def of_nodes(self, *kinds: str) -> Item | None:
        """Return an item of one of these kinds that is aimed at nodes, or None."""
        among = [item for kind in kinds for item in self._menu.get(kind, ()) if item.pace == "node"]
        return self._dice.pick(among) if among else None


Plan = Callable[[Dice, Layout, Order, PipelineShape], None]
"""Adds faults to a layout; it may add none when the order has nothing for it."""


def _how_many(dice: Dice, least: int = 1) -> int:
    return max(least, dice.weighted(_COUNTS, _COUNT_WEIGHTS))


def _independent(dice: Dice, layout: Layout, order: Order, _shape: PipelineShape) -> None:
    """Each at a moment of its own, half of them while the one before is in force."""
    for _ in range(_how_many(dice)):
        _one_more(dice, layout, order)


def _one_more(dice: Dice, layout: Layout, order: Order) -> None:
    item = order.item()
    if item is not None:
        last = len(layout.faults) - 1
        layout.add(item, beside=last if last >= 0 and dice.chance(0.5) else None)


def _overlap(dice: Dice, layout: Layout, order: Order, shape: PipelineShape) -> None:
    """All at once, as far as they go together: links first, who makes load late, servers last."""
    made = [
        (item, item.make(dice))
        for _ in range(_how_many(dice, 2))
        if (item := order.item()) is not None
    ]
    for item, fault in sorted(made, key=lambda pair: rank(pair[1], shape)):
        layout.add(item, beside=0 if layout.faults else None, fault=fault)


def rank(fault: Fault, shape: PipelineShape) -> int:
    """Return who goes first of those that overlap, so that those behind still meet something."""
    if isinstance(fault, _LINKS):
        return 0
    if isinstance(fault, Operation):
        return 1
    if is_node_process(fault):
        return 3
    role = role_of(fault)
    if isinstance(fault, _LOAD_ENDS) and role is not None and role.role in shape.load:
        return 4
    return 2 if server_of(fault) is None else 5


def _rolling(dice: Dice, layout: Layout, order: Order, shape: PipelineShape) -> None:
    """Let one fault visit one node, or one instance, after another."""
    item = order.item("kill", "stop", "pause", "isolate", "kill-recovering")
    if item is None:
        return
    fault: Any = item.make(dice)
    visits: Sequence[object] = ()
    role = role_of(fault)
    if isinstance(role, Instance):
        numbers = dice.shuffled(range(shape.roles[role.role]))
        visits = [instance(role.role, number) for number in numbers]
    elif isinstance(getattr(fault, "target", None), NodeLike):
        visits = [node(number) for number in dice.shuffled(NODE_NUMBERS)]
    for target in visits:
        after = len(layout.faults) - 1
        lasts = AfterSeconds(seconds=min(layout.length_s(item), layout.left_s() / len(visits)))
        timed = replace(fault, target=target, end=lasts)
        if after >= 0:
            rest = WithFault(fault=after, state="verified", seconds=RESYNC_S)
            timed = replace(timed, trigger=rest)
        layout.append(timed)
    _one_more(dice, layout, order)


def _flap(dice: Dice, layout: Layout, order: Order, _shape: PipelineShape) -> None:
    """Damage links for a moment, heal them for a moment, and so on."""
    item = order.item("isolate", "cut", "partition", "unreachable")
    if item is None:
        return
    fault: Any = item.make(dice)
    layout.add(item, fault=replace(fault, flap_s=dice.spread(0.15, 0.8)))
    for _ in range(_how_many(dice) - 1):
        _one_more(dice, layout, order)


def _swizzle(dice: Dice, layout: Layout, order: Order, shape: PipelineShape) -> None:
    """Cut clients off from node after node, and let them back in another order."""
    item = order.item("unreachable", "isolate")
    roles = shape.talking_to("kafka")
    if item is None or not roles:
        return
    role = dice.pick(roles)
    who = instance(role, dice.between(0, shape.roles[role] - 1))
    flavours: tuple[Flavour, ...] = ("hold", "drop", "refuse", "reset")
    flavour = dice.pick(flavours)
    all_clients = item.kind == "isolate"
    cuts: list[Any] = [
        isolate(node(number), flavour=flavour, cut_from="clients")
        if all_clients
        else cannot_reach(who, node(number), flavour=flavour)
        for number in dice.shuffled(NODE_NUMBERS)
    ]
    begun: list[Fault] = [
        cut.when(place - 1, seconds=dice.spread(0.1, 0.5))
        if place
        else replace(cut, trigger=AfterCount(event="acked", count=int(0.75 * shape.rate_per_s)))
        for place, cut in enumerate(cuts)
    ]
    layout.begin(_healed_in_turn(dice, begun))
    if dice.chance(0.3):
        _one_more(dice, layout, order)


def _healed_in_turn(dice: Dice, cuts: Sequence[Any]) -> list[Fault]:
    """Return the cuts with ends: the first one healed by time, each other after one healed."""
    healing = dice.shuffled(range(len(cuts)))
    ended = list(cuts)
    ended[healing[0]] = replace(ended[healing[0]], end=AfterSeconds(seconds=dice.spread(0.6, 2.0)))
    for before, place in pairwise(healing):
        rest = WithFault(fault=before, state="healed", seconds=dice.spread(0.1, 0.6))
        ended[place] = replace(ended[place], end=rest)
    return ended


def _strained(dice: Dice, layout: Layout, order: Order, _shape: PipelineShape) -> None:
    """Over the safe budget: one fault of nodes beside another one, and whatever else goes."""
    links = order.item("isolate", "cut", "partition") if dice.chance(0.5) else None
    first = links or order.of_nodes("kill", "stop", "pause")
    if first is None:
        return
    fault = _numbered(dice, first.make(dice))
    beside = ("kill", "stop") if isinstance(fault, _LINKS) else ("kill", "stop", "pause")
    layout.add(first, fault=fault)
    second = order.of_nodes(*beside) or first
    layout.add(second, beside=0, fault=_numbered(dice, second.make(dice)))
    if dice.chance(0.4):
        _one_more(dice, layout, order)


def _numbered(dice: Dice, fault: Fault) -> Fault:
    """Name a dying node by its number, so that the next one is certainly another."""
    target = getattr(fault, "target", None)
    single = isinstance(target, NodeLike) and not isinstance(target, Leader)
    numbered: Any = fault
    if is_node_process(fault) and single:
        return replace(numbered, target=node(dice.pick(NODE_NUMBERS)))  # type: ignore[no-any-return]
    return fault


PLANS: Mapping[str, Plan] = {
    "independent": _independent,
    "overlap": _overlap,
    "rolling": _rolling,
    "flap": _flap,
    "swizzle": _swizzle,
    "strained": _strained,
}
"""Every shape by its name."""
