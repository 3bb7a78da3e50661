"""What may be ordered against the pipeline: its roles, their links, and its servers. PURE."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, get_args

from harness.schedule.dice import Dice
from harness.schedule.item import Aim, Item, Names, damaged, the_coordinator
from harness.schedule.network import ApiName, Damage, Flavour
from harness.schedule.network_words import cannot_reach, frames
from harness.schedule.shape import PipelineShape
from harness.schedule.targets import Database, LockService, LockServiceName
from harness.schedule.validate import most_instances
from harness.schedule.values import Fault
from harness.schedule.words import (
    database,
    every,
    every_node,
    instance,
    kill,
    pause,
    restart_storm,
    scale,
    skew,
    stop,
    terminate,
)

_CUTTING: tuple[Flavour, ...] = ("hold", "drop", "refuse", "reset")
_ALL: tuple[Flavour, ...] = (*_CUTTING, "latency", "bandwidth", "slice", "limit")
_FRAMES: tuple[tuple[ApiName, Literal["request", "answer"], Literal["hold", "drop"]], ...] = (
    ("Produce", "request", "hold"),
    ("Produce", "answer", "drop"),
    ("OffsetCommit", "answer", "drop"),
)


def pipeline_items(shape: PipelineShape) -> Iterator[Item]:
    """Yield every item that is aimed at roles, their links, the database or lock services."""
    for role in shape.roles:
        yield from _process(role, shape)
    for role in shape.talking_to("kafka"):
        yield from _kafka_links(role, shape)
    for role in shape.talking_to("database"):
        yield from _database_links(role, shape)
    if shape.talking_to("database"):
        yield from _server(database(), "database")
    for service in get_args(LockServiceName):
        for role in shape.talking_to(service):
            yield from _lock_links(role, LockService(name=service), service)
        if shape.talking_to(service):
            yield from _server(LockService(name=service), service)


def _one_of(role: str, shape: PipelineShape, dice: Dice) -> int:
    return dice.between(0, shape.roles[role] - 1)


def _process(role: str, shape: PipelineShape) -> Iterator[Item]:
    several = shape.roles[role] > 1
    alone = partial(_strike, role, shape)
    for word, paired in (("kill", True), ("stop", False), ("pause", True)):
        yield Item(
            name=f"{word} {role}",
            kind=word,
            make=partial(alone, word),
            pace="client" if word == "pause" else "restart",
            stalls=True,
            paired=paired,
        )
        if several:
            make = partial(_strike_all, role, word)
            name = f"{word} every {role}"
            yield Item(name=name, kind=word, make=make, pace="restart", stalls=True)
    for point in shape.points.get(role, ()):
        at_point = partial(_at_point, role, shape, point)
        name = f"kill {role} at {point}"
        yield Item(name=name, kind="kill", make=at_point, pace="restart", stalls=True)
    yield from _restarts(role, shape)


def _strike(role: str, shape: PipelineShape, word: str, dice: Dice) -> Fault:
    target = instance(role, _one_of(role, shape, dice))
    if word == "kill":
        return kill(target)
    return stop(target) if word == "stop" else pause(target)


def _strike_all(role: str, word: str, _dice: Dice) -> Fault:
    if word == "kill":
        return kill(every(role))
    return stop(every(role)) if word == "stop" else pause(every(role))


def _at_point(role: str, shape: PipelineShape, point: str, dice: Dice) -> Fault:
    passes = int(dice.spread(1, 30))
    return kill(instance(role, _one_of(role, shape, dice))).at(point, passes=passes)


def _restarts(role: str, shape: PipelineShape) -> Iterator[Item]:
    several = shape.roles[role] > 1
    yield Item(
        name=f"restart-storm {role}",
        kind="restart-storm",
        make=lambda dice: restart_storm(every(role), every_s=dice.spread(0.5, 1.2)),
        pace="client",
        stalls=True,
        paired=several,
    )
    if numbers := _scales(role, shape):
        yield Item(
            name=f"scale {role}",
            kind="scale",
            make=lambda dice: scale(role, to=dice.pick(numbers)),
            pace="client",
            stalls=True,
            paired=several,
        )
    yield Item(
        name=f"skew {role}",
        kind="skew",
        make=lambda dice: skew(
            instance(role, _one_of(role, shape, dice)), by_s=dice.pick((-3600.0, 7200.0))
        ),
        pace="client",
        stalls=True,
    )


def _scales(role: str, shape: PipelineShape) -> list[int]:
    """Return to which numbers a role is scaled: none of them is the number that is there."""
    own, most = shape.roles[role], most_instances(role, shape.roles)
    return [to for to in (own + 1, own - 1, own + 2) if 1 <= to <= most]


def _kafka_links(role: str, shape: PipelineShape) -> Iterator[Item]:
    names = Names(shape)
    several = shape.roles[role] > 1
    for flavour in _ALL:
        make = partial(_cut_leader, role, flavour, names.leader)
        name = f"unreachable/{flavour} {role} to leader"
        yield _link(name, make, paired=flavour == "drop" and not several)
    for flavour in _CUTTING:
        make = partial(_cut_coordinator, role, shape, flavour)
        yield _link(f"unreachable/{flavour} {role} to coordinator", make)
    for flavour in _ALL:
        make = partial(_cut_all, role, shape, flavour)
        yield _link(f"unreachable/{flavour} {role} to nodes", make, paired=flavour == "reset")
    for api, part, act in _FRAMES:
        yield Item(
            name=f"frames/{act} {role} {api} {part}",
            kind="frames",
            make=lambda dice, api=api, part=part, act=act: frames(  # type: ignore[misc]
                instance(role, _one_of(role, shape, dice)),
                api,
                part=part,
                act=act,
                nth=int(dice.spread(1, 20)),
            ),
            pace="client",
            stalls=True,
        )


def _link(name: str, make: Callable[[Dice], Fault], *, paired: bool = False) -> Item:
    return Item(name=name, kind="unreachable", make=make, pace="client", stalls=True, paired=paired)


def _cut_leader(role: str, flavour: Flavour, aim: Aim, dice: Dice) -> Fault:
    # Of several members of a group one reads that partition, and a schedule cannot know which.
    return cannot_reach(every(role), aim(dice), flavour=damaged(dice, flavour))


def _cut_coordinator(role: str, shape: PipelineShape, flavour: Flavour, dice: Dice) -> Fault:
    target = instance(role, _one_of(role, shape, dice))
    return cannot_reach(target, the_coordinator(dice), flavour=damaged(dice, flavour))


def _cut_all(role: str, shape: PipelineShape, flavour: Flavour, dice: Dice) -> Fault:
    target = instance(role, _one_of(role, shape, dice))
    return cannot_reach(target, every_node(), flavour=damaged(dice, flavour))


def _database_links(role: str, shape: PipelineShape) -> Iterator[Item]:
    for flavour in _ALL:
        make = partial(_cut_database, role, flavour)
        name = f"unreachable/{flavour} {role} to database"
        yield _link(
            name, make, paired=flavour == "refuse" and role not in shape.talking_to("kafka")
        )
    yield Item(
        name=f"terminate {role}",
        kind="terminate",
        make=lambda _: terminate(every(role)),
        pace="restart",
        paired=role in shape.talking_to("kafka") and shape.roles[role] == 1,
    )


def _lock_links(role: str, server: LockService, name: str) -> Iterator[Item]:
    for flavour in _ALL:
        make = partial(_cut_lock_service, role, server, flavour)
        yield _link(f"unreachable/{flavour} {role} to {name}", make, paired=flavour == "hold")


def _cut_lock_service(role: str, server: LockService, flavour: Flavour, dice: Dice) -> Fault:
    # A lock is a few bytes: what limits a connection to the database never limits this one.
    few = Damage(flavour="limit", amount=int(dice.spread(20, 300)), stream="answers")
    damage = few if flavour == "limit" else damaged(dice, flavour)
    return cannot_reach(every(role), server, flavour=damage)


def _cut_database(role: str, flavour: Flavour, dice: Dice) -> Fault:
    return cannot_reach(every(role), database(), flavour=damaged(dice, flavour))


def _server(server: Database | LockService, name: str) -> Iterator[Item]:
    makes: dict[str, Callable[[Dice], Fault]] = {
        "kill": lambda _: kill(server),
        "stop": lambda _: stop(server),
        "pause": lambda _: pause(server),
    }
    for word, make in makes.items():
        yield Item(
            name=f"{word} {name}",
            kind=word,
            make=make,
            pace="restart",
            stalls=True,
            paired=word == "kill",
        )
