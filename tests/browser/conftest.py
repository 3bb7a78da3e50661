"""A real browser, headless, for the report's page: opened from disk, as a person does."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.remote_connection import RemoteConnection

from harness.provision import wheel
from harness.report.model import Report
from harness.report.page import render

from .browser_logs import read_log

HERE = Path(__file__).parent
FINDER = HERE.parents[1] / ".ci" / "browser.py"
ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",  # a width is then the width of what is laid out
)
PATIENCE_S = 500
AXE = "axe-playwright-python"
"""A wheel that carries the accessibility checker axe-core; nothing else of it is used."""

Open = Callable[..., Chrome]


@pytest.fixture(scope="session")
def engine() -> Iterator[Chrome]:
    """Start one browser for the session; without one, skip, but fail in continuous integration."""
    said = subprocess.run([sys.executable, FINDER, "--find"], text=True, capture_output=True)  # noqa: PLW1510  # its code is looked at
    if not said.stdout:
        (pytest.fail if said.returncode else pytest.skip)(said.stderr.strip())
    program, driver = said.stdout.split("\n")[:2]
    options = ChromeOptions()
    options.binary_location = program
    for argument in (*ARGUMENTS, *(("--no-sandbox",) if os.geteuid() == 0 else ())):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = Chrome(options=options, service=Service(driver))
    # axe-core looks at every element, a print draws every page: on however slow a machine.
    started.set_script_timeout(PATIENCE_S)
    assert isinstance(started.command_executor, RemoteConnection)
    started.command_executor.client_config.timeout = PATIENCE_S
    yield started
    started.quit()


@pytest.fixture
def browser(engine: Chrome) -> Iterator[Chrome]:
    """Hand out the browser as a fresh one: no page, no logs, light, scripts allowed."""
    yield engine
    engine.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    engine.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    engine.get("about:blank")
    for log in ("browser", "performance"):
        read_log(engine, log)


@pytest.fixture
def show(browser: Chrome, tmp_path: Path) -> Open:
    """Return what opens a page at a width (CSS pixels), in a theme, with or without scripts."""

    def open_(
        report: Report, *, width: int = 1024, theme: str = "light", scripts: bool = True
    ) -> Chrome:
        path = tmp_path / "report.html"
        path.write_text(render(report), encoding="utf-8")
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        feature = {"name": "prefers-color-scheme", "value": theme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        browser.get(path.as_uri())
        return browser

    return open_


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core."""
    folder = wheel.unpack(AXE, progress=lambda _: None, locks=HERE)
    return (folder / "axe_playwright_python" / "axe.min.js").read_text(encoding="utf-8")
