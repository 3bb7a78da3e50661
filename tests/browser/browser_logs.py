"""What the browser notes down while it shows a page."""

from typing import Any

from selenium.webdriver import Chrome


def read_log(browser: Chrome, name: str) -> list[dict[str, Any]]:
    """Return what was noted in one of its logs since that was last read."""
    entries: list[dict[str, Any]] = browser.get_log(name)  # type: ignore[no-untyped-call]  # selenium has no types for it
    return entries
