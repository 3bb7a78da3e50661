"""Single frames of Kafka's protocol: the answer that never comes, the request that comes too late.

No link is cut: one request or answer is caught between one process and a node, and everything else
goes on. Safe: idempotent production, marking after the report, dedup in the effect's transaction.
"""

import pytest

from harness.scenario import LabSession, consumer, frames, isolate, leader, pipeline, relay


def test_a_produce_answer_that_never_comes_is_sent_again_and_processed_once(
    lab: LabSession,
) -> None:
    """The records are in the log and nobody knows: what is sent again has one effect."""
    fault = frames(relay(0), "Produce", part="answer", act="drop").after(acked=300).for_seconds(3)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_produce_request_held_while_its_leader_is_replaced_does_no_harm(
    lab: LabSession,
) -> None:
    """It comes late, to a node that leads no more; the relay has long sent it to the new leader."""
    held = frames(relay(0), "Produce", server=leader("orders", 0)).after(acked=300).for_seconds(4)
    replaced = isolate(leader("orders", 0), flavour="refuse").when(0).for_seconds(3)
    lab.run(pipeline("outbox"), held, replaced).assert_exactly_once()


@pytest.mark.thorough
def test_offset_commits_whose_answers_never_come_repeat_and_lose_nothing(lab: LabSession) -> None:
    """The consumer cannot know whether its position was kept; its effects are its own proof."""
    fault = frames(consumer(0), "OffsetCommit", part="answer", act="drop", count=None)
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(3)).assert_exactly_once()
