"""The supervisor with real, tiny processes."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.clock import wait_until
from harness.errors import PipelineError, UsageError
from harness.pipeline.role_state import RoleEvent
from harness.pipeline.supervisor import Supervisor

FILE = """
[pipeline]
name = "tiny"
[roles.worker]
command = {command}
{more}
[message]
id = "key"
[queries]
intents = "SELECT 1 AS message_id"
effects = "SELECT 1 AS message_id"
"""
SLEEPER = '["sleep", "60"]'
Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(supervisor_of: Callable[[str], Supervisor]) -> Supervise:
    """Give a function that makes supervisors, which are closed after the test."""

    def make(command: str, more: str = "restart_delay_s = 0.05") -> Supervisor:
        return supervisor_of(FILE.format(command=command, more=more))

    return make


def _poll_until(supervisor: Supervisor, state: str, *, times: int = 1) -> list[RoleEvent]:
    seen: list[RoleEvent] = []

    def enough() -> bool:
        seen.extend(supervisor.poll())
        return sum(event.state == state for event in seen) >= times

    wait_until(enough, deadline_s=10, describe=f"{times} times {state}", last_seen=lambda: seen)
    return seen


def _python(code: str) -> str:
    return f"['{sys.executable}', '-c', '''{code}''']"


def test_a_role_that_ends_by_itself_is_started_again(supervise: Supervise) -> None:
    """As a supervisor in production would; its exit code and last words are told."""
    supervisor = supervise('["sh", "-c", "echo broken; exit 3"]')
    supervisor.start_all()

    exited, started = _poll_until(supervisor, "started")[:2]

    assert (exited.state, exited.code, exited.asked, exited.output) == (
        "exited",
        3,
        False,
        "broken",
    )
    assert started.pid != exited.pid
    assert supervisor.exit_codes("worker")[0] == 3


def test_a_role_that_keeps_failing_is_told_once(supervise: Supervise) -> None:
    """Three short lives in a row are an event with the last words, so that the run can stop."""
    supervisor = supervise('["sh", "-c", "echo no such table >&2; exit 1"]')
    supervisor.start_all()

    events = _poll_until(supervisor, "exited", times=4)

    failing = [event for event in events if event.state == "failing"]
    assert len(failing) == 1
    assert "no such table" in failing[0].output


def test_a_kill_takes_the_whole_process_group(supervise: Supervise, tmp_path: Path) -> None:
    """A shell's child is gone too, and the exit counts as asked for."""
    supervisor = supervise(f'["sh", "-c", "sleep 61 & echo $! > {tmp_path}/child; wait"]')
    supervisor.start_all()
    child = tmp_path / "child"
    wait_until(
        lambda: child.exists() and child.read_text().strip(), deadline_s=5, describe="the child"
    )

    (event,) = supervisor.kill("worker")

    assert (event.code, event.asked) == (-signal.SIGKILL, True)
    assert supervisor.pid("worker") is None
    pid = int(child.read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_killed_role_comes_back_unless_it_is_held_down(supervise: Supervise) -> None:
    """A fault decides when it starts again."""
    supervisor = supervise(SLEEPER)
    supervisor.start_all()
    supervisor.hold_down("worker")
    supervisor.kill("worker")
    assert supervisor.poll(now_s=1e12) == ()
    assert supervisor.missing() == (("worker", 0),)

    (started,) = supervisor.start("worker")
    assert supervisor.pid("worker") == started.pid
    assert supervisor.start("worker") == ()

    supervisor.kill("worker")
    assert [event.state for event in supervisor.poll(now_s=1e12)] == ["started"]


def test_a_pause_stops_and_a_resume_continues(supervise: Supervise) -> None:
    """The kernel says stopped, and running again."""
    supervisor = supervise(SLEEPER)
    supervisor.start_all()
    pid = supervisor.pid("worker")

    supervisor.pause("worker")
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    assert supervisor.missing() == (("worker", 0),)

    supervisor.resume("worker")
    wait_until(
        lambda: psutil.Process(pid).status() != psutil.STATUS_STOPPED,
        deadline_s=2,
        describe="the role to run",
    )
    assert supervisor.missing() == ()


def test_a_paused_role_can_be_stopped(supervise: Supervise) -> None:
    """SIGTERM reaches it, because it is resumed first."""
    supervisor = supervise(SLEEPER)
    supervisor.start_all()
    supervisor.pause("worker")

    (event,) = supervisor.stop_all()

    assert (event.code, event.asked) == (-signal.SIGTERM, True)


def test_who_does_not_hear_sigterm_is_killed_after_the_grace(supervise: Supervise) -> None:
    """Stopping is bounded, whatever the role does."""
    deaf = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); "
        'print("deaf", flush=True); time.sleep(60)'
    )
    supervisor = supervise(_python(deaf), more="stop_grace_s = 0.2")
    supervisor.start_all()
    wait_until(lambda: "deaf" in supervisor.output("worker"), deadline_s=10, describe="it to run")

    (event,) = supervisor.stop_all()

    assert (event.code, event.asked) == (-signal.SIGKILL, True)
    assert supervisor.poll(now_s=1e12) == ()


