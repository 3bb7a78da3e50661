"""The page as a browser shows it: every section, nothing loaded, nothing complained about."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import nights
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from harness.report.model import Report

from .browser_logs import read_log

NIGHTS = (nights.passed, nights.failed, nights.inconclusive)
NAMES = ("passed", "failed", "inconclusive")
EVERYWHERE = ["verdict", "balance", "axis", "links", "recovery", "coverage", "catalogue", "runs"]
SECTIONS = {
    "passed": {*EVERYWHERE, "price", "history"},
    "failed": {*EVERYWHERE, "failures", "price", "history"},
    "inconclusive": {*EVERYWHERE},
}
PAGE = re.compile(rb"/Type\s*/Page\b")
OVERFLOW = """
return [...document.querySelectorAll('body *')]
  .filter(e => !e.parentElement.closest('.scroll, .unseen, .track'))
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.tagName + '.' + e.className)
"""


@pytest.mark.parametrize("night", NIGHTS, ids=NAMES)
def test_every_section_is_shown_and_the_browser_has_nothing_to_complain_of(
    night: Callable[[], Report], show: Callable[..., Chrome]
) -> None:
    """All sections have height; the console is empty; headings go down one step at a time."""
    page = show(night())
    sections = page.find_elements(By.CSS_SELECTOR, "main > section")
    assert {section.get_attribute("id") for section in sections} == SECTIONS[night.__name__]
    assert all(section.size["height"] > 100 for section in sections)
    levels = page.execute_script(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert read_log(page, "browser") == []


def test_no_request_leaves_the_page(show: Callable[..., Chrome]) -> None:
    """The only thing that was loaded is the file itself."""
    page = show(nights.failed())
    page.execute_script("scrollTo(0, document.body.scrollHeight)")
    events = [json.loads(entry["message"])["message"] for entry in read_log(page, "performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith(("file:", "data:"))} == set()
    assert any(url.endswith("/report.html") for url in asked)


def test_the_page_forbids_itself_to_load_anything(show: Callable[..., Chrome]) -> None:
    """A picture that a script would add is refused by the page's own policy."""
    page = show(nights.passed())
    refused = page.execute_async_script("""
        const done = arguments[0];
        addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));
        document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x.png'}));
    """)
    assert refused == "img-src"


@pytest.mark.parametrize("width", [360, 720, 1024, 1920])
@pytest.mark.parametrize("night", NIGHTS, ids=NAMES)
def test_nothing_is_wider_than_the_window(
    night: Callable[[], Report], width: int, show: Callable[..., Chrome]
) -> None:
    """At every width the page scrolls downwards only; wide tables scroll in a box of their own."""
    page = show(night(), width=width, theme="dark" if width == 1024 else "light")
    page.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    assert page.execute_script(OVERFLOW) == []


def test_light_and_dark_follow_the_system_until_the_reader_chooses(
    show: Callable[..., Chrome],
) -> None:
    """Two systems give two papers; the choice overrides both and is kept over a reload."""

    def paper() -> str:
        colour: str = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        return colour

    page = show(nights.passed(), theme="light")
    light = paper()
    page = show(nights.passed(), theme="dark")
    dark = paper()
    page.find_element(By.CSS_SELECTOR, "label:has([value=light])").click()
    chosen = paper()
    page.refresh()
    kept = paper()
    page.find_element(By.CSS_SELECTOR, "label:has([value=auto])").click()
    assert light != dark
    assert (chosen, kept, paper()) == (light, light, dark)


def test_outcomes_differ_without_any_colour(show: Callable[..., Chrome]) -> None:
    """Word, shape and frame of the verdict are three for three outcomes."""
    seen = []
    for night in NIGHTS:
        page = show(night())
        band = page.find_element(By.CSS_SELECTOR, ".verdict .band")
        shape = band.find_element(By.TAG_NAME, "use").get_attribute("href")
        word = page.find_element(By.CSS_SELECTOR, "h1 .word").text
        seen.append((word, shape, band.value_of_css_property("border-style") + _filled(page)))
    assert [len(set(column)) for column in zip(*seen, strict=True)] == [3, 3, 3]


def _filled(page: Chrome) -> str:
    """Tell whether the band is darker than its letters, as on a photocopy."""
    told: str = page.execute_script("""
        const style = getComputedStyle(document.querySelector('.verdict .band'));
        const grey = colour => colour.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0);
        return grey(style.backgroundColor) < grey(style.color) ? ' filled' : ' open';
    """)
    return told


@pytest.mark.parametrize("night", NIGHTS, ids=NAMES)
def test_without_scripts_every_word_is_there(
    night: Callable[[], Report], show: Callable[..., Chrome]
) -> None:
    """The texts are those with scripts, and what only a script can do is not offered."""
    texts = "return document.querySelector('main').textContent"
    page = show(night(), scripts=False)
    without = page.execute_script(texts)
    offered = page.find_elements(By.CSS_SELECTOR, ".tools, .find, .copy, .theme, .with-script")
    assert not any(each.is_displayed() for each in offered)
    page = show(night())
    added = ("0.00 to 12.60 s",)
    assert _words(page.execute_script(texts), *added) == _words(without)


def _words(text: str, *without: str) -> list[str]:
    for each in without:
        text = text.replace(each, "")
    return [word for word in text.split() if not word.replace(".", "").isdigit()]


def test_print_shows_what_was_folded(show: Callable[..., Chrome]) -> None:
    """Without any script, a print has pages, open details, light paper and no buttons."""
    page = show(nights.failed(), theme="dark", scripts=False)
    # Not by the driver's own command, which waits for 10 s and no longer.
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert len(PAGE.findall(b64decode(printed["data"]))) > 3
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = page.execute_script("""
        return [...document.querySelectorAll('details:not([open]) > :not(summary)')]
          .filter(e => !e.getBoundingClientRect().height && e.textContent.trim()).length
    """)
    assert hidden == 0
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == (
        "rgb(253, 253, 251)"
    )
    assert not page.find_element(By.CSS_SELECTOR, ".contents").is_displayed()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("night", NIGHTS, ids=NAMES)
def test_axe_finds_nothing(
    night: Callable[[], Report], theme: str, axe: str, show: Callable[..., Chrome]
) -> None:
    """No rule of axe-core is broken, with everything unfolded."""
    report = night()  # one of each kind is enough: every element costs time
    page = show(replace(report, stories=report.stories[:1], runs=report.runs[:5]), theme=theme)
    page.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.execute_script(axe)
    found = page.execute_async_script("""
        const done = arguments[0];
        axe.run(document, {resultTypes: ['violations']}).then(done, error => done(String(error)));
    """)
    broken = [
        f"{each['impact']} {each['id']}: {node['html'][:160]} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]
    assert broken == []
