"""Client links led through the frame proxy and back, as the operating system sees it."""

import psutil
import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab import kafka_wire
from harness.lab.audit import ask_all
from harness.lab.frames.rules import Act, FrameRule, FrameSighting
from harness.lab.local import LocalLab, start_local_lab
from harness.lab.values import NODES, Link
from harness.schedule.network import Damage, Flavour

SLOT, OTHER = 4, 5
METADATA = 3
ANSWER_S = 5.0
PATIENCE_S = 20.0
FLAVOURS: tuple[Flavour, ...] = ("refuse", "drop", "hold")


def links(slot: int) -> tuple[Link, ...]:
    """Return the links of a slot."""
    return tuple(Link(plane="client", source=f"slot{slot}", target=str(node)) for node in NODES)


def ask(lab: LocalLab, slot: int, *, deadline_s: float = ANSWER_S) -> set[int]:
    """Ask every node for its metadata through a slot's links; return those that answered."""
    ports = {int(link.target): lab.layout.proxy(link) for link in links(slot)}
    return set(ask_all(ports, kafka_wire.metadata_request(1), deadline_s=deadline_s))


def ports_of(pid: int | None, status: str) -> set[int]:
    """Return the local ports of a process in a state."""
    assert pid is not None
    return {
        connection.laddr.port
        for connection in psutil.Process(pid).net_connections("tcp4")
        if connection.status == status
    }


def arm(lab: LocalLab, *, act: Act = "drop", nodes: tuple[int, ...] = NODES) -> int:
    """Catch every Metadata request of the slot from now on."""
    rule = FrameRule(slot=SLOT, nodes=nodes, api_key=METADATA, count=None, act=act)
    return lab.frames.arm(rule)


def test_a_led_link_sees_frames_and_a_link_led_back_does_not(lab: LocalLab) -> None:
    """Only the slot that was asked for; afterwards the proxy listens at none of its ports."""
    lab.frames.lead(links(SLOT))
    assert ask(lab, SLOT) == set(NODES)
    listening = ports_of(lab.frames.server.pid(), psutil.CONN_LISTEN)
    assert listening == {lab.layout.detour(link) for link in links(SLOT)}
    rule = arm(lab, nodes=(2,))
    assert ask(lab, SLOT, deadline_s=1.0) == {1, 3}
    assert ask(lab, OTHER) == set(NODES)
    seen = lab.frames.look(rule)
    assert [(caught.node, caught.fate) for caught in seen.caught] == [(2, "dropped")]
    lab.frames.lead_back()
    assert ask(lab, SLOT) == set(NODES)
    assert ports_of(lab.frames.server.pid(), psutil.CONN_LISTEN) == set()
    assert lab.check_alive() == ()


def test_a_led_link_that_was_cut_and_healed_is_still_led(lab: LocalLab) -> None:
    """Whatever Toxiproxy does to the link, and though its proxy was made anew."""
    lab.frames.lead(links(SLOT))
    for flavour in FLAVOURS:
        lab.links.cut(links(SLOT), damage=Damage(flavour=flavour))
        assert ask(lab, SLOT, deadline_s=0.5) == set()
        lab.links.heal(links(SLOT))
    rule = arm(lab, act="delay")  # of no time at all: a count
    assert ask(lab, SLOT) == set(NODES)
    assert lab.frames.look(rule).caught_count == len(NODES)
    lab.frames.lead_back()


def test_a_frame_proxy_that_dies_is_trouble_that_is_told() -> None:
    """The lab is sick then; rules are refused with the reason, and closing works all the same."""
    with start_local_lab() as lab:
        lab.frames.lead(links(SLOT))
        (process,) = lab.frames.server.family()
        process.kill()
        wait_until(lab.check_alive, deadline_s=PATIENCE_S, describe="the trouble")
        assert "the frame proxy died unasked with status -9" in lab.check_alive()[0]
        with pytest.raises(LabError, match="The frame proxy did not arm"):
            arm(lab)


def test_without_a_led_link_nothing_can_be_caught_and_nothing_runs() -> None:
    """A lab that never needs the proxy never pays for it."""
    with start_local_lab() as lab:
        assert lab.frames.server.pid() is None
        with pytest.raises(LabError, match="No link is led"):
            arm(lab)


def test_a_sighting_of_an_old_run_is_refused(lab: LocalLab) -> None:
    """Numbers of rules end with their run."""
    lab.frames.lead(links(SLOT))
    rule = arm(lab)
    assert isinstance(lab.frames.look(rule), FrameSighting)
    lab.frames.lead_back()
    lab.frames.lead(links(SLOT))
    with pytest.raises(LabError, match="no such rule"):
        lab.frames.look(rule)
    lab.frames.lead_back()
