"""Fetches Kafka's server jars with Maven, and checks those of the pinned release by hash."""

from pathlib import Path

from harness.provision import cache, maven
from harness.provision.values import Found, Progress, silent

KAFKA_VERSION = "4.3.1"


def find(version: str = KAFKA_VERSION) -> Found | None:
    """Return the folder of jars if it is in the cache."""
    target = cache.root() / _name(version)
    if not cache.is_whole(target):
        return None
    return Found(path=target / "libs", version=version, origin=maven.ORIGIN)


def provide(version: str = KAFKA_VERSION, *, java_home: Path, progress: Progress = silent) -> Found:
    """Return the folder of jars, fetching them at the first call.

    ProvisionError without Maven or a network, or if a jar of the pinned release is not the one
    that was tested with.
    """

    def build(part: Path) -> None:
        what = f"Kafka {version}"
        progress(f"fetching {what} with Maven")
        libs = maven.copy_jars(
            part,
            pom="kafka-pom.xml",
            properties={"kafka.version": version},
            what=what,
            java_home=java_home,
        )
        maven.check_hashes(libs, lock=f"kafka-{version}.sha256", what=what)

    target = cache.entry(_name(version), build, progress=progress)
    return Found(path=target / "libs", version=version, origin=maven.ORIGIN)


def jars(found: Found) -> tuple[Path, ...]:
    """Return every jar, sorted by name: the order of the class path."""
    return tuple(sorted(found.path.glob("*.jar")))


def _name(version: str) -> str:
    return f"kafka-{version}"
