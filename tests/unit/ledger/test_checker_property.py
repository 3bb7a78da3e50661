"""The checker against a deliberately naive model: plain loops over plain rows, no arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.ledger.evidence import Ack

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worlds import Row, World

NAMES: dict[str, Callable[[int], int | str]] = {
    "dense": lambda number: number - 3,
    "sparse": lambda number: (number - 3) * 10**15 + 7,
    "snowflakes": lambda number: number - 3 + 10**18,
    "far apart": lambda number: (number - 3) * 10**18 + 7,
    "lowest": lambda number: number - 2**63,
    "highest": lambda number: number - STRANGER + 2**63 - 1,
    "text": lambda number: f"message-{number}-{'é' * (number % 5)}",
}
MESSAGES = st.integers(0, 7)
STRANGER = 9
PAYLOADS = st.sampled_from([b"p" * 32, b"p" * 32, b"p" * 32, b"q" * 32, None])
ABSENT = (
    "intents.topic",
    "intents.key",
    "intents.sequence",
    "intents.outcome",
    "intents.payload_sha256",
    "log.topic",
    "log.partition",
    "log.offset",
    "log.payload_sha256",
    "log.aborted",
    "effects.consumer",
    "effects.payload_sha256",
)
Accused = tuple[str, str | None, int | str, str | None]


# --- the model ---------------------------------------------------------------------------------


class Naive:
    """What the rules in `harness.ledger.checker` say, message by message."""

    def __init__(self, world: World, *, drained: bool | None) -> None:
        self.w, self.drained = world, drained
        self.intents = {row["message_id"]: row for row in self.rows("intents")}
        self.creation = [row["message_id"] for row in self.rows("intents")]
        self.consumers = sorted({row.get("consumer") for row in self.rows("effects")}, key=str) or [
            None
        ]

    def rows(self, witness: str) -> list[Row]:
        """Return rows without the columns that are absent."""
        gone = {name.split(".")[1] for name in self.w.absent if name.startswith(f"{witness}.")}
        rows = getattr(self.w, witness) or []
        return [{k: v for k, v in row.items() if k not in gone} for row in rows]

    def ids(self, witness: str) -> list[int | str]:
        """Return the ids of a witness."""
        return [row["message_id"] for row in self.rows(witness)]

    def outcome(self, one: int | str) -> str | None:
        """Return the outcome of an intent, None for a stranger."""
        row = self.intents.get(one)
        return None if row is None else row.get("outcome") or "committed"

    def on_its_topic(self, row: Row) -> bool:
        """Tell whether a record stands where its intent wanted it (or nobody knows)."""
        wanted, given_topic = self.intents[row["message_id"]].get("topic"), row.get("topic")
        return wanted is None or given_topic is None or wanted == given_topic

    def records(self, one: int | str) -> list[Row]:
        """Return the records that count for a message."""
        return [
            row
            for row in self.rows("log")
            if row["message_id"] == one
            and one in self.intents
            and not row.get("aborted")
            and self.on_its_topic(row)
        ]

    def effects(self, one: int | str, consumer: str | None) -> int:
        """Return how many effects a message has for a consumer."""
        return sum(
            row["message_id"] == one and row.get("consumer") == consumer
            for row in self.rows("effects")
        )

    def anywhere(self, one: int | str) -> bool:
        """Tell whether a message has any effect."""
        return one in self.ids("effects")

    def required(self, one: int | str) -> bool:
        """Tell whether a message must arrive."""
        if self.outcome(one) == "unknown":
            return one in self.ids("outbox") or bool(self.records(one))
        return self.outcome(one) == "committed"

    def expected(self, one: int | str) -> list[str | None]:
        """Return who must act on a message: whoever acted on its topic, or anybody at all."""
        topic = self.intents[one].get("topic")
        if topic is None:
            return self.consumers
        acted = {
            row.get("consumer")
            for row in self.rows("effects")
            if self.intents.get(row["message_id"], {}).get("topic") == topic
        }
        return sorted(acted, key=str) or [None]

    def findings(self) -> set[Accused]:
        """Return every accusation."""
        found: set[Accused] = set()
        for one in self.intents:
            if self.required(one):
                found |= self.arrivals(one) if self.records(one) else self.publishing(one)
            found |= self.alterations(one)
        for row in self.rows("log"):
            one = row["message_id"]
            if one is not None and one not in self.intents and not row.get("aborted"):
                found.add(("phantom", "log", one, None))
        for one in self.ids("effects"):
            if one not in self.intents:
                found.add(("phantom", "effect", one, None))
        return found

    def publishing(self, one: int | str) -> set[Accused]:
        """Accuse for a message that the log lacks."""
        marked = one in self.ids("sent")
        journalled = any(ack.message_id == one for ack in self.w.acks)
        acked = journalled if self.w.acks_journalled else marked
        consumed = all(self.effects(one, c) for c in self.expected(one))
        if consumed and (self.trimmed(one) or not acked):
            return set()
        if acked:
            return {("lost", "acked-not-in-log", one, None)}
        if self.w.outbox is not None and one not in self.ids("outbox"):
            return {("lost", "never-in-outbox", one, None)}
        later = self.creation[self.creation.index(one) + 1 :]
        passed = any(self.records(other) for other in later)
        stuck = not marked and not passed and not self.drained
        return {("stuck" if stuck else "lost", "never-published", one, None)}

    def trimmed(self, one: int | str) -> bool:
        """Tell whether retention took of the topic of a message, or of any if it is unknown."""
        topic, rows = self.intents[one].get("topic"), self.rows("offsets")
        unknown = topic is None or topic not in [row["topic"] for row in rows]
        return any(row["begin"] and (unknown or row["topic"] in (topic, None)) for row in rows)

    def arrivals(self, one: int | str) -> set[Accused]:
        """Accuse for a message in the log, for each consumer."""
        return {
            self.lacking(one, consumer)
            for consumer in self.expected(one)
            if not self.effects(one, consumer)
        }

    def lacking(self, one: int | str, consumer: str | None) -> Accused:
        """Accuse for one consumer."""
        first = min(self.records(one), key=lambda row: (self.place(row), row.get("offset", 0)))
        passed = False
        if self.placed():
            passed = any(
                all(
                    self.place(other) == self.place(first) and other["offset"] > first["offset"]
                    for other in self.records(message)
                )
                for message in self.intents
                if self.records(message) and self.effects(message, consumer)
            )
        read = self.placed() and self.read(one, first, consumer)
        if not read and not passed and not self.drained:
            return ("stuck", "never-delivered", one, consumer)
        hop = "no-effect" if read or one in self.w.delivered else "never-delivered"
        return ("lost", hop, one, consumer)

    def placed(self) -> bool:
        """Tell whether the log says where a record stands."""
        return not {"log.partition", "log.offset"} & self.w.absent

    def place(self, row: Row) -> tuple[str, int]:
        """Return topic and partition as far as the log has them; first seen topics first."""
        topics = [r.get("topic") for r in self.rows("intents") + self.rows("log")]
        order = [t for i, t in enumerate(topics) if t not in topics[:i]]
        return (str(order.index(row.get("topic"))), row.get("partition", 0))

    def read(self, one: int | str, record: Row, consumer: str | None) -> bool:
        """Tell whether the groups that may be the consumer's are beyond a record of a message."""
        rows, offset = self.rows("offsets"), int(record["offset"])
        owned = {row["group"] for row in rows} & {*self.consumers} - {None}
        if consumer in owned:
            return self.committed(record, consumer) > offset
        others = {
            row["group"]
            for row in rows
            if row["committed"] >= 0
            and row["topic"] == record.get("topic", row["topic"])
            and row["group"] not in owned
        }
        enough = len(others) >= len([c for c in self.expected(one) if c not in owned])
        return enough and all(self.committed(record, group) > offset for group in others)

    def committed(self, record: Row, group: str | None) -> int:
        """Return the offset that a group committed where a record stands."""
        return min(
            (
                row["committed"]
                for row in self.rows("offsets")
                if row["group"] == group
                and row["topic"] == record.get("topic", row["topic"])
                and row["partition"] == record.get("partition")
                and row["committed"] >= 0
            ),
            default=-1,
        )

    def alterations(self, one: int | str) -> set[Accused]:
        """Accuse for what is there but should not be, or not like this."""
        found: set[Accused] = set()
        mine = [row for row in self.rows("log") if row["message_id"] == one]
        if self.outcome(one) == "failed":
            found |= {("phantom", "log", one, None)} if self.records(one) else set()
            found |= {("phantom", "effect", one, None)} if self.anywhere(one) else set()
        else:
            found |= {
                ("duplicate-effect", None, one, c)
                for c in self.consumers
                if self.effects(one, c) > 1
            }
        payload = self.intents[one].get("payload_sha256")
        for hop, rows in (("log", mine), ("effect", self.rows("effects"))):
            hashes = {r.get("payload_sha256") for r in rows if r["message_id"] == one} - {None}
            if payload is not None and hashes - {payload}:
                found.add(("corrupt", hop, one, None))
        if any(not row.get("aborted") and not self.on_its_topic(row) for row in mine):
            found.add(("corrupt", "topic", one, None))
        if any(row.get("aborted") for row in mine) and not self.records(one):
            found |= {("aborted-effect", None, one, None)} if self.anywhere(one) else set()
        if self.reordered(one):
            found.add(("reordered", None, one, None))
        if self.placed() and any(self.overwrites(ack) for ack in self.w.acks):
            found |= {
                ("overwritten-offset", None, one, None)
                for ack in self.w.acks
                if ack.message_id == one and self.overwrites(ack)
            }
        return found

    def overwrites(self, ack: Ack) -> bool:
        """Tell whether the log holds another record at an acknowledged place."""
        return ack.offset >= 0 and any(
            row["partition"] == ack.partition
            and row["offset"] == ack.offset
            and row.get("topic", ack.topic) == ack.topic
            and row["message_id"] != ack.message_id
            for row in self.rows("log")
        )

    def reordered(self, one: int | str) -> bool:
        """Tell whether a later message of the key stands before this one's first occurrence."""
        if not self.placed() or {"intents.key", "intents.sequence"} & self.w.absent:
            return False
        mine = self.intents[one]
        if mine["key"] is None or mine["sequence"] is None:
            return False
        firsts: dict[tuple[str, int], int] = {}
        for row in self.records(one):
            at = self.place(row)
            firsts[at] = min(row["offset"], firsts.get(at, row["offset"]))
        return any(
            other["key"] == mine["key"]
            and other["sequence"] is not None
            and other["sequence"] > mine["sequence"]
            and self.place(row) in firsts
            and row["offset"] < firsts[self.place(row)]
            for message, other in self.intents.items()
            for row in self.records(message)
        )


