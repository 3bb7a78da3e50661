"""The consumer as a member of a share group (KIP-932): a queue, with a count of deliveries.

What fails is released and delivered again, five times by default; then the broker archives it,
and nobody is told. Needs a release of Kafka that has share groups.
"""

import os
from typing import TYPE_CHECKING, cast

from confluent_kafka import AcknowledgeType, Message, ShareConsumer

from harness.pipeline.probe import Probe
from harness.pipeline.reference.consumer import Effects
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.settings import share_settings

if TYPE_CHECKING:
    from confluent_kafka import Consumer


class SharedEffects(Effects):
    """One member: takes effect or releases, record by record acknowledged."""

    def connect(self) -> "Consumer":
        """Return the member; the few calls that are made of it are the same."""
        self.member = ShareConsumer(share_settings())
        return cast("Consumer", self.member)

    def run(self) -> None:
        """Consume until the life is over, then leave the group."""
        self.lifetime.wait(float(os.environ.get("CONSUMER_START_S", "0")))
        self.member.subscribe([os.environ["TOPIC_ORDERS"]])
        while not self.lifetime.over:
            messages = self._delivered()
            if messages:
                done = self.take_effect(messages, once=True)
                self._acknowledge(messages, done=done)
        self.leave()

    def _delivered(self) -> list[Message]:
        polled = self.member.poll(0.2)
        for trouble in filter(None, (message.error() for message in polled)):
            self.probe.journal("error", error=trouble.str())
        messages = [message for message in polled if message.error() is None]
        if messages:
            self.journal_places("delivered", messages)
            self.probe.point("after_poll")
        return messages

    def _acknowledge(self, messages: list[Message], *, done: bool) -> None:
        for message in messages:
            kind = AcknowledgeType.ACCEPT if done else AcknowledgeType.RELEASE
            self.member.acknowledge(message, kind)
        self.member.commit_sync(5)


def main() -> None:
    """Run one consumer process."""
    probe = Probe.from_environment()
    SharedEffects(probe, Lifetime()).run()
    probe.journal("stop", pid=os.getpid())


if __name__ == "__main__":
    main()
