"""The ids of a cluster and its folders."""

import base64
import uuid

import pytest

from harness.provision.kafka_uuid import kafka_uuid


def test_ids_are_what_kafka_makes() -> None:
    """Sixteen bytes in 22 characters of base64url, another one each time."""
    made = {kafka_uuid() for _ in range(200)}
    assert len(made) == 200
    assert {len(each) for each in made} == {22}
    assert {len(base64.urlsafe_b64decode(each + "==")) for each in made} == {16}


def test_an_id_that_the_formatter_reads_as_an_option_is_never_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One random id of 64 begins with a dash."""
    dashed, plain = uuid.UUID(int=0xF8 << 120), uuid.UUID(int=0x04 << 120)
    drawn = iter([dashed, dashed, plain])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert kafka_uuid() == "BAAAAAAAAAAAAAAAAAAAAA"
