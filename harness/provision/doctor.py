"""Examines what provisioning would find here; it fetches nothing and leaves nothing running."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from harness.errors import ProvisionError
from harness.provision import (
    cache,
    checkpoint,
    classdata,
    java,
    kafka,
    maven,
    postgres,
    redis,
    skew,
    toxiproxy,
    wheel,
    zookeeper,
)
from harness.provision.backend import BackendChoice
from harness.provision.values import Found

State = Literal["found", "fetchable", "missing"]
NEEDED_BYTES = 1_500_000_000
_MARKS: dict[State, str] = {"found": "✓", "fetchable": "↓", "missing": "✗"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReport:
    """One line of the doctor's answer."""

    name: str
    state: State
    """found; fetchable: the next start gets it by itself; missing: a person must act."""
    detail: str
    """Version and place of what was found, or how it would be fetched."""
    remedy: str | None = None
    """What to do about a missing part."""
    optional: bool = False
    """A lab starts without it."""
    notes: tuple[str, ...] = ()
    """What was seen on the way, such as a JAVA_HOME that cannot be used."""

    def to_json(self) -> dict[str, object]:
        """Return the report as JSON values."""
        return {
            "name": self.name,
            "state": self.state,
            "detail": self.detail,
            "remedy": self.remedy,
            "optional": self.optional,
            "notes": list(self.notes),
        }


def examine(kafka_version: str = kafka.KAFKA_VERSION) -> tuple[PartReport, ...]:
    """Return one report for each part, in the order in which they are needed."""
    runtime, libs = java.find(), kafka.find(kafka_version)
    return (
        _python(),
        _cache(),
        _maven(needed=libs is None),
        _go(needed=toxiproxy.find() is None),
        _part("java", runtime, f"the wheel {java.WHEEL} {wheel.locked_version(java.WHEEL)}"),
        _kafka(libs, version=kafka_version),
        _toxiproxy(),
        _postgres(),
        _account(),
        *_recordings(runtime, libs, version=kafka_version),
        _redis(),
        _zookeeper(),
        _skew(),
    )


def ready(reports: tuple[PartReport, ...], *, choice: BackendChoice | None = None) -> bool:
    """Tell whether a lab can start: nothing is missing that a person would have to install.

    Containers bring their own parts with them.
    """
    if choice is not None and choice.backend == "docker":
        return True
    return all(report.state != "missing" or report.optional for report in reports)


def render(reports: tuple[PartReport, ...], *, choice: BackendChoice | None = None) -> str:
    """Return the reports as lines for people, with the backend last if it is given."""
    lines = [line for report in reports for line in _lines(report)]
    if choice is not None:
        lines.append(f"backend: {choice}")
    lines.append(
        "A lab can start here."
        if ready(reports, choice=choice)
        else "A lab cannot start here: see what is marked ✗."
    )
    return "\n".join(lines)


def _lines(report: PartReport) -> Iterator[str]:
    mark = "-" if report.optional and report.state == "missing" else _MARKS[report.state]
    yield f"{mark} {report.name:<18} {report.detail}"
    for note in report.notes:
        yield f"{'':21}passed over: {note}"
    if report.remedy is not None:
        yield f"{'':21}→ {report.remedy}"


def _part(name: str, found: Found | None, fetched_as: str) -> PartReport:
    if found is None:
        return PartReport(name=name, state="fetchable", detail=f"would be fetched: {fetched_as}")
    return PartReport(name=name, state="found", detail=str(found), notes=found.passed_over)


def _python() -> PartReport:
    detail = f"{platform.python_version()} ({sys.executable})"
    return PartReport(name="python", state="found", detail=detail)


def _cache() -> PartReport:
    home = cache.root()
    existing = next(folder for folder in (home, *home.parents) if folder.is_dir())
    if not os.access(existing, os.W_OK | os.X_OK):
        return PartReport(
            name="cache folder",
            state="missing",
            detail=f"{home} cannot be written",
            remedy="point XDG_CACHE_HOME at a folder you may write",
        )
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < NEEDED_BYTES:
        detail = f"{home}: only {free_bytes / 1e9:.1f} GB free"
        remedy = f"free {NEEDED_BYTES / 1e9:.1f} GB or point XDG_CACHE_HOME elsewhere"
        return PartReport(name="cache folder", state="missing", detail=detail, remedy=remedy)
    detail = f"{home} ({free_bytes / 1e9:.0f} GB free)"
    return PartReport(name="cache folder", state="found", detail=detail)


