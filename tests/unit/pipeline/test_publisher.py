"""What is called acknowledged: reports, and within a transaction only those that it committed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.pipeline.probe import Probe
from harness.pipeline.reference import publisher
from harness.pipeline.reference.publisher import Publisher

ROWS = [(1, b"key-1", b"x"), (2, b"key-2", b"y")]


class FakeMessage:
    """A record that stands somewhere."""

    def partition(self) -> int:
        """Answer as set."""
        return 0

    def offset(self) -> int:
        """Answer as set."""
        return 7


class FakeProducer:
    """A client library that has everything acknowledged with its next poll."""

    def __init__(self, _settings: object, **_: object) -> None:
        self.reports: list[Callable[[object, FakeMessage], None]] = []

    def produce(
        self, *_: object, on_delivery: Callable[[object, FakeMessage], None], **__: object
    ) -> None:
        """Take a message."""
        self.reports.append(on_delivery)

    def poll(self, _seconds: float) -> int:
        """Deliver the reports."""
        while self.reports:
            self.reports.pop(0)(None, FakeMessage())
        return 0

    def init_transactions(self, _seconds: float) -> None:
        """Do nothing."""

    def begin_transaction(self) -> None:
        """Do nothing."""

    def commit_transaction(self, _seconds: float) -> None:
        """Do nothing."""

    def abort_transaction(self, _seconds: float) -> None:
        """Do nothing."""


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[list[int]]]:
    """Return a function that reads which ids were journalled as acknowledged."""
    file = tmp_path / "journal.jsonl"
    monkeypatch.setattr(publisher, "Producer", FakeProducer)
    monkeypatch.setenv("HARNESS_JOURNAL", str(file))
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("KAFKA_GROUP_ID", "group")

    def read() -> list[list[int]]:
        lines = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        return [line["ids"] for line in lines if line["event"] == "acked"]

    return read


def test_a_report_is_an_acknowledgement(journal: Callable[[], list[list[int]]]) -> None:
    """It is journalled as it comes."""
    one = Publisher(Probe.from_environment(), "orders")
    one.send(ROWS)
    assert one.outcome() == [1, 2]
    assert journal() == [[1, 2]]


def test_in_a_transaction_only_its_commit_makes_an_acknowledgement(
    journal: Callable[[], list[list[int]]],
) -> None:
    """What is aborted was never promised to anybody, whatever each record was told."""
    one = Publisher(Probe.from_environment(), "orders", transactional=True)
    one.begin()
    one.send(ROWS)
    assert one.outcome() == [1, 2]
    one.abort()
    assert journal() == []
    one.begin()
    one.send(ROWS[:1])
    assert one.outcome() == [1]
    assert journal() == []
    one.commit()
    assert journal() == [[1]]
