"""Which toxics a damage stands for."""

import pytest
from toxiproxy.toxic import Toxic

from harness.lab.links.damage_toxics import CLOSING, HARMLESS, is_harmless, toxics_of
from harness.schedule.network import UNITS, Damage, Flavour, Stream

FLAVOURS: tuple[Flavour, ...] = (
    *("hold", "drop", "reset"),
    *("latency", "bandwidth", "slice", "limit"),
)


def wanted(flavour: Flavour) -> Damage:
    """Return a damage of that flavour, with an amount where it needs one."""
    return Damage(flavour=flavour, amount=7 if flavour in UNITS else None)


def test_a_refusal_is_no_toxic() -> None:
    """It is the proxy's own switch."""
    assert toxics_of(Damage(flavour="refuse")) == ()


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_stream_has_its_own_toxic(flavour: Flavour) -> None:
    """Requests go upstream, answers downstream; both are both, under different names."""
    both = toxics_of(wanted(flavour))
    assert [toxic.stream for toxic in both] == ["upstream", "downstream"]
    assert len({toxic.name for toxic in both}) == 2
    amount = 7 if flavour in UNITS else None
    streams: tuple[Stream, ...] = ("requests", "answers")
    for stream, toxic in zip(streams, both, strict=True):
        assert toxics_of(Damage(flavour=flavour, amount=amount, stream=stream)) == (toxic,)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_what_does_not_close_can_be_made_harmless_in_place(flavour: Flavour) -> None:
    """A damage is never taken for a harmless toxic; changed, a slow one is."""
    for toxic in toxics_of(wanted(flavour)):
        attributes = dict(toxic.attributes)
        assert not is_harmless(Toxic(type=toxic.kind, attributes=attributes))
        assert (toxic.kind in HARMLESS) is (flavour not in CLOSING)
        if toxic.kind in HARMLESS:
            attributes |= HARMLESS[toxic.kind]
            assert is_harmless(Toxic(type=toxic.kind, attributes=attributes))
