"""Has Maven copy a server's jars into a folder, and holds those of a pinned release to hashes."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import command

DATA = Path(__file__).with_name("data")
DEADLINE_S = 900.0
ORIGIN = "Maven"
REMEDY = "install Maven 3.6 or newer (the package is called maven) so that mvn is on PATH"
GOAL = "dependency:copy-dependencies"


def program() -> Path | None:
    """Return the `mvn` on PATH."""
    found = shutil.which("mvn")
    return None if found is None else Path(found)


def copy_jars(
    part: Path,
    *,
    pom: str,
    properties: Mapping[str, str],
    what: str,
    java_home: Path,
) -> Path:
    """Return the folder `libs` of `part` with every jar that `data/<pom>` needs at run time.

    `what` is the server with its release, for people. ProvisionError without Maven or a network.
    """
    maven = program()
    if maven is None:
        raise ProvisionError(
            f"Maven is not on PATH, and the jars of {what} are fetched with it", remedy=REMEDY
        )
    libs = part / "libs"
    shutil.copyfile(DATA / pom, part / "pom.xml")
    asked = [f"-D{name}={value}" for name, value in properties.items()]
    copying = command.Command(
        argv=[
            *(maven, "--quiet", "--batch-mode", "--file", part / "pom.xml"),
            *(*asked, f"-DoutputDirectory={libs}", GOAL),
        ],
        deadline_s=DEADLINE_S,
        doing=f"Fetching {what}",
        remedy="check the version and that Maven reaches its repository (settings in ~/.m2)",
        environment={"JAVA_HOME": str(java_home)},
    )
    command.run(copying, log=part / "maven.log")
    return libs


def check_hashes(libs: Path, *, lock: str, what: str) -> None:
    """Raise ProvisionError if the jars are not those of `data/<lock>`; no lock: nothing to hold."""
    file = DATA / lock
    if not file.exists():
        return
    lines = file.read_text(encoding="utf-8").splitlines()
    expected = {name: digest for digest, name in (line.split() for line in lines)}
    actual = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in libs.iterdir()}
    different = sorted(name for name, _ in expected.items() ^ actual.items())
    if different:
        raise ProvisionError(
            f"Maven's jars of {what} differ from {lock}: {', '.join(different)}",
            remedy="remove these from Maven's local repository and see which mirror served them",
        )
