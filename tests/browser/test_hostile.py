"""What comes from systems under test does no harm: not as script, as markup or by its size."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import get_type_hints

import nights
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from harness.report.model import Report
from harness.report.page import render

from .browser_logs import read_log

OURS = {"key", "run", "example", "others", "made", "file"}
"""Fields that the reader of run folders fills with names of its own."""
ATTACK = (
    "</script></style></title></textarea>--><script>window.hit = 1</script>"
    "<img src=x onerror='window.hit = 1'>\" onfocus=\"window.hit = 1\" autofocus ' {{ 7 * 7 }} "
    "\x00\x1b[31m\u202e\ud800"
)
LONG = "k" * 10_000


def poisoned(value: object, poison: str) -> object:
    """Return a value in which every text that may be foreign ends with the poison."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        return replace(value, **{
            each.name: poisoned(getattr(value, each.name), poison)
            for each in fields(value)
            if each.init and each.name not in OURS and "Literal" not in str(hints[each.name])
            and "Outcome" not in str(hints[each.name])
        })  # fmt: skip
    if isinstance(value, tuple):
        return tuple(poisoned(each, poison) for each in value)
    return value + poison if isinstance(value, str) else value


def attacked(poison: str) -> Report:
    """Return the night that failed, all its texts poisoned."""
    made = poisoned(nights.failed(), poison)
    assert isinstance(made, Report)
    return made


def test_markup_in_every_text_stays_text(show: Callable[..., Chrome]) -> None:
    """No script ran, no element was made; the attack can be read as what it is."""
    page = show(attacked(ATTACK))
    page.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.execute_script("return window.hit === undefined")
    assert len(page.find_elements(By.TAG_NAME, "script")) == 1
    assert page.find_elements(By.CSS_SELECTOR, "img, [onerror], [onfocus], [autofocus]") == []
    text = page.find_element(By.TAG_NAME, "main").text
    assert "<script>window.hit = 1</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert "␀␛[31m" in text
    assert read_log(page, "browser") == []


@pytest.mark.parametrize("width", [360, 1024])
def test_a_key_of_10_kb_in_every_text_breaks_nothing(
    width: int, show: Callable[..., Chrome]
) -> None:
    """The page stays as wide as its window and says how long the text was."""
    page = show(attacked(LONG), width=width)
    page.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    assert "characters)" in page.find_element(By.TAG_NAME, "main").text


def test_the_poison_reaches_the_page_and_the_page_stays_small() -> None:
    """The attack stands in hundreds of places, each of them cut; the file is valid UTF-8."""
    page = render(attacked(ATTACK + LONG))
    assert page.count("&lt;script&gt;window.hit") > 300
    assert page.count("<script>") == 1
    assert len(page.encode()) < 3_000_000
