"""An operation is asked for until it is seen, told when it is refused, and given up in time."""

import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.faults.amnesia import loss_sentences
from harness.faults.operations import Asking
from harness.faults.resolve import UnplayableError
from harness.lab.values import LogLoss, OperationRefusedError


def loss(partition: int, lost: int, *, begin: int = 0, end: int = 9) -> LogLoss:
    """Return the loss of one log."""
    return LogLoss(topic="orders", partition=partition, bytes=lost, begin=begin, end=end)


def test_what_was_so_before_it_was_asked_for_is_not_done() -> None:
    """The first step asks; only then does anything count as seen."""
    asked: list[int] = []
    asking = Asking(lambda: asked.append(1), done=lambda: True)
    assert not asking.step()
    assert asked == [1]
    assert asking.step()
    assert asking.seen


def test_it_is_asked_again_after_a_while_and_never_in_a_burst() -> None:
    """A hundred steps at once ask once; a cluster that cannot now is asked later."""
    asked: list[int] = []

    def ask() -> None:
        asked.append(1)
        raise LabError("not now")

    asking = Asking(ask, done=lambda: len(asked) > 1)
    for _ in range(100):
        asking.step()
    assert asked == [1]
    wait_until(asking.step, deadline_s=5, describe="the second question")
    assert asked == [1, 1]


def test_a_refusal_is_the_schedules_fault() -> None:
    """In Kafka's words, and at once."""

    def refuse() -> None:
        raise OperationRefusedError("Kafka refused x: no such setting")

    with pytest.raises(UnplayableError, match="no such setting"):
        Asking(refuse, done=lambda: False).step()


def test_an_operation_that_is_never_done_is_given_up_with_the_last_answer() -> None:
    """The message says what Kafka said last."""

    def ask() -> None:
        raise LabError("no controller")

    asking = Asking(ask, done=lambda: False, deadline_s=0)
    with pytest.raises(LabError, match="the last answer was: no controller"):
        wait_until(asking.step, deadline_s=5, describe="the end")


def test_losses_are_told_the_greatest_first_and_the_rest_in_sum() -> None:
    """Bytes of a torn batch may be lost without a record."""
    said = loss_sentences([loss(0, 10, begin=9), *(loss(n, 100 + n) for n in range(1, 8))])
    assert said[0] == "its log of orders/7 lost 107 bytes, offsets 0 to 8"
    assert said[-1] == "… and 111 bytes of 2 more logs"
    assert loss_sentences([loss(0, 10, begin=9)]) == ("its log of orders/0 lost 10 bytes",)
    assert loss_sentences([]) == ("its disk lost nothing: everything had been flushed",)
