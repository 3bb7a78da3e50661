"""Every fault of roles and of their sessions, on a real lab: it bites, and it is healed.

What a fault did is looked up where its driver does not look: in the journals that roles write, and
in the exits that the supervisor told.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.faults import sessions
from harness.ledger.journal import JournalEvent, read_journal, read_journals
from harness.ledger.timeline import Timeline, TimelineEvent, read_timeline
from harness.run.session import LabSession, default_start
from harness.scenario import (
    consumer,
    every,
    kill,
    pause,
    pipeline,
    producer,
    relay,
    restart_storm,
    scale,
    skew,
    stop,
    terminate,
)
from harness.schedule.targets import Instance, Role
from harness.schedule.values import Fault

SLACK_US = 300_000
"""Between a fault and the last word of what it hit: a line may be written already."""


class Seen(NamedTuple):
    """One run of one fault: what was told of it, by the timeline and by the journals."""

    folder: Path
    timeline: Timeline
    journals: dict[str, tuple[JournalEvent, ...]]

    def at_us(self, state: str) -> int:
        """Return when the fault reached a state."""
        found = [e for e in self.timeline.of("fault") if e.get("state") == state]
        return int(str(found[0]["at_us"]))

    def evidence(self) -> str:
        """Return the sentences that the fault ended with."""
        return "; ".join(self.timeline.faults()[0].evidence)

    def exits(self, role: str) -> list[TimelineEvent]:
        """Return the exits of a role that the harness asked for before the storm was over."""
        return [
            e
            for e in self.timeline.of("role")
            if e["role"] == role
            and e["state"] == "exited"
            and int(str(e["at_us"])) <= self.at_us("verified")
        ]

    def during(self, *names: str, seconds: float) -> list[JournalEvent]:
        """Return what these journals tell of the time in which the fault was in force.

        It is healed no sooner than `seconds` after it held; when that is told is another matter.
        """
        since = self.at_us("held") + SLACK_US
        until = self.at_us("held") + round(seconds * 1_000_000) - SLACK_US
        return [e for name in names for e in self.journals[name] if since < e.at_us < until]

    def of(self, name: str, event: str) -> list[JournalEvent]:
        """Return the events of one kind in one journal, from the asking for the fault on."""
        since = self.at_us("asked")
        return [e for e in self.journals[name] if e.event == event and e.at_us > since]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabSession]:
    """One lab for all of them."""
    runs = tmp_path_factory.mktemp("runs")
    with LabSession(start=default_start(progress=print), runs=runs) as made:
        yield made


def played(session: LabSession, fault: Fault) -> Seen:
    """Play one fault on the safe pipeline, which must stay exactly-once, and look at the run."""
    run = session.run(pipeline("outbox"), fault)
    run.assert_exactly_once()
    journals = {journal.name: journal.events for journal in read_journals(run.folder)}
    return Seen(run.folder, read_timeline(run.folder), journals)


def test_every_process_of_a_role_is_killed_at_once(session: LabSession) -> None:
    """Both die by SIGKILL, nobody processes anything meanwhile, and both start again."""
    seen = played(session, kill(every("consumer")).after(acked=300).for_seconds(1.5))

    assert sorted((e["instance"], e["code"]) for e in seen.exits("consumer")) == [(0, -9), (1, -9)]
    assert seen.during("consumer-0", "consumer-1", seconds=1.5) == []
    assert len(seen.of("consumer-0", "start")) == len(seen.of("consumer-1", "start")) == 1


def test_a_role_that_hears_sigterm_ends_in_good_order(session: LabSession) -> None:
    """It says `stop` itself, ends with status 0, and sends nothing until it is started again."""
    seen = played(session, stop(relay()).after(acked=300).for_seconds(1.5))

    assert [e["code"] for e in seen.exits("relay")] == [0]
    assert len(seen.of("relay-0", "stop")) >= 1
    assert seen.during("relay-0", seconds=1.5) == []
    assert "ended with status 0" in seen.evidence()


@pytest.mark.thorough
def test_a_role_that_does_not_hear_sigterm_is_killed_after_its_grace(session: LabSession) -> None:
    """A stopped process cannot hear: the evidence says that it took SIGKILL."""
    deaf = pause(relay()).after(acked=300).for_seconds(7)
    run = session.run(pipeline("outbox"), deaf, stop(relay()).when(0, seconds=0.2).for_seconds(0.5))

    faults = read_timeline(run.folder).faults()
    assert "did not hear SIGTERM and was killed" in "; ".join(faults[1].evidence)
    assert all(fault.bit for fault in faults)


@pytest.mark.thorough
def test_every_process_of_a_role_is_paused_at_once(session: LabSession) -> None:
    """No journal moves while they sleep, and no process is lost."""
    seen = played(session, pause(every("consumer")).after(acked=300).for_seconds(2))

    assert seen.during("consumer-0", "consumer-1", seconds=2) == []
    assert seen.exits("consumer") == []


def test_a_process_stops_itself_inside_its_transaction_and_goes_on_there(
    session: LabSession,
) -> None:
    """Another consumer takes over while it sleeps; the same life wakes up with the same batch."""
    fault = pause(consumer(0)).at("in_transaction", passes=20).for_seconds(5)
    seen = played(session, fault)

    assert seen.during("consumer-0", seconds=5) == []
    assert [e for e in seen.during("consumer-1", seconds=5) if e.event == "assigned"]
    assert seen.exits("consumer") == []
    mine = [e for e in seen.journals["consumer-0"] if e.at_us < seen.at_us("held") + SLACK_US]
    then = seen.journals["consumer-0"][len(mine) :]
    assert mine[-1].event == "delivered"
    taken = {e for event in then[:2] if event.event in {"effect", "absorbed"} for e in event.ids}
    assert taken == set(mine[-1].ids) or then[0].event == "error"
    assert "in_transaction fired at pass" in seen.evidence()


def test_a_restart_storm_kills_in_turns_and_the_group_comes_back(session: LabSession) -> None:
    """How much a life gets done before its turn depends on the machine; that it dies does not."""
    fault = restart_storm(every("consumer"), every_s=0.8).after(acked=300).for_seconds(4)
    seen = played(session, fault)

    codes = [(e["instance"], e["code"]) for e in seen.exits("consumer")]
    assert len(codes) >= 3
    assert set(codes) == {(0, -9), (1, -9)}
    assigned = seen.of("consumer-0", "assigned") + seen.of("consumer-1", "assigned")
    assert assigned
    assert not [e for e in seen.timeline.of("role") if e["state"] == "failing"]


def test_scaling_out_adds_a_process_with_files_of_its_own(session: LabSession) -> None:
    """It gets partitions, takes effects, and leaves in good order when the fault ends."""
    seen = played(session, scale("consumer", to=3).after(acked=300).for_seconds(3))

    assert seen.of("consumer-2", "assigned")
    assert seen.of("consumer-2", "effect")
    assert [e.event for e in seen.journals["consumer-2"]][-1] == "stop"
    assert [(e["instance"], e["code"]) for e in seen.exits("consumer")] == [(2, 0)]
    assert (seen.folder / "stderr" / "consumer-2.log").exists()
    assert (seen.folder / "counters" / "consumer-2.bin").exists()
    assert "consumer 2 ran as process" in seen.evidence()


@pytest.mark.thorough
def test_scaling_in_to_none_stops_a_role_and_brings_it_back(session: LabSession) -> None:
    """All end in good order, the highest number first; nothing is processed until they return."""
    seen = played(session, scale("consumer", to=0).after(acked=300).for_seconds(1.5))

    assert sorted((e["instance"], e["code"]) for e in seen.exits("consumer")) == [(0, 0), (1, 0)]
    assert seen.during("consumer-0", "consumer-1", seconds=1.5) == []
    assert seen.of("consumer-0", "effect") + seen.of("consumer-1", "effect")


@pytest.mark.parametrize("target", [consumer(0), every("relay")], ids=str)
def test_the_database_ends_transactions(session: LabSession, target: Instance | Role) -> None:
    """The role itself says that its connection was terminated, and goes on with a new one."""
    seen = played(session, terminate(target).after(acked=300).for_seconds(1))

    hurt = "consumer-0" if target == consumer(0) else "relay-0"
    errors = [str(e.fields.get("error")) for e in seen.of(hurt, "error")]
    assert any("administrator command" in error for error in errors), errors
    others = [e for name in seen.journals if name != hurt for e in seen.of(name, "error")]
    assert not [e for e in others if "administrator command" in str(e.fields.get("error"))]
    assert "in the middle of a transaction" in seen.evidence()


def test_a_process_that_is_in_no_transaction_is_not_bitten(
    session: LabSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to end is no evidence: such a run is VACUOUS, not PASSED."""
    monkeypatch.setattr(sessions, "PATIENCE_S", 1.0)
    faults = (
        pause(relay()).after(acked=300).for_seconds(5),
        terminate(consumer(0)).when(0, seconds=1.5),
    )
    run = session.run(pipeline("outbox"), *faults)

    assert run.verdict.outcome.value == "VACUOUS"
    assert not read_timeline(run.folder).faults()[1].bit


@pytest.mark.parametrize(
    ("target", "by_s"), [(consumer(0), -7200.0), (producer(), 1800.0)], ids=["behind", "ahead"]
)
def test_a_process_lives_with_a_wrong_clock(
    session: LabSession, target: Instance, by_s: float
) -> None:
    """Its own journal is stamped wrong while the fault lasts, and right again afterwards."""
    run = session.run(pipeline("outbox"), skew(target, by_s=by_s).after(acked=300).for_seconds(1.5))
    run.assert_exactly_once()

    timeline = read_timeline(run.folder)
    name = f"{target.role}-{target.number}"
    lines = (run.folder / "journal" / f"{name}.jsonl").read_bytes()
    events = read_journal(name, lines).events
    began_us = int(str(timeline.of("phase")[0]["at_us"]))
    off_s = [round((e.at_us - began_us) / 1e6 / 60) * 60 for e in events if e.event == "start"]
    assert off_s == [0, int(by_s), 0]
    wrong = [e for e in events if abs((e.at_us - began_us) / 1e6 - by_s) < 60]
    assert {"effect", "committed"} & {e.event for e in wrong}
    assert "by its own journal" in "; ".join(timeline.faults()[0].evidence)
