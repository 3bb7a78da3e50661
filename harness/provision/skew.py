"""The library that gives one process a wrong wall clock: built from `data/skew.c`, kept in cache.

Ready-made ones do not do: libfaketime leaves the waits of C11 threads alone, in which librdkafka
then hangs for as long as the clock is wrong. Only schedules with a `skew` need this part.
"""

import hashlib
import platform
import shutil
import sys
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import cache, command
from harness.provision.values import Found, Progress, silent

SOURCE = Path(__file__).with_name("data") / "skew.c"
LIBRARY = "skew.so"
COMPILERS = ("cc", "gcc", "clang")
DEADLINE_S = 60.0
REMEDY = "install a C compiler (cc, gcc or clang), or leave skew() out of the schedule"
_PROOF = """
import threading, time
began = time.monotonic()
threading.Event().wait(0.01)
time.sleep(0.01)
assert time.monotonic() - began < 5, "waits take too long"
print(int(time.time()))
"""
_PROOF_SKEW_S = 86_400


def variables(library: Path, *, by_s: float) -> dict[str, str]:
    """Return what a process is given so that its clock is wrong by so many whole seconds."""
    return {"LD_PRELOAD": str(library), "HARNESS_SKEW_S": str(round(by_s))}


def compiler() -> Path | None:
    """Return the C compiler on PATH."""
    found = (shutil.which(name) for name in COMPILERS)
    return next((Path(program) for program in found if program), None)


def possible() -> bool:
    """Tell whether this platform lets a library be put before the C library's clock."""
    return sys.platform == "linux"


def find() -> Found | None:
    """Return the library if it was built already."""
    target = cache.root() / _name()
    return _found(target) if cache.is_whole(target) else None


def provide(*, progress: Progress = silent) -> Found:
    """Return the library, building it at the first call.

    ProvisionError where clocks cannot be set wrong: not on Linux, or without a C compiler.
    """
    if not possible():
        raise ProvisionError(
            f"skew is not available here: clocks are set wrong on Linux, not on {sys.platform}",
            remedy="leave skew() out of the schedule, or run it on Linux",
        )

    def build(part: Path) -> None:
        progress("building the library for wrong clocks")
        _build(part)

    return _found(cache.entry(_name(), build, progress=progress))


def _build(part: Path) -> None:
    program = compiler()
    if program is None:
        raise ProvisionError("skew is not available here: there is no C compiler", remedy=REMEDY)
    library = part / LIBRARY
    flags = ("-shared", "-fPIC", "-O2", "-o")
    compiling = command.Command(
        argv=[program, *flags, library, SOURCE, "-ldl", "-lpthread"],
        deadline_s=DEADLINE_S,
        doing="Building the library for wrong clocks",
        remedy=REMEDY,
    )
    command.run(compiling, log=part / "cc.log")
    _prove(library, log=part / "proof.log")


def _prove(library: Path, *, log: Path) -> None:
    """Run a process with it: its wall clock is wrong, and its waits are not."""
    right, wrong = (
        int(
            command.run(
                command.Command(
                    argv=[sys.executable, "-c", _PROOF],
                    deadline_s=DEADLINE_S,
                    doing="Trying the library for wrong clocks",
                    remedy=REMEDY,
                    environment=environment,
                ),
                log=log,
            )
        )
        for environment in ({}, variables(library, by_s=_PROOF_SKEW_S))
    )
    off_s = wrong - right
    if abs(off_s - _PROOF_SKEW_S) > DEADLINE_S:
        raise ProvisionError(
            f"skew is not available here: a clock that was to be {_PROOF_SKEW_S} s ahead was "
            f"{off_s} s ahead",
            remedy="leave skew() out of the schedule",
        )


def _found(target: Path) -> Found:
    return Found(path=target / LIBRARY, version=_digest(), origin="built here")


def _digest() -> str:
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]


def _name() -> str:
    return f"skew-{_digest()}-{platform.machine()}"