def _tool(name: str, program: Path | None, *, needed: bool, remedy: str) -> PartReport:
    if program is not None:
        return PartReport(name=name, state="found", detail=str(program))
    if needed:
        return PartReport(name=name, state="missing", detail="not on PATH", remedy=remedy)
    return PartReport(name=name, state="found", detail="not on PATH, and not needed any more")


def _maven(*, needed: bool) -> PartReport:
    return _tool("maven", maven.program(), needed=needed, remedy=maven.REMEDY)


def _go(*, needed: bool) -> PartReport:
    return _tool("go", toxiproxy.go(), needed=needed, remedy=toxiproxy.GO_REMEDY)


def _kafka(found: Found | None, *, version: str) -> PartReport:
    return _part("kafka", found, f"Kafka {version} by Maven")


def _toxiproxy() -> PartReport:
    fetched_as = f"Toxiproxy {toxiproxy.TOXIPROXY_VERSION} by go install"
    return _part("toxiproxy", toxiproxy.find(), fetched_as)


def _postgres() -> PartReport:
    fetched_as = f"the wheel {postgres.WHEEL} {wheel.locked_version(postgres.WHEEL)}"
    return _part("postgresql", postgres.find(), fetched_as)


def _account() -> PartReport:
    try:
        name = postgres.postgres_user()
    except ProvisionError as error:
        return PartReport(
            name="postgresql account", state="missing", detail=error.message, remedy=error.remedy
        )
    detail = "this one" if name is None else f"{name} (PostgreSQL refuses to run as root)"
    return PartReport(name="postgresql account", state="found", detail=detail)


def _recordings(runtime: Found | None, libs: Found | None, *, version: str) -> Iterator[PartReport]:
    formatted = checkpoint.find(version)
    yield PartReport(
        name="kafka format",
        state="fetchable" if formatted is None else "found",
        detail="would be made by Kafka's StorageTool" if formatted is None else str(formatted),
    )
    jars = () if libs is None else kafka.jars(libs)
    archive = reason = None
    if runtime is not None and jars:
        archive = classdata.find(runtime.path, jars)
        reason = classdata.failure(runtime.path, jars)
    if reason is not None and archive is None:
        detail = f"none, nodes start slower: {reason}"
    else:
        detail = str(archive or "would be recorded by one Kafka node")
    state: State = "fetchable" if archive is None else "found"
    yield PartReport(name="class data", state=state, detail=detail)


def _redis() -> PartReport:
    fetched_as = f"the wheel {redis.WHEEL} {wheel.locked_version(redis.WHEEL)}"
    return _lock_service("redis", redis.find(), fetched_as)


def _zookeeper() -> PartReport:
    fetched_as = f"ZooKeeper {zookeeper.ZOOKEEPER_VERSION} by Maven"
    found = zookeeper.find()
    if found is None and maven.program() is None:
        return PartReport(
            name="zookeeper",
            state="missing",
            detail=f"not here; only for pipelines that use it: {fetched_as}",
            remedy=maven.REMEDY,
            optional=True,
        )
    return _lock_service("zookeeper", found, fetched_as)


def _lock_service(name: str, found: Found | None, fetched_as: str) -> PartReport:
    """Report on a server that is started only for pipelines that use it."""
    report = _part(name, found, fetched_as)
    return replace(report, detail=f"{report.detail}, only for pipelines that use it", optional=True)


def _skew() -> PartReport:
    """Report on the library for wrong clocks, which only schedules with a skew need."""
    name, only = "wrong clocks", "only for skew faults"
    found = skew.find() if skew.possible() else None
    if found is not None:
        return PartReport(name=name, state="found", detail=f"{found}, {only}", optional=True)
    if skew.possible() and skew.compiler() is not None:
        detail = f"would be built with {skew.compiler()}, {only}"
        return PartReport(name=name, state="fetchable", detail=detail, optional=True)
    return PartReport(
        name=name, state="missing", detail=f"not here; {only}", remedy=skew.REMEDY, optional=True
    )
