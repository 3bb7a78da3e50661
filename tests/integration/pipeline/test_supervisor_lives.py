"""Lives that faults end, stop, add and dress, with real, tiny processes."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from harness.clock import monotonic_s, wait_until
from harness.pipeline.role_process import COURTESY
from harness.pipeline.supervisor import Supervisor

FILE = """
[pipeline]
name = "tiny"
[roles.worker]
command = ["{python}", "-c", '''{code}''']
instances = {instances}
restart_delay_s = 0.05
stop_grace_s = 0.5
[message]
id = "key"
[queries]
intents = "SELECT 1 AS message_id"
effects = "SELECT 1 AS message_id"
"""
SLEEPER = 'import time; print("up", flush=True); time.sleep(60)'
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); " + SLEEPER
POLITE = "import signal, sys; signal.signal(15, lambda *_: sys.exit(0)); " + SLEEPER
PASSES = """
import time
from harness.pipeline.probe import Probe
probe = Probe.from_environment()
while True:
    probe.point("here")
    probe.count("done")
    time.sleep(0.005)
"""
Supervise = Callable[..., Supervisor]


@pytest.fixture
def supervise(supervisor_of: Callable[[str], Supervisor]) -> Supervise:
    """Give a function that makes supervisors of started workers, closed after the test."""

    def make(code: str, *, instances: int = 1) -> Supervisor:
        text = FILE.format(python=sys.executable, code=code, instances=instances)
        supervisor = supervisor_of(text)
        supervisor.start_all()
        return supervisor

    return make


def _await_up(supervisor: Supervisor, instance: int = 0, *, lives: int = 1) -> None:
    wait_until(
        lambda: supervisor.output("worker", instance).count("up") >= lives,
        deadline_s=20,
        describe=f"worker {instance} to be up",
    )


def _await_code(supervisor: Supervisor, instance: int = 0) -> int:
    def noticed() -> bool:
        supervisor.poll()
        return bool(supervisor.exit_codes("worker", instance))

    wait_until(noticed, deadline_s=20, describe=f"worker {instance} to end")
    return supervisor.exit_codes("worker", instance)[-1]


def test_a_terminated_process_ends_in_good_order_and_stays_away(supervise: Supervise) -> None:
    """Asking returns at once; its own exit status is kept, and only `start` brings it back."""
    supervisor = supervise(POLITE)
    _await_up(supervisor)

    supervisor.terminate("worker")

    assert _await_code(supervisor) == 0
    assert supervisor.poll(now_s=1e12) == ()
    (started,) = supervisor.start("worker")
    assert supervisor.pid("worker") == started.pid


def test_a_terminated_process_that_is_deaf_is_killed_after_its_grace(supervise: Supervise) -> None:
    """By a later poll, and it counts as asked for."""
    supervisor = supervise(DEAF)
    _await_up(supervisor)
    asked_s = monotonic_s()

    supervisor.terminate("worker")
    assert monotonic_s() - asked_s < 0.3
    assert supervisor.poll() == ()

    assert _await_code(supervisor) == -signal.SIGKILL
    assert monotonic_s() - asked_s >= 0.5


def test_a_process_stops_itself_at_a_point_and_goes_on_from_there(supervise: Supervise) -> None:
    """The kernel calls it stopped, what follows the point is not done, and no pass is lost."""
    supervisor = supervise(PASSES)
    counters = supervisor.counters("worker")
    wait_until(lambda: counters.read().get("done", 0) > 3, deadline_s=20, describe="some passes")
    pid = supervisor.pid("worker")

    counters.arm("here", passes=5, stop=True)
    wait_until(lambda: counters.fired("here"), deadline_s=20, describe="the point to fire")
    wait_until(lambda: supervisor.stopped("worker"), deadline_s=5, describe="it to be stopped")

    assert supervisor.stopped("worker") == (pid,)
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    passed = counters.read()
    assert passed["here"] == counters.fired("here") == passed["done"] + 1

    supervisor.resume("worker")
    wait_until(
        lambda: counters.read()["done"] > passed["done"], deadline_s=5, describe="it to go on"
    )
    assert supervisor.pid("worker") == pid
    supervisor.kill("worker")
    assert supervisor.exit_codes("worker") == (-signal.SIGKILL,)


def test_an_added_instance_has_files_of_its_own_and_is_not_missed(
    supervise: Supervise, tmp_path: Path
) -> None:
    """It takes the lowest free number; once retired nobody waits for it, until it is needed."""
    supervisor = supervise(POLITE, instances=2)

    number, (started,) = supervisor.add("worker")
    _await_up(supervisor, 2)

    assert (number, started.instance) == (2, 2)
    assert supervisor.wanted("worker") == (0, 1, 2)
    for file in ("counters/worker-2.bin", "stderr/worker-2.log"):
        assert (tmp_path / "run" / file).exists()

    supervisor.retire("worker", 2)
    assert _await_code(supervisor, 2) == 0
    assert supervisor.wanted("worker") == (0, 1)
    assert supervisor.missing() == ()
    assert supervisor.start("worker", 2) == supervisor.start_all() == ()
    assert supervisor.instances() == (("worker", 0), ("worker", 1), ("worker", 2))

    assert supervisor.add("worker")[0] == 2
    assert supervisor.pid("worker", 2) is not None


def test_what_a_fault_puts_on_stays_on_until_it_is_taken_off(supervise: Supervise) -> None:
    """Every life meanwhile is given the variables, whoever started it."""
    show = "import os; print(os.environ.get('HARNESS_SKEW_S'), flush=True); " + SLEEPER
    supervisor = supervise(show)
    _await_up(supervisor)
    supervisor.dress("worker", extra={"HARNESS_SKEW_S": "60"})
    for lives in (2, 3):
        supervisor.kill("worker")
        supervisor.poll(now_s=1e12)
        _await_up(supervisor, lives=lives)
    supervisor.dress("worker", extra={})
    supervisor.kill("worker")
    supervisor.poll(now_s=1e12)
    _await_up(supervisor, lives=4)

    shown = supervisor.output("worker").splitlines()
    assert shown == ["None", "up", "60", "up", "60", "up", "None", "up"]


def test_the_servers_of_a_lab_come_before_its_load(supervise: Supervise) -> None:
    """Whatever a role starts is as courteous as it is."""
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    supervisor = supervise(f"import sys; sys.argv[1:] = [{SLEEPER!r}]; {child}")

    def courtesies() -> list[int]:
        role = psutil.Process(supervisor.pid("worker"))
        return [each.nice() for each in (role, *role.children())]

    ours = psutil.Process().nice()
    wait_until(
        lambda: courtesies() == [ours + COURTESY] * 2,
        deadline_s=10,
        describe="a role and its child to be nicer than we are",
        last_seen=courtesies,
    )
