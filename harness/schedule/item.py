"""One thing that the generator may order, and how what is left open about it is drawn. PURE."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.schedule.dice import Dice
from harness.schedule.network import Damage, Flavour, Stream
from harness.schedule.reach import NODE_NUMBERS
from harness.schedule.shape import Pace, PipelineShape
from harness.schedule.targets import NodeLike
from harness.schedule.values import Budget, Fault
from harness.schedule.words import controller, coordinator, follower, leader, node, standby

Aim = Callable[[Dice], NodeLike]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A kind and flavour of fault with a class of targets."""

    name: str
    """Unique in a menu, and the same in every version: `kill leader`, `cut/drop follower`."""
    kind: str
    make: Callable[[Dice], Fault]
    """Draws what is left open: which partition, how much. Its trigger is not drawn here."""
    pace: Pace
    """The time-out that its length is measured against."""
    stalls: bool = False
    """Nothing may be acknowledged while it is in force, so it cannot end by a count."""
    budget: Budget = "safe"
    """The smallest budget that it is within by itself."""
    paired: bool = False
    """One of the representatives that the pairwise covering set is about."""

    @property
    def family(self) -> str:
        """What is done to whom, in whichever flavour: `cut follower` for `cut/drop follower`."""
        word, space, whom = self.name.partition(" ")
        return word.partition("/")[0] + space + whom


class Names:
    """Draws targets among what a pipeline has."""

    def __init__(self, shape: PipelineShape) -> None:
        self._shape = shape

    def topic(self, dice: Dice) -> str:
        """Return a topic."""
        return dice.pick(tuple(self._shape.topics))

    def partition(self, dice: Dice) -> tuple[str, int]:
        """Return a topic and one of its partitions."""
        topic = self.topic(dice)
        return topic, dice.between(0, self._shape.topics[topic] - 1)

    def leader(self, dice: Dice) -> NodeLike:
        """Return the leader of some partition."""
        return leader(*self.partition(dice))

    def follower(self, dice: Dice) -> NodeLike:
        """Return a follower of some partition."""
        return follower(*self.partition(dice), index=dice.between(0, 1))


def a_node(dice: Dice) -> NodeLike:
    """Return a node by its number."""
    return node(dice.pick(NODE_NUMBERS))


def the_controller(_dice: Dice) -> NodeLike:
    """Return the active controller."""
    return controller()


def a_standby(dice: Dice) -> NodeLike:
    """Return a node that is not the active controller."""
    return standby(dice.between(0, len(NODE_NUMBERS) - 2))


def the_coordinator(_dice: Dice) -> NodeLike:
    """Return the coordinator of the run's own group."""
    return coordinator()


def damaged(dice: Dice, flavour: Flavour) -> Damage:
    """Draw what is open about a damage of that flavour: its amount, or its direction."""
    one_way: tuple[Stream, ...] = ("answers", "requests")
    if flavour == "limit":
        return Damage(flavour=flavour, amount=int(dice.spread(20, 500)), stream="answers")
    amounts: dict[Flavour, tuple[float, float]] = {
        "latency": (50, 1500),
        "bandwidth": (2, 64),
        "slice": (16, 512),
    }
    if flavour in amounts:
        return Damage(flavour=flavour, amount=int(dice.spread(*amounts[flavour])))
    if flavour in ("hold", "drop") and dice.chance(0.25):
        return Damage(flavour=flavour, stream=dice.pick(one_way))
    return Damage(flavour=flavour)
