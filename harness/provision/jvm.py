"""The flags that every Kafka process of a lab is started with, and nothing about who starts it."""

from collections.abc import Sequence
from pathlib import Path

HEAP_MB = 256


def arguments(
    java: Path, jars: Sequence[Path], *, archive_flags: Sequence[str] = (), heap_mb: int = HEAP_MB
) -> list[str]:
    """Return the argv prefix of a short-lived, small JVM; a main class and its arguments follow.

    The class path is spelled out jar by jar because class-data archives do not know wildcards.
    """
    return [str(java), *flags(heap_mb), *archive_flags, "-cp", class_path(jars)]


def flags(heap_mb: int = HEAP_MB) -> list[str]:
    """Return what makes a JVM small and quick to start."""
    return [
        f"-Xms{heap_mb}m",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
    ]


def class_path(jars: Sequence[Path]) -> str:
    """Return the class path, the same string for recording an archive and for using it."""
    return ":".join(str(jar) for jar in jars)


def use_archive(archive: Path | None) -> list[str]:
    """Return the flags that map an archive where it fits; where not, the JVM starts without it."""
    if archive is None:
        return []
    # The warnings of an archive that does not fit would stand in every node's log.
    return [
        "-Xshare:auto",
        f"-XX:SharedArchiveFile={archive}",
        "-Xlog:cds=off",
        "-Xlog:cds+dynamic=off",
    ]
