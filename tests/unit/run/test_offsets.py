"""The ends of partitions: a partition that nobody leads has no end, least of all a negative one."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from harness.errors import LabError
from harness.run import offsets
from harness.run.offsets import OffsetReader

INVALID = -1001
"""What librdkafka answers for a partition whose leader it does not know, without an error."""


class _Admin:
    """Answers as the admin client was seen to answer while a leader was dead."""

    def list_offsets(self, request: dict[TopicPartition, Any], **_: object) -> dict[Any, Any]:
        """Return 7 for partition 0 and no valid offset for any other."""
        return {at: _answer(7 if at.partition == 0 else INVALID) for at in request}


def _answer(offset: int) -> "Future[SimpleNamespace]":
    answer: Future[SimpleNamespace] = Future()
    answer.set_result(SimpleNamespace(offset=offset))
    return answer


@pytest.fixture
def reader() -> OffsetReader:
    """Return a reader whose cluster has one leader left."""
    made = OffsetReader("127.0.0.1:1")
    made._admin = _Admin()  # type: ignore[assignment]  # noqa: SLF001
    return made


def test_a_partition_without_a_leader_is_never_read_as_empty(
    reader: OffsetReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative end would make the scan skip the partition, and accuse for what stands there."""
    monkeypatch.setattr(offsets, "TIMEOUT_S", 0.0)
    monkeypatch.setattr(offsets, "RETRY_S", 0.0)
    with pytest.raises(LabError, match="payments/1"):
        reader.ends([("payments", 0), ("payments", 1)])