def test_a_death_at_a_crash_point_counts_as_asked(supervise: Supervise) -> None:
    """The counter file tells an ordered death from one of its own."""
    code = 'from harness.pipeline.probe import Probe; p = Probe.from_environment(); p.point("here")'
    supervisor = supervise(_python(code), more="restart_delay_s = 60")
    supervisor.counters("worker").arm("here")
    supervisor.start_all()

    (event,) = _poll_until(supervisor, "exited")

    assert (event.code, event.asked, event.point) == (-signal.SIGKILL, True, "here")
    assert supervisor.totals() == {"here": 1}


def test_a_load_role_may_finish(supervise: Supervise) -> None:
    """Exit code 0 of a load role is its end, not a reason to start it again."""
    supervisor = supervise('["true"]', more='kind = "load"\nrestart_delay_s = 0.0')
    supervisor.start_all(kind="load")

    (event,) = _poll_until(supervisor, "exited")

    assert event.code == 0
    assert supervisor.poll(now_s=1e12) == ()
    assert supervisor.missing() == ()


def test_a_role_is_given_what_the_architecture_promises(
    supervise: Supervise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who it is, its probe files, its own env; and nothing of the kind from outside."""
    monkeypatch.setenv("KAFKA_LEFT_OVER", "1")
    more = 'instances = 2\nenv = { ME = "<${HARNESS_ROLE}>" }'
    supervisor = supervise('["env"]', more=more)
    supervisor.start_all()
    _poll_until(supervisor, "exited", times=2)

    printed = dict(
        line.split("=", 1) for line in supervisor.output("worker", 1, lines=200).splitlines()
    )
    assert printed["HARNESS_INSTANCE"] == "1"
    assert printed["HARNESS_INSTANCES"] == "2"
    assert printed["ME"] == "<worker>"
    assert printed["HARNESS_JOURNAL"].endswith("journal/worker-1.jsonl")
    assert "PATH" in printed
    assert "KAFKA_LEFT_OVER" not in printed


@pytest.mark.parametrize(
    ("command", "remedy"),
    [
        ('["no-such-command-here", "x"]', "install no-such-command-here, put it on PATH"),
        ('["./pipeline.toml"]', "make ./pipeline.toml executable"),
    ],
)
def test_a_command_that_cannot_start_is_one_clear_error(
    supervise: Supervise, command: str, remedy: str
) -> None:
    """Which role, which command, where, and what to do."""
    supervisor = supervise(command)

    with pytest.raises(PipelineError, match="worker-0 cannot be started") as caught:
        supervisor.start_all()

    assert remedy in str(caught.value)


def test_an_instance_that_does_not_exist_is_a_usage_error(supervise: Supervise) -> None:
    """The sentence names the ones that do."""
    with pytest.raises(UsageError, match="no worker 3") as caught:
        supervise(SLEEPER).kill("worker", 3)

    assert "worker 0" in str(caught.value)
