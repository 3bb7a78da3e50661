"""Finds a Docker engine that answers, or installs the distribution's and starts it.

    python .ci/engine.py [--find]           # --find installs and starts nothing
    python .ci/engine.py stop [--remove]    # ends the engine that this program started

It says on standard output what answers and what was done for it. Without an engine it says why on
standard error and ends with 1. An engine that was started here listens on its Unix socket only,
touches no firewall, and keeps its images in the user's cache for the next time; `--remove` deletes
them too. An engine that was there before is never ended. It must not import anything outside the
standard library.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

SOCKET = Path("/var/run/docker.sock")
RUNNING = Path("/run/zero-loss-harness-engine")
"""What a running engine needs: its pid, its log, its containers' state. Gone when it has ended."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
DATA = CACHE / "zero-loss-harness-engine"
"""Its images and layers."""
PID = RUNNING / "docker.pid"
LOG = RUNNING / "dockerd.log"
BRIDGE = "docker0"
BRIDGE_IS_OURS = RUNNING / "made-bridge"
PROGRAM = "dockerd"
PACKAGE = "docker.io"
REMEDY = f"install one (Debian and Ubuntu: apt-get install {PACKAGE}) and start it"
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 40.0


def main() -> None:
    """Do what is asked, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", nargs="?", choices=("start", "stop"), default="start")
    parser.add_argument("--find", action="store_true", help="install and start nothing")
    parser.add_argument("--remove", action="store_true", help="with stop: delete its images too")
    asked = parser.parse_args()
    if asked.action == "stop":
        say(stop())
        if asked.remove:
            shutil.rmtree(DATA, ignore_errors=True)
        return
    why_not = None if answers() else "none answers" if asked.find else start()
    if why_not is not None:
        sys.exit(f"no engine: {why_not}\n  → {REMEDY}")
    say(f"an engine answers: {answers()}")


def say(line: str) -> None:
    """Print a line now, wherever the output goes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def answers() -> str | None:
    """Return the version of the engine that answers, None if none does.

    Only a Unix socket is asked directly; the docker command knows of every other kind of address.
    """
    address = os.environ.get("DOCKER_HOST") or f"unix://{SOCKET}"
    if not address.startswith("unix://"):
        argv = ("docker", "version", "--format", "Docker {{.Server.Version}}")
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(argv, capture_output=True, check=True, text=True, timeout=10)
            return f"{done.stdout.strip()} at {address}"
        return None
    connection = http.client.HTTPConnection("localhost")
    with suppress(OSError, ValueError, KeyError), socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(10)
        wire.connect(address.removeprefix("unix://"))
        connection.sock = wire
        connection.request("GET", "/version")
        return f"Docker {json.load(connection.getresponse())['Version']} at {address}"
    return None


def start() -> str | None:
    """Install and start an engine as far as that is needed; return why it could not be done."""
    if os.environ.get("DOCKER_HOST"):
        return f"DOCKER_HOST is {os.environ['DOCKER_HOST']}, and nothing answers there"
    if os.geteuid() != 0:
        return "none answers, and only root may install and start one"
    stop()  # what a killed one left
    if shutil.which(PROGRAM) is None:
        if shutil.which("apt-get") is None:
            return f"{PROGRAM} is not on PATH, and there is no apt-get to install it with"
        install()
        if answers():  # a machine with systemd starts it by itself
            return None
    if shutil.which(PROGRAM) is None:
        return f"{PROGRAM} is not on PATH, and apt-get could not install {PACKAGE}"
    return launch()


def install() -> None:
    """Install the distribution's packages; a failure is seen by what is not found afterwards."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say(f"installing {PACKAGE}")
    for step in (("update",), ("install", "-y", "--no-install-recommends", PACKAGE)):
        subprocess.call([*APT, *step], env=environment, stdout=sys.stderr)


def launch() -> str | None:
    """Start the engine in the background and wait until it answers; return why it does not."""
    RUNNING.mkdir(mode=0o700, exist_ok=True)
    DATA.mkdir(parents=True, exist_ok=True)
    settings = RUNNING / "daemon.json"
    settings.write_text("{}", encoding="utf-8")  # instead of the machine's own
    if not bridge().exists():
        BRIDGE_IS_OURS.touch()
    argv = [
        *(PROGRAM, f"--config-file={settings}", f"--host=unix://{SOCKET}"),
        *(f"--data-root={DATA}", f"--exec-root={RUNNING}", f"--pidfile={PID}"),
        *("--iptables=false", "--ip6tables=false", "--ip-forward=false"),
    ]
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + START_DEADLINE_S
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            said = LOG.read_text(errors="replace").strip().splitlines()[-5:]
            stop()
            return f"{PROGRAM} did not come up; it said:\n    " + "\n    ".join(said)
        time.sleep(0.1)
    say(f"started {PROGRAM} (process {process.pid}), data in {DATA}")
    return None


def stop() -> str:
    """End the engine that was started here, with all that it runs; return what was done."""
    if not RUNNING.exists():
        return "no engine was started here"
    ended = [end(PID), end(RUNNING / "containerd" / "containerd.pid")]
    for shim in ours("containerd-shim"):  # only where the engine was killed
        for pid in (*children(shim), shim):
            kill(pid, signal.SIGKILL)
    for mounted in reversed(mounts()):
        subprocess.call(["umount", "--lazy", mounted])
    if BRIDGE_IS_OURS.exists() and bridge().exists():
        subprocess.call(["ip", "link", "delete", BRIDGE])
    if SOCKET.exists() and not answers():
        SOCKET.unlink()
    shutil.rmtree(RUNNING, ignore_errors=True)
    return f"ended {PROGRAM} (process {ended[0]})" if ended[0] else "the engine had ended already"


def end(pid_file: Path) -> int | None:
    """End the process of this file, if it is still the one that was started here."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        if pid not in ours(""):
            return None
        deadline = time.monotonic() + STOP_DEADLINE_S
        kill(pid, signal.SIGTERM)
        while pid in ours(""):
            if time.monotonic() > deadline:
                kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        return pid
    return None


def ours(program: str) -> list[int]:
    """Return the processes of this program that name our folder in their arguments."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            if str(RUNNING) in command and program in command.partition("\0")[0]:
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def children(pid: int) -> list[int]:
    """Return the processes that this one has started: for a shim, its container's first."""
    with suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def kill(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def mounts() -> list[str]:
    """Return what is mounted on our folders and below, outermost first."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    points = [line.split()[4] for line in lines]
    return [point for point in points if f"{point}/".startswith((f"{RUNNING}/", f"{DATA}/"))]


def bridge() -> Path:
    """Return where the kernel shows the engine's own bridge."""
    return Path("/sys/class/net", BRIDGE)


if __name__ == "__main__":
    main()
