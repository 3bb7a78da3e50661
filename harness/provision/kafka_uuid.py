"""Makes the ids that a new cluster and its folders carry."""

import base64
import uuid


def kafka_uuid() -> str:
    """Return a random id as Kafka writes them: base64url of 16 bytes, no padding, no leading dash.

    Kafka forbids a leading dash in ids that it makes (`Uuid.randomUuid`), and its own formatter
    reads an id that has one as an option: `-t -…` ends with "expected one argument".
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