# --- the worlds --------------------------------------------------------------------------------


@st.composite
def worlds(draw: st.DrawFn, make: type[World]) -> World:
    """Draw a world that anything may be wrong with, though most of it is right."""
    name = NAMES[draw(st.sampled_from(sorted(NAMES)))]
    world = make(name=name)
    for number in draw(st.lists(MESSAGES, unique=True, max_size=7)):
        world.intents.append(
            {
                "message_id": name(number),
                "topic": draw(st.sampled_from(["a", "a", "a", "b", None])),
                "key": draw(st.sampled_from(["k", "k", "l", None])),
                "sequence": draw(st.sampled_from([number, number, number, None])),
                "outcome": draw(st.sampled_from(["committed"] * 3 + ["failed", "unknown", None])),
                "payload_sha256": draw(PAYLOADS),
            }
        )
    anyone = st.one_of(MESSAGES, st.just(STRANGER)).map(name)
    _draw_log(draw, world, st.one_of(anyone, anyone, anyone, st.none()))
    world.effects = [
        {"message_id": one, "consumer": consumer, "payload_sha256": payload}
        for one, consumer, payload in draw(
            st.lists(
                st.tuples(anyone, st.sampled_from(["c", "c", "d", None]), PAYLOADS), max_size=10
            )
        )
    ]
    for marks in ("outbox", "sent"):
        ids = draw(st.none() | st.lists(anyone, max_size=8))
        setattr(world, marks, None if ids is None else [{"message_id": one} for one in ids])
    world.delivered = set(draw(st.lists(anyone, max_size=3)))
    world.absent = set(draw(st.lists(st.sampled_from(ABSENT), max_size=3)))
    return world


