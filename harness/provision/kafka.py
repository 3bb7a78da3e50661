"""Fetches Kafka's server jars with Maven, and checks those of the pinned release by hash."""

import hashlib
import shutil
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import cache, command
from harness.provision.values import Found, Progress, silent

KAFKA_VERSION = "4.3.1"
DEADLINE_S = 900.0
DATA = Path(__file__).with_name("data")
ORIGIN = "Maven"
MAVEN_REMEDY = "install Maven 3.6 or newer (the package is called maven) so that mvn is on PATH"
GOAL = "dependency:copy-dependencies"


def find(version: str = KAFKA_VERSION) -> Found | None:
    """Return the folder of jars if it is in the cache."""
    target = cache.root() / _name(version)
    if not cache.is_whole(target):
        return None
    return Found(path=target / "libs", version=version, origin=ORIGIN)


def provide(version: str = KAFKA_VERSION, *, java_home: Path, progress: Progress = silent) -> Found:
    """Return the folder of jars, fetching them at the first call.

    ProvisionError without Maven or a network, or if a jar of the pinned release is not the one
    that was tested with.
    """

    def build(part: Path) -> None:
        progress(f"fetching Kafka {version} with Maven")
        _copy_dependencies(part, version=version, java_home=java_home)
        _check_hashes(part / "libs", version=version)

    target = cache.entry(_name(version), build, progress=progress)
    return Found(path=target / "libs", version=version, origin=ORIGIN)


def jars(found: Found) -> tuple[Path, ...]:
    """Return every jar, sorted by name: the order of the class path."""
    return tuple(sorted(found.path.glob("*.jar")))


def maven() -> Path | None:
    """Return the `mvn` on PATH."""
    program = shutil.which("mvn")
    return None if program is None else Path(program)


def _copy_dependencies(part: Path, *, version: str, java_home: Path) -> None:
    program = maven()
    if program is None:
        raise ProvisionError(
            "Maven is not on PATH, and Kafka's jars are fetched with it",
            remedy=MAVEN_REMEDY,
        )
    pom = part / "pom.xml"
    shutil.copyfile(DATA / "kafka-pom.xml", pom)
    asked = [f"-Dkafka.version={version}", f"-DoutputDirectory={part / 'libs'}"]
    copying = command.Command(
        argv=[program, "--quiet", "--batch-mode", "--file", pom, *asked, GOAL],
        deadline_s=DEADLINE_S,
        doing=f"Fetching Kafka {version}",
        remedy="check the version and that Maven reaches its repository (settings in ~/.m2)",
        environment={"JAVA_HOME": str(java_home)},
    )
    command.run(copying, log=part / "maven.log")


def _check_hashes(libs: Path, *, version: str) -> None:
    lock = DATA / f"kafka-{version}.sha256"
    if not lock.exists():
        return
    lines = lock.read_text(encoding="utf-8").splitlines()
    expected = {name: digest for digest, name in (line.split() for line in lines)}
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in libs.iterdir()}
    different = sorted(name for name, _ in expected.items() ^ actual.items())
    if different:
        raise ProvisionError(
            f"Maven's jars of Kafka {version} differ from {lock.name}: {', '.join(different)}",
            remedy="remove these from Maven's local repository and see which mirror served them",
        )


def _name(version: str) -> str:
    return f"kafka-{version}"
