"""Starts and stops labs of containers, kills some in the middle, and counts what stays behind.

    python benchmarks/docker_cycles.py [--cycles 30] [--kills 10] [--seed 1]

A killed one is a process of its own, SIGKILLed at a drawn moment of its start, every other time
together with its warden; what it left is cleared by the next start. Only things of this user's
labs are counted.
"""

import argparse
import random
import signal
import statistics
import subprocess
import sys

import psutil

from harness.clock import monotonic_s, sleep
from harness.lab.docker import engine, leftovers, marks, start_docker_lab
from harness.provision.images.names import Images, image_set

OWNER = """
import sys
from harness.lab.docker import start_docker_lab
from harness.provision.images.names import image_set
start_docker_lab(images=image_set(sys.argv[1]))
sys.stdin.read()
"""


def main() -> int:
    """Print a line for each cycle, and the figures at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=30, help="starts and stops (default 30)")
    parser.add_argument("--kills", type=int, default=10, help="of which are killed (default 10)")
    parser.add_argument("--images", default="own", help="own or public (default own)")
    parser.add_argument("--seed", type=int, default=1, help="draws when they are killed")
    options = parser.parse_args()
    draw = random.Random(options.seed)  # noqa: S311  # not for secrets
    killed = set(draw.sample(range(options.cycles - 1), options.kills))
    images, boots = image_set(options.images), list[float]()
    usual_s = 6.0
    for cycle in range(options.cycles):
        if cycle in killed:
            after_s = draw.uniform(0.3, 1.3 * usual_s)
            warden_too = bool(cycle % 2)
            left = kill_in_the_middle(options.images, after_s=after_s, warden_too=warden_too)
            also = " with its warden" if warden_too else ""
            print(f"{cycle + 1:3}: killed{also} after {after_s:.1f} s, left {left}", flush=True)
            continue
        boots.append(started_and_stopped(images))
        usual_s = statistics.median(boots)
        left = count()
        print(f"{cycle + 1:3}: ready after {boots[-1]:.1f} s; afterwards {left}", flush=True)
        if any(left.values()):
            return 1
    print(
        f"{options.cycles} starts, {len(killed)} of them killed: nothing left; "
        f"ready after {min(boots):.1f} / {statistics.median(boots):.1f} / {max(boots):.1f} s "
        "(least, median, most)"
    )
    return 0


def started_and_stopped(images: Images) -> float:
    """Start a lab, which clears what dead ones left, and close it; return when it was ready."""
    with start_docker_lab(images=images) as lab:
        return lab.boot_s


def kill_in_the_middle(images: str, *, after_s: float, warden_too: bool) -> dict[str, int]:
    """SIGKILL a process that starts a lab; return what stood in the engine right afterwards."""
    began = monotonic_s()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, images], stdin=subprocess.PIPE)
    sleep(max(0.0, after_s - (monotonic_s() - began)))
    wardens = [
        child
        for child in psutil.Process(owner.pid).children()
        if "warden.py" in " ".join(child.cmdline())
    ]
    for warden in wardens if warden_too else ():
        warden.kill()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    return count()


def count() -> dict[str, int]:
    """Count what this user's labs have in the engine now."""
    client = engine.connect()
    wanted = {"label": f"{marks.OWNER}={marks.owner()}"}
    found = {
        "containers": len(client.containers.list(all=True, sparse=True, filters=wanted)),
        "networks": len(client.networks.list(filters=wanted)),
        "volumes": len(client.volumes.list()),
    }
    client.close()
    return found


if __name__ == "__main__":
    leftovers.clear_dead_labs(engine.connect())
    sys.exit(main())