def _draw_log(draw: st.DrawFn, world: World, anyone: st.SearchStrategy[int | str | None]) -> None:
    """Draw records with ascending offsets and gaps, in any file order, and what was acked."""
    next_offset: dict[tuple[str, int], int] = {}
    for one in draw(st.lists(anyone, max_size=12)):
        at = (draw(st.sampled_from(["a", "a", "a", "b"])), draw(st.integers(0, 1)))
        offset = next_offset.get(at, 0) + draw(st.sampled_from([0, 0, 2]))
        next_offset[at] = offset + 1
        world.log.append(
            {
                "topic": at[0],
                "partition": at[1],
                "offset": offset,
                "message_id": one,
                "payload_sha256": draw(PAYLOADS),
                "aborted": draw(st.sampled_from([False, False, False, True, None])),
            }
        )
    world.log = draw(st.just(world.log) | st.permutations(world.log))
    world.acks_journalled = draw(st.booleans())
    if world.acks_journalled:
        number = st.integers(0, 7).map(world.name)
        place = st.tuples(number, st.sampled_from("ab"), st.integers(0, 1), st.integers(-1, 6))
        world.acks = [
            Ack(message_id=m, topic=t, partition=p, offset=o)
            for m, t, p, o in draw(st.lists(place, max_size=4))
        ]
    if draw(st.booleans()):
        world.offsets = _draw_offsets(draw)


def _draw_offsets(draw: st.DrawFn) -> list[Row]:
    return [
        {
            "group": group,
            "topic": topic,
            "partition": partition,
            "committed": draw(st.integers(-1, 6)),
            "begin": draw(st.sampled_from([0, 0, 0, 1, None])),
            "end": 10,
        }
        for group in draw(st.lists(st.sampled_from(["g", "h", "c", "d", None]), unique=True))
        for topic in draw(st.sampled_from(["ab", "ab", "a", ("a", "b", None)]))
        for partition in (0, 1)
    ]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), batch=st.integers(1, 20))
def test_the_checker_agrees_with_a_naive_model(
    empty_world: type[World], data: st.DataObject, batch: int
) -> None:
    """Whatever the witnesses hold, both accuse the same messages of the same things."""
    drained = data.draw(st.sampled_from([True, False, None]))
    world = data.draw(worlds(empty_world))
    accused = world.accused(drained=drained, batch_rows=batch)
    expected = Naive(world, drained=drained).findings()
    assert sorted(accused, key=str) == sorted(expected, key=str)
