"""Who is expected to act on which message: declared per topic, or learnt from the effects seen.

PURE. Learnt: a consumer is expected on each topic of which it acted on any message; on a topic
that nobody acted on, somebody is expected all the same. Declared: exactly what is declared, so that
a consumer that never did anything is missed, and topics that leave the pipeline need no effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.ledger.evidence import Facts
from harness.ledger.ids import Codes
from harness.ledger.tally import Mask, Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One consumer: the messages it must act on, and how often it acted on each."""

    name: str | None
    expected: Mask
    counts: Codes


def readers(tally: Tally, facts: Facts) -> Iterator[Reader]:
    """Yield every expected consumer; `None` stands for anybody at all."""
    names = [None if name is None else str(name) for name in tally.consumers.words()]
    counted = dict(zip(names, tally.effects, strict=True))
    nobody = np.zeros(len(tally.outcome), dtype=np.int32)
    if facts.consumers:
        for name, topics in facts.consumers.items():
            expected = _on(tally, {tally.topics.codes.get(topic, -2) for topic in topics})
            yield Reader(name=name, expected=expected, counts=counted.get(name, nobody))
        return
    everywhere = np.zeros(len(tally.outcome), dtype=np.bool_)
    for seen, counts in counted.items():
        expected = _on(tally, _topics_of(tally, counts))
        everywhere |= expected
        yield Reader(name=seen, expected=expected, counts=counts)
    if not everywhere.all():
        yield Reader(name=None, expected=~everywhere, counts=nobody)


def acted_by_all(tally: Tally, facts: Facts) -> Mask:
    """Return which messages have an effect of everyone who is expected to act on them."""
    complete = np.ones(len(tally.outcome), dtype=np.bool_)
    anybody = np.zeros_like(complete)
    for reader in readers(tally, facts):
        complete &= ~reader.expected | (reader.counts > 0)
        anybody |= reader.expected
    return complete & anybody


def _on(tally: Tally, topics: set[int]) -> Mask:
    """Return the messages meant for these topics; all, where the intents name no topics."""
    if tally.topic is None:
        return np.ones(len(tally.outcome), dtype=np.bool_)
    meant: Mask = np.isin(tally.topic, list(topics)) | (tally.topic < 0)
    return meant


def _topics_of(tally: Tally, counts: Codes) -> set[int]:
    if tally.topic is None:
        return set()
    return set(np.unique(tally.topic[:-1][counts[:-1] > 0]).tolist())
