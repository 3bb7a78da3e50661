"""Finds the browser that the report is tested in, or installs the distribution's.

    python .ci/browser.py [--find]     # --find installs nothing

Prints the paths of Chromium and of its driver, a line each. Without them it says on standard error
what to do, and ends with 1 in continuous integration (CI=true); elsewhere it ends with 0, and the
tests are skipped. It must not import anything outside the standard library.
"""

import os
import shutil
import subprocess
import sys

ENGINES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVERS = ("chromedriver", "chromium.chromedriver")
PACKAGES = ("chromium", "chromium-driver")
REMEDY = (
    "the tests of the report need Chromium and its driver: apt-get install chromium "
    "chromium-driver, or put both on PATH"
)
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")


def main() -> None:
    """Print the two paths, installing them if that is asked for and possible."""
    found = find()
    if found is None and "--find" not in sys.argv[1:] and can_install():
        install()
        found = find()
    if found is not None:
        sys.stdout.write("\n".join(found) + "\n")
        return
    sys.stderr.write(f"no browser: {REMEDY}\n")
    sys.exit(os.environ.get("CI") == "true")


def find() -> tuple[str, str] | None:
    """Return the paths of the engine and of its driver, if both are on PATH."""
    engine = next(filter(None, map(shutil.which, ENGINES)), None)
    driver = next(filter(None, map(shutil.which, DRIVERS)), None)
    return (engine, driver) if engine and driver else None


def can_install() -> bool:
    """Tell whether this account may install packages of a distribution that has them."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install() -> None:
    """Install the distribution's packages; a failure is seen by what is not found afterwards."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    sys.stderr.write(f"installing {' and '.join(PACKAGES)}\n")
    for step in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        subprocess.call([*APT, *step], env=environment, stdout=sys.stderr)


if __name__ == "__main__":
    main()
