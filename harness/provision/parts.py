"""All parts of a lab as one value: found where they are, fetched where they are not."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.provision import checkpoint, classdata, java, jvm, kafka, postgres, toxiproxy
from harness.provision.kafka import KAFKA_VERSION
from harness.provision.values import Found, Progress, silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Where every program of a lab lies."""

    java: Path
    kafka_libs: tuple[Path, ...]
    """The jars of Kafka's class path, sorted."""
    kafka_version: str
    toxiproxy: Path
    postgres_bin: Path
    """The folder with `initdb` and `postgres`."""
    class_archive: Path | None
    """The class-data archive of this runtime with these jars; None: nodes start without one."""
    bootstrap_checkpoint: Path
    """What Kafka's formatter writes beside `meta.properties`; copy it into each log folder."""
    found: tuple[tuple[str, Found], ...]
    """Name, version and origin of each program."""
    features: Mapping[str, int] = field(default_factory=dict)
    """Feature levels of a new cluster that differ from the release's own."""

    def describe(self) -> dict[str, str]:
        """Return version and origin of each part, for `environment.json`."""
        described = {name: str(found) for name, found in self.found}
        return described | {"class data": str(self.class_archive or "none")}


def provide(
    kafka_version: str = KAFKA_VERSION,
    *,
    features: Mapping[str, int] = checkpoint.AS_RELEASED,
    progress: Progress = silent,
) -> Parts:
    """Return every part, fetching or making what is missing; instant once all are there.

    Safe to call from several processes at once. ProvisionError, with what to do, if a part is
    missing and cannot be fetched.
    """
    progress = _in_turn(progress)
    runtime = java.provide(progress=progress)
    libs, proxy, database = _here(kafka_version) or _together(
        partial(kafka.provide, kafka_version, java_home=java.home(runtime.path), progress=progress),
        partial(toxiproxy.provide, progress=progress),
        partial(postgres.provide, progress=progress),
    )
    jars = kafka.jars(libs)
    formatted = checkpoint.provide(
        kafka_version, java=runtime.path, jars=jars, features=features, progress=progress
    )
    return Parts(
        java=runtime.path,
        kafka_libs=jars,
        kafka_version=kafka_version,
        features=features,
        toxiproxy=proxy.path,
        postgres_bin=database.path,
        class_archive=classdata.provide(
            runtime.path, jars, checkpoint=formatted, progress=progress
        ),
        bootstrap_checkpoint=formatted,
        found=(
            ("java", runtime),
            ("kafka", libs),
            ("toxiproxy", proxy),
            ("postgresql", database),
        ),
    )


def _here(kafka_version: str) -> list[Found]:
    """Return what `_together` would, if it had nothing to fetch; else nothing."""
    found = (kafka.find(kafka_version), toxiproxy.find(), postgres.find())
    whole = [each for each in found if each is not None]
    return whole if len(whole) == len(found) else []


def _in_turn(progress: Progress) -> Progress:
    """Return `progress` for several threads, of which one speaks at a time."""
    turn = threading.Lock()

    def tell(line: str) -> None:
        with turn:
            progress(line)

    return tell


def _together(*fetches: Callable[[], Found]) -> list[Found]:
    """Run downloads side by side: each waits for another server.

    All are waited for even when one fails, because what they fetch is kept for the next start.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # not for a warm start

    with ThreadPoolExecutor(len(fetches)) as pool:
        return [future.result() for future in [pool.submit(fetch) for fetch in fetches]]


def java_command(parts: Parts, *, heap_mb: int = jvm.HEAP_MB) -> list[str]:
    """Return the argv prefix of a Kafka JVM; append the main class and its arguments."""
    return jvm.arguments(
        parts.java,
        parts.kafka_libs,
        archive_flags=jvm.use_archive(parts.class_archive),
        heap_mb=heap_mb,
    )
