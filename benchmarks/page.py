"""Measures how long a report's page takes to open in a real browser.

    .venv/bin/python benchmarks/report.py --runs 2000 --keep night
    .venv/bin/python benchmarks/page.py night/report.html

The browser is Chromium without a window, as found by `.ci/browser.py`; the page is opened from
disk, each time anew. Printed are the medians: from the start until something is seen, until the
page answers, and until it is loaded, with the processor time that the browser's processes took.
The bar: loaded within 2 s.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import psutil
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FINDER = Path(__file__).parents[1] / ".ci" / "browser.py"
BAR_MS = 2000
TIMES = """
const [went] = performance.getEntriesByType('navigation');
const [paint] = performance.getEntriesByName('first-contentful-paint');
const seen = paint ? paint.startTime : went.loadEventEnd;
return [seen, went.domContentLoadedEventEnd, went.loadEventEnd];
"""


def main() -> None:
    """Open the page several times and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    browser = started()
    try:
        opened = [once(browser, asked.page.resolve()) for _ in range(asked.times)]
    finally:
        browser.quit()
    seen, ready, loaded, processor = (median(column) for column in zip(*opened, strict=True))
    print(
        f"{asked.page.name}: {asked.page.stat().st_size / 1e6:.2f} MB, opened {asked.times} times"
    )
    print(f"seen after {seen:.0f} ms, ready after {ready:.0f} ms, loaded after {loaded:.0f} ms")
    print(f"processor time of the browser: {processor:.2f} s")
    print(f"bar: loaded within {BAR_MS} ms: {'held' if loaded <= BAR_MS else 'missed'}")


def started() -> Chrome:
    """Start the browser."""
    found = subprocess.run(
        [sys.executable, FINDER, "--find"], text=True, stdout=subprocess.PIPE, check=True
    )
    program, driver = found.stdout.split()
    options = ChromeOptions()
    options.binary_location = program
    options.add_argument("--headless=new")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    return Chrome(options=options, service=Service(driver))


def once(browser: Chrome, page: Path) -> tuple[float, float, float, float]:
    """Open the page; return three moments in ms and the processor time in s."""
    browser.get("about:blank")
    before = processor_s(browser)
    browser.get(page.as_uri())
    seen, ready, loaded = browser.execute_script(TIMES)
    return seen, ready, loaded, processor_s(browser) - before


def processor_s(browser: Chrome) -> float:
    """Return the processor time so far of the driver's children: the browser's processes."""
    driver = psutil.Process(browser.service.process.pid)
    return sum(sum(child.cpu_times()[:2]) for child in driver.children(recursive=True))


if __name__ == "__main__":
    main()
