"""Fetches ZooKeeper's server jars with Maven; only pipelines that use ZooKeeper need them."""

from pathlib import Path

from harness.provision import cache, java, maven
from harness.provision.values import Found, Progress, silent

ZOOKEEPER_VERSION = "3.9.4"
_WHAT = f"ZooKeeper {ZOOKEEPER_VERSION}"
_NAME = f"zookeeper-{ZOOKEEPER_VERSION}"


def find() -> Found | None:
    """Return the folder of jars if it is in the cache."""
    target = cache.root() / _NAME
    return _found(target) if cache.is_whole(target) else None


def provide(*, progress: Progress = silent) -> Found:
    """Return the folder of jars, fetching them at the first call.

    ProvisionError without Maven or a network, or if a jar is not the one that was tested with.
    """
    runtime = java.provide(progress=progress)

    def build(part: Path) -> None:
        progress(f"fetching {_WHAT} with Maven")
        libs = maven.copy_jars(
            part,
            pom="zookeeper-pom.xml",
            properties={"zookeeper.version": ZOOKEEPER_VERSION},
            what=_WHAT,
            java_home=java.home(runtime.path),
        )
        maven.check_hashes(libs, lock=f"{_NAME}.sha256", what=_WHAT)

    return _found(cache.entry(_NAME, build, progress=progress))


def _found(target: Path) -> Found:
    return Found(path=target / "libs", version=ZOOKEEPER_VERSION, origin=maven.ORIGIN)
