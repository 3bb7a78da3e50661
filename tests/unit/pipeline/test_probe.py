"""The probe and the counter file: what is written, and what is armed."""

import json
import os
import signal
import struct
import threading
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pipeline.counters import Counters
from harness.pipeline.probe import FILE_BYTES, Probe


def _probe(folder: Path) -> tuple[Probe, Counters]:
    counters = Counters(folder / "counters.bin")
    environment = {
        "HARNESS_JOURNAL": str(folder / "journal.jsonl"),
        "HARNESS_COUNTERS": str(counters.path),
    }
    return Probe.from_environment(environment), counters


def _lines(folder: Path) -> list[str]:
    return (folder / "journal.jsonl").read_text().split("\n")


def test_without_variables_every_call_does_nothing(tmp_path: Path) -> None:
    """A role of someone who set nothing up runs just as well."""
    probe = Probe.from_environment({})
    probe.count("acked", 3)
    probe.point("after_send")
    probe.journal("acked", ids=[1])
    probe.close()

    assert list(tmp_path.iterdir()) == []


def test_a_record_is_laid_out_as_the_architecture_says(tmp_path: Path) -> None:
    """Name in 40 bytes, then passes, kill_at and fired_at as little-endian int64."""
    probe, counters = _probe(tmp_path)
    probe.count("acked", 7)
    counters.arm("acked", passes=5)

    raw = counters.path.read_bytes()

    assert len(raw) == FILE_BYTES == 64 * 64
    assert struct.unpack("<40sqqq", raw[:64]) == (b"acked".ljust(40, b"\0"), 7, 12, 0)


def test_counters_go_on_over_lives_and_over_readers(tmp_path: Path) -> None:
    """A second life adds to what the first one counted."""
    probe, counters = _probe(tmp_path)
    probe.count("acked", 2)
    probe.close()
    second, _ = _probe(tmp_path)
    second.count("acked")
    second.point("after_send")

    assert counters.read() == {"acked": 3, "after_send": 1}


def test_an_armed_point_kills_at_its_nth_pass_from_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two passes before the arming do not count; the third after it is the last."""
    deaths: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: deaths.append(number))
    probe, counters = _probe(tmp_path)
    probe.point("before_mark")
    probe.point("before_mark")
    counters.arm("before_mark", passes=3)
    for _ in range(2):
        probe.point("before_mark")
    assert (deaths, counters.fired("before_mark")) == ([], 0)

    probe.point("before_mark")

    assert deaths == [9]
    assert counters.fired("before_mark") == 5
    assert counters.all_fired() == {"before_mark": 5}
    assert not counters.armed("before_mark")


def test_a_pass_that_slips_past_its_number_still_fires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass between reading and arming cannot make the point miss."""
    deaths: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: deaths.append(number))
    probe, counters = _probe(tmp_path)
    counters.arm("after_send", passes=1)
    probe.count("after_send", 5)

    probe.point("after_send")

    assert deaths == [9]


def test_an_armed_stop_stops_the_thread_that_passes_and_no_life_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file says so with negative numbers, which a probe that does not know them passes by."""
    stops: list[tuple[int, int]] = []
    monkeypatch.setattr(signal, "pthread_kill", lambda thread, n: stops.append((thread, n)))
    probe, counters = _probe(tmp_path)
    counters.arm("in_transaction", passes=2, stop=True)
    assert counters.armed("in_transaction")
    assert struct.unpack("<qqq", counters.path.read_bytes()[40:64]) == (0, -2, 0)
    probe.point("in_transaction")
    assert (stops, counters.fired("in_transaction")) == ([], 0)

    probe.point("in_transaction")
    probe.point("in_transaction")

    assert stops == [(threading.get_ident(), signal.SIGSTOP)]
    assert counters.fired("in_transaction") == 2
    assert counters.all_fired() == {}
    assert struct.unpack("<qqq", counters.path.read_bytes()[40:64]) == (3, 0, -2)


def test_a_point_is_armed_once_at_a_time(tmp_path: Path) -> None:
    """A second arming would have to guess which of the two the role saw."""
    _, counters = _probe(tmp_path)
    counters.arm("after_send")

    with pytest.raises(UsageError, match="armed already"):
        counters.arm("after_send")
    counters.disarm("after_send")
    counters.arm("after_send")


def test_both_sides_registering_a_name_get_one_record(tmp_path: Path) -> None:
    """The harness arms what a role is about to pass for the first time."""
    _, counters = _probe(tmp_path)
    names = [f"point-{number}" for number in range(40)]
    probes = [_probe(tmp_path)[0] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda p=probe: [p.count(name) for name in names])
        for probe in probes
    ]
    for thread in threads:
        thread.start()
    for name in names:
        counters.arm(name, passes=10)
    for thread in threads:
        thread.join()

    raw = counters.path.read_bytes()
    records = [raw[at : at + 40].rstrip(b"\0").decode() for at in range(0, FILE_BYTES, 64)]
    assert sorted(filter(None, records)) == sorted(names)


def test_a_full_file_says_so(tmp_path: Path) -> None:
    """The 65th name is refused rather than miscounted."""
    probe, _ = _probe(tmp_path)
    for number in range(64):
        probe.count(f"n{number}")

    with pytest.raises(ValueError, match="All 64 counters are taken; no room for 'n64'"):
        probe.count("n64")


def test_a_life_begins_with_start_and_counts_without_a_gap(tmp_path: Path) -> None:
    """Each event is one line, numbered from 1 within a life."""
    probe, _ = _probe(tmp_path)
    probe.journal("acked", ids=[4, 5], topic="orders", partitions=[0, 1], offsets=[7, 9])

    first, second, rest = _lines(tmp_path)

    start, acked = json.loads(first), json.loads(second)
    assert (start["n"], start["event"], start["pid"], rest) == (1, "start", os.getpid(), "")
    assert acked.pop("at_us") >= start["at_us"]
    assert acked == {
        "n": 2,
        "event": "acked",
        "ids": [4, 5],
        "topic": "orders",
        "partitions": [0, 1],
        "offsets": [7, 9],
    }


@pytest.mark.parametrize("kept", [1, 10, -2], ids=["one byte", "ten bytes", "all but the end"])
def test_a_torn_line_is_closed_by_the_next_life(tmp_path: Path, kept: int) -> None:
    """SIGKILL in the middle of a write costs that line, and no other."""
    path = tmp_path / "journal.jsonl"
    whole = '{"n":1,"at_us":1,"event":"start","pid":1}\n'
    torn = '{"n":2,"at_us":2,"event":"acked","ids":[1]}\n'[:kept]
    path.write_text(whole + torn)

    _probe(tmp_path)

    lines = _lines(tmp_path)
    assert lines[:2] == [whole.strip(), torn]
    assert json.loads(lines[2])["event"] == "start"


def test_a_whole_journal_gets_no_empty_line(tmp_path: Path) -> None:
    """The healing newline is written only where it heals."""
    _probe(tmp_path)
    _probe(tmp_path)

    assert [json.loads(line)["n"] for line in _lines(tmp_path)[:-1]] == [1, 1]
