"""Accusations before they have names and rows: a kind, a hop, and the slots they hold for.

PURE. Owns the sentences that people read. Must not look at witnesses.
"""

from dataclasses import dataclass, field

import numpy as np

from harness.ledger.findings import Hop, Kind
from harness.ledger.ids import Ints

NOBODY: Ints = np.zeros(0, dtype=np.int64)

SENTENCES: dict[tuple[Kind, Hop | None], str] = {
    (Kind.LOST, Hop.NEVER_IN_OUTBOX): (
        "was committed, but no row for it ever stood in the outbox, and the log lacks it"
    ),
    (Kind.LOST, Hop.NEVER_PUBLISHED): "was committed, but never reached the log",
    (Kind.LOST, Hop.ACKED_NOT_IN_LOG): "was acknowledged, but the log lacks it",
    (Kind.LOST, Hop.NEVER_DELIVERED): "stands in the log, but was never delivered",
    (Kind.LOST, Hop.NO_EFFECT): "was read from the log, but has no effect",
    (Kind.STUCK, Hop.NEVER_PUBLISHED): (
        "still waits to be published, and nothing after it was published either"
    ),
    (Kind.STUCK, Hop.NEVER_DELIVERED): (
        "still waits in the log, and nothing that stands only after it in its partition had an "
        "effect either"
    ),
    (Kind.DUPLICATE_EFFECT, None): "has more than one effect",
    (Kind.PHANTOM, Hop.LOG): "stands in the log, but was never committed",
    (Kind.PHANTOM, Hop.EFFECT): "has an effect, but was never committed",
    (Kind.CORRUPT, Hop.LOG): "stands in the log with another payload than was committed",
    (Kind.CORRUPT, Hop.EFFECT): "has an effect with another payload than was committed",
    (Kind.CORRUPT, Hop.TOPIC): "stands on another topic than was meant",
    (Kind.REORDERED, None): "stands after a later message of its key in the same partition",
    (Kind.OVERWRITTEN_OFFSET, None): (
        "was acknowledged at an offset where another record stands now"
    ),
    (Kind.ABORTED_EFFECT, None): "has an effect, but the log holds it only as aborted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accusation:
    """One kind and hop, the messages it holds for, and what sets these apart in words."""

    kind: Kind
    hop: Hop | None = None
    consumer: str | None = None
    slots: Ints = field(default_factory=NOBODY.copy)
    strangers: tuple[int | str, ...] = ()
    """Ids that no intent has; an accusation has either slots or strangers."""
    detail: str = ""

    @property
    def count(self) -> int:
        """Return how many messages are accused."""
        return len(self.slots) + len(self.strangers)

    def sentence(self, message_id: int | str) -> str:
        """Return the accusation of one message in words."""
        by = f" (consumer {self.consumer})" if self.consumer is not None else ""
        detail = f"; {self.detail}" if self.detail else ""
        return f"message {message_id} {SENTENCES[self.kind, self.hop]}{by}{detail}"


def some(accusations: list[Accusation]) -> list[Accusation]:
    """Leave out the accusations that hold for nobody."""
    return [one for one in accusations if one.count]
