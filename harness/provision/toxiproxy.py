"""Finds Toxiproxy's server on PATH, or builds the pinned release with `go install`."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import cache, command, probe
from harness.provision.values import Found, Progress, silent

TOXIPROXY_VERSION = "2.12.0"
MODULE = f"github.com/Shopify/toxiproxy/v2/cmd/server@v{TOXIPROXY_VERSION}"
PROGRAM = "toxiproxy-server"
DEADLINE_S = 900.0
GO_REMEDY = f"install Go 1.22 or newer, or put {PROGRAM} {TOXIPROXY_VERSION} on PATH"


def find() -> Found | None:
    """Return the server that would be used: from PATH if it is the pinned release, or built."""
    passed_over: list[str] = []
    for origin, program, version in _candidates():
        if version == TOXIPROXY_VERSION:
            return Found(
                path=program, version=version, origin=origin, passed_over=tuple(passed_over)
            )
        passed_over.append(f"{origin}: {program} is {version}, not {TOXIPROXY_VERSION}")
    return None


def provide(*, progress: Progress = silent) -> Found:
    """Return the server, building it at the first call if PATH has none.

    ProvisionError if neither the server nor Go is there, or the build fails.
    """
    found = find()
    if found is not None:
        return found

    def build(part: Path) -> None:
        progress(f"building Toxiproxy {TOXIPROXY_VERSION} with go install")
        _go_install(part)

    target = cache.entry(_name(), build, progress=progress)
    return Found(path=target / PROGRAM, version=TOXIPROXY_VERSION, origin="go install")


def go() -> Path | None:
    """Return the `go` on PATH."""
    program = shutil.which("go")
    return None if program is None else Path(program)


def _candidates() -> Iterator[tuple[str, Path, str]]:
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        printed = probe.answer(Path(on_path), "-version") or ""
        match = re.search(r"\d+\.\d+\.\d+", printed)
        yield "PATH", Path(on_path), match[0] if match else "of an unknown version"
    if cache.is_whole(cache.root() / _name()):
        yield "go install", cache.root() / _name() / PROGRAM, TOXIPROXY_VERSION


def _go_install(part: Path) -> None:
    program = go()
    if program is None:
        raise ProvisionError(
            f"Neither {PROGRAM} {TOXIPROXY_VERSION} nor Go to build it with is on PATH",
            remedy=GO_REMEDY,
        )
    building = command.Command(
        argv=[program, "install", "-trimpath", MODULE],
        deadline_s=DEADLINE_S,
        doing=f"Building Toxiproxy {TOXIPROXY_VERSION}",
        remedy="check that Go's module proxy is reachable (go env GOPROXY)",
        # Without C the build needs no compiler; with GOOS or GOARCH set, GOBIN is not allowed.
        environment={"GOBIN": str(part), "CGO_ENABLED": "0", "GOOS": "", "GOARCH": ""},
    )
    command.run(building, log=part / "go.log")
    (part / "server").rename(part / PROGRAM)


def _name() -> str:
    return f"toxiproxy-{TOXIPROXY_VERSION}"
