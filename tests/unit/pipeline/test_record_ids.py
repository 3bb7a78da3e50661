"""Where a record carries its id."""

import pytest

from harness.errors import PipelineError
from harness.pipeline.loader import load_pipeline
from harness.pipeline.record_ids import Headers, extract_id, id_reader
from harness.pipeline.spec import IdType, Message


@pytest.mark.parametrize(
    ("where", "id_type", "headers", "key", "value", "found"),
    [
        ("header:message-id", "int", [("a", b"1"), ("message-id", b"42")], None, None, 42),
        ("header:message-id", "string", [("message-id", b"x-1")], None, None, "x-1"),
        ("key", "int", None, b"7", None, 7),
        ("key", "string", None, "é".encode(), None, "é"),
        ("json:/id", "int", None, None, b'{"id": 9}', 9),
        ("json:/a/1/b~1c", "string", None, None, b'{"a": [0, {"b/c": "q"}]}', "q"),
        ("json:/id", "string", None, None, b'{"id": 9}', "9"),
        ("json:", "string", None, None, b'"whole"', "whole"),
    ],
)
def test_an_id_is_found_where_the_file_says(
    where: str, id_type: IdType, headers: Headers, key: bytes, value: bytes, found: int | str
) -> None:
    """Header, key, or a JSON pointer (RFC 6901) into the value; as integer or as text."""
    read = id_reader(Message(id=where, id_type=id_type))

    assert read(headers, key, value) == found


@pytest.mark.parametrize(
    ("where", "headers", "key", "value", "told"),
    [
        ("header:message-id", [("trace", b"1")], None, None, "its headers are: trace"),
        ("header:message-id", None, None, None, "its headers are: none"),
        ("header:message-id", [("message-id", None)], None, None, "its headers are: message-id"),
        ("header:message-id", [("message-id", b"x")], None, None, "invalid literal"),
        ("key", None, None, b"{}", "it has no key"),
        ("json:/id", None, None, None, "it has no value"),
        ("json:/id", None, None, b"not json", "Expecting value"),
        ("json:/id", None, None, b'{"no": 1}', "its value has no 'id' there"),
        ("json:/id", None, None, b'{"id": true}', "True is not an integer"),
        ("json:/id", None, None, b'{"id": 1.5}', "1.5 is not an integer"),
    ],
)
def test_a_record_without_an_id_is_an_error_that_says_what_is_there(
    where: str, headers: Headers, key: bytes, value: bytes, told: str
) -> None:
    """A record that cannot be told apart would be invisible to the ledger."""
    with pytest.raises(PipelineError) as caught:
        id_reader(Message(id=where, id_type="int"))(headers, key, value)

    assert "without an id" in str(caught.value)
    assert told in str(caught.value)


def test_the_error_names_the_place_of_the_record() -> None:
    """Topic, partition and offset lead to it."""
    with pytest.raises(PipelineError, match=r"orders/3 offset 17: a record without an id"):
        extract_id(load_pipeline("outbox"), [], key=None, value=b"", place=("orders", 3, 17))
