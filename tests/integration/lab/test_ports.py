"""Blocks of ports: free, one's own, and given back."""

import os
import socket

import pytest

from harness.errors import LabError
from harness.lab.keeping import ports


def test_two_claims_never_share_a_port() -> None:
    """The second takes another block while the first is held."""
    first, claim = ports.claim_block(100)
    second, other = ports.claim_block(100)
    claim.release()
    other.release()
    assert abs(first - second) >= 100


def test_a_block_with_a_taken_port_is_passed_over() -> None:
    """A listener in its middle is enough."""
    base, claim = ports.claim_block(100)
    claim.release()
    with socket.create_server(("127.0.0.1", base + 50)):
        other, claim = ports.claim_block(100)
        claim.release()
    assert other != base


def test_a_fixed_base_that_is_taken_names_the_port_and_its_holder() -> None:
    """The message says which port, and which process."""
    base, claim = ports.claim_block(100)
    claim.release()
    with (
        socket.create_server(("127.0.0.1", base + 7)),
        pytest.raises(LabError, match=rf"Port {base + 7} is taken by .*pid {os.getpid()}"),
    ):
        ports.claim_block(100, base=base)


def test_a_fixed_base_of_a_living_lab_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a lab that is being cleared, then says so."""
    monkeypatch.setattr(ports, "PATIENCE_S", 0.1)
    base, claim = ports.claim_block(100)
    with pytest.raises(LabError, match="another lab"):
        ports.claim_block(100, base=base)
    claim.release()


@pytest.mark.parametrize("base", [80, 65_500])
def test_a_base_without_room_is_an_error(base: int) -> None:
    """Privileged ports and the end of the range."""
    with pytest.raises(LabError, match="no room"):
        ports.claim_block(100, base=base)
