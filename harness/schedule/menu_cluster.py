"""What may be ordered against the cluster: nodes, links between them, operations. PURE."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from harness.schedule.dice import Dice
from harness.schedule.item import (
    Aim,
    Item,
    Names,
    a_node,
    a_standby,
    damaged,
    the_controller,
    the_coordinator,
)
from harness.schedule.network import Flavour
from harness.schedule.network_words import (
    bridge,
    cannot_ask_controller,
    cannot_fetch,
    isolate,
    minority,
    parted,
    ring,
    unfollowed,
)
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.shape import PipelineShape
from harness.schedule.targets import Nodes
from harness.schedule.values import Fault
from harness.schedule.words import (
    add_partitions,
    amnesia,
    configure_nodes,
    configure_topic,
    follower,
    kill,
    kill_recovering,
    leader,
    move_leader,
    node,
    pause,
    reassign,
    rolling_restart,
    stop,
)

HARMLESS_TOPIC = (("max.message.bytes", "2097152"), ("segment.bytes", "1048576"))
HARMLESS_NODE = (("num.replica.fetchers", "2"), ("message.max.bytes", "2097152"))
"""Settings that may change under load without changing what is promised."""
_PAIRED = {
    "kill leader",
    "kill coordinator",
    "stop controller",
    "pause leader",
    "kill 2 nodes",
    "amnesia/tail leader",
    "isolate/hold leader from peers",
    "isolate/drop leader from clients",
    "cut/drop follower from leader",
    "cut/hold node from controller",
    "bridge/refuse node",
    "followers/latency leader",
    "move-leader",
    "add-partitions",
}
_VERBS: Mapping[str, Callable[..., Fault]] = {"kill": kill, "stop": stop, "pause": pause}
_CUTTING: tuple[Flavour, ...] = ("hold", "drop", "refuse", "reset")
_SLOWING: tuple[Flavour, ...] = ("latency", "bandwidth", "slice", "limit")


def cluster_items(shape: PipelineShape) -> Iterator[Item]:
    """Yield every item that is aimed at the cluster."""
    names = Names(shape)
    yield from _processes(names)
    yield from _whole_cluster()
    yield from _isolations(names)
    yield from _cuts(names)
    yield from _partitions(names)
    yield from _operations(names)


def _item(name: str, kind: str, make: Callable[[Dice], Fault], **rest: object) -> Item:
    given: dict[str, object] = {"pace": "node", "paired": name in _PAIRED, **rest}
    return Item(name=name, kind=kind, make=make, **given)  # type: ignore[arg-type]


def _processes(names: Names) -> Iterator[Item]:
    aims: dict[str, Aim] = {
        "leader": names.leader,
        "follower": names.follower,
        "controller": the_controller,
        "coordinator": the_coordinator,
        "node": a_node,
    }
    for word in _VERBS:
        for each, aim in aims.items():
            yield _item(f"{word} {each}", word, partial(_strike, word, aim))
    for loses in ("tail", "log"):
        for each in ("leader", "follower"):
            make = partial(_forget, loses, aims[each])
            yield _item(f"amnesia/{loses} {each}", "amnesia", make)
    for each in ("leader", "controller"):
        make = partial(_strike_recovering, aims[each])
        yield _item(f"kill-recovering {each}", "kill-recovering", make, pace="restart")


def _strike(word: str, aim: Aim, dice: Dice) -> Fault:
    return _VERBS[word](aim(dice))


def _forget(loses: str, aim: Aim, dice: Dice) -> Fault:
    if loses == "log":
        return amnesia(aim(dice), loses="log")
    return amnesia(aim(dice), keep=dice.pick((0.0, 0.5)))


def _strike_recovering(aim: Aim, dice: Dice) -> Fault:
    return kill_recovering(aim(dice), times=1)


def _whole_cluster() -> Iterator[Item]:
    for word in _VERBS:
        for count in (2, 3):
            make = partial(_strike_several, word, count)
            yield _item(f"{word} {count} nodes", word, make, stalls=True, budget="over")
    for how in ("stop", "kill"):
        yield _item(f"rolling-restart/{how}", "rolling-restart", partial(_roll, how))


def _strike_several(word: str, count: int, dice: Dice) -> Fault:
    chosen = sorted(dice.shuffled(NODE_NUMBERS)[:count])
    return _VERBS[word](Nodes(members=tuple(node(number) for number in chosen)))


def _roll(how: str, _dice: Dice) -> Fault:
    return rolling_restart(how="kill" if how == "kill" else "stop")


def _isolations(names: Names) -> Iterator[Item]:
    sides: dict[str, tuple[Flavour, ...]] = {
        "peers": _CUTTING,
        "everyone": ("hold", "refuse"),
        "clients": _CUTTING,
    }
    for cut_from, flavours in sides.items():
        for flavour in flavours:
            make = partial(_isolate, flavour, cut_from, names.leader)
            stalls = cut_from != "peers"
            name = f"isolate/{flavour} leader from {cut_from}"
            yield _item(name, "isolate", make, stalls=stalls)
    make = partial(_isolate, "hold", "peers", the_controller)
    yield _item("isolate/hold controller from peers", "isolate", make)


def _isolate(flavour: Flavour, cut_from: str, aim: Aim, dice: Dice) -> Fault:
    damage = damaged(dice, flavour)
    if cut_from == "peers":
        return isolate(aim(dice), flavour=damage)
    return isolate(
        aim(dice), flavour=damage, cut_from="clients" if cut_from == "clients" else "everyone"
    )


def _cuts(names: Names) -> Iterator[Item]:
    for flavour in (*_CUTTING, *_SLOWING):
        make = partial(_cut_fetch, flavour, names)
        yield _item(f"cut/{flavour} follower from leader", "cut", make, pace="lag")
    for flavour in _CUTTING:
        make = partial(_cut_quorum, flavour)
        yield _item(f"cut/{flavour} node from controller", "cut", make, pace="quorum")


def _cut_fetch(flavour: Flavour, names: Names, dice: Dice) -> Fault:
    topic, partition = names.partition(dice)
    return cannot_fetch(
        follower(topic, partition, index=dice.between(0, 1)),
        source=leader(topic, partition),
        flavour=damaged(dice, flavour),
    )


def _cut_quorum(flavour: Flavour, dice: Dice) -> Fault:
    damage = damaged(dice, flavour)
    return cannot_ask_controller(a_standby(dice), source=the_controller(dice), flavour=damage)


def _partitions(names: Names) -> Iterator[Item]:
    for flavour in _CUTTING:
        for shape in ("pair", "bridge", "minority"):
            make = partial(_part, shape, flavour)
            yield _item(f"{shape}/{flavour} node", "partition", make)
        ring_of_it = partial(_part, "ring", flavour)
        yield _item(f"ring/{flavour}", "partition", ring_of_it, stalls=True, budget="over")
    unfollowing: tuple[Flavour, ...] = ("refuse", "hold", "latency")
    for flavour in unfollowing:
        yield _item(
            f"followers/{flavour} leader",
            "partition",
            partial(_unfollow, flavour, names),
            pace="lag",
            stalls=flavour != "latency",
        )


def _part(shape: str, flavour: Flavour, dice: Dice) -> Fault:
    damage = damaged(dice, flavour)
    one, other = (node(number) for number in dice.shuffled(NODE_NUMBERS)[:2])
    if shape == "pair":
        return parted(one, other, flavour=damage)
    if shape == "bridge":
        return bridge(one, flavour=damage)
    return ring(flavour=damage) if shape == "ring" else minority(one, flavour=damage)


def _unfollow(flavour: Flavour, names: Names, dice: Dice) -> Fault:
    return unfollowed(names.leader(dice), flavour=damaged(dice, flavour))


def _operations(names: Names) -> Iterator[Item]:
    makes: dict[str, Callable[[Dice], Fault]] = {
        "move-leader": lambda dice: move_leader(*names.partition(dice)),
        "reassign": lambda dice: reassign(*names.partition(dice)),
        "add-partitions": lambda dice: add_partitions(names.topic(dice)),
        "configure-topic": lambda dice: configure_topic(
            names.topic(dice), dict([dice.pick(HARMLESS_TOPIC)])
        ),
        "configure-nodes": lambda dice: configure_nodes(dict([dice.pick(HARMLESS_NODE)])),
    }
    for kind, make in makes.items():
        yield _item(kind, kind, make, pace="restart")
