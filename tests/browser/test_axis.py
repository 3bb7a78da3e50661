"""The time axis under a hand: pointing, zooming, keys; and the list of runs: search and copying."""

from collections.abc import Callable

import nights
import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement


@pytest.fixture
def page(show: Callable[..., Chrome]) -> Chrome:
    """Open the night that failed, its first time axis in sight."""
    opened = show(nights.failed())
    opened.execute_script(
        "document.querySelector('#axis .lanes').scrollIntoView({block: 'center'})"
    )
    return opened


def first(page: Chrome, selector: str) -> WebElement:
    """Return the first element of the first time axis that matches."""
    return page.find_element(By.CSS_SELECTOR, f"#axis .story[open] {selector}")


def shown(page: Chrome) -> tuple[float, float]:
    """Return from where to where the axis is shown, in seconds."""
    begin, end = first(page, ".range").text.removesuffix(" s").split(" to ")
    return float(begin), float(end)


def left(page: Chrome, selector: str) -> float:
    """Return where an element of the axis begins, in CSS pixels."""
    pixels: float = page.execute_script(
        "return arguments[0].getBoundingClientRect().left", first(page, selector)
    )
    return pixels


def test_pointing_at_a_fault_tells_what_it_was_and_what_shows_that_it_bit(page: Chrome) -> None:
    """The readout has the moment, the curves' values there, the fault and its evidence."""
    ActionChains(page).move_to_element(first(page, ".bar.held")).perform()
    said = first(page, ".readout").text
    assert "fault 0: isolate node 1 from peers (hold)" in said
    assert "10 open connections on 8 links met it" in said
    assert "acknowledged 0 messages/s" in said
    assert first(page, ".cursor").is_displayed()


def test_the_same_is_told_to_a_keyboard(page: Chrome) -> None:
    """Arrow keys go from event to event in order of time; the readout is announced politely."""
    lanes = first(page, ".lanes")
    lanes.send_keys(Keys.HOME)
    begin = first(page, ".readout").text
    lanes.send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    later = first(page, ".readout").text
    lanes.send_keys(Keys.END)
    assert float(begin.split()[0]) <= float(later.split()[0])
    assert float(first(page, ".readout").text.split()[0]) > 11
    assert first(page, ".readout").get_attribute("aria-live") == "polite"


def test_zoom_by_buttons_keys_wheel_and_dragging(page: Chrome) -> None:
    """Each way shows less of the run; the fault's bar moves with it; zero shows the whole again."""
    whole = shown(page)
    lanes, behind = first(page, ".lanes"), first(page, ".behind")
    where = left(page, ".bar.held")
    first(page, "[data-do=storm]").click()
    storm = shown(page)
    assert left(page, ".bar.held") != where
    lanes.send_keys("0")
    lanes.send_keys("+")
    by_key = shown(page)
    lanes.send_keys("0")
    ActionChains(page).move_to_element(behind).click_and_hold().move_by_offset(
        120, 0
    ).release().perform()
    by_drag = shown(page)
    lanes.send_keys("0")
    page.execute_script(
        "arguments[0].dispatchEvent(new WheelEvent('wheel', "
        "{deltaY: -300, ctrlKey: true, cancelable: true, clientX: 500, bubbles: true}))", behind
    )  # fmt: skip
    by_wheel = shown(page)
    lanes.send_keys("0")
    assert shown(page) == whole == (0.0, 12.6)
    assert left(page, ".bar.held") == pytest.approx(where, abs=0.5)
    for begin, end in (storm, by_key, by_drag, by_wheel):
        assert 0.5 < end - begin < 12
    assert storm[0] < 2.46
    assert storm[1] > 8.3


def test_zoomed_curves_and_the_messages_thread_stay_on_their_ruler(page: Chrome) -> None:
    """A curve's drawing covers the same seconds as the ruler does."""
    first(page, "[data-do=in]").click()
    begin, end = shown(page)
    for selector in (".chart svg", ".thread svg"):
        x, _, width, _ = map(float, first(page, selector).get_dom_attribute("viewBox").split())
        assert (x / 1000, (x + width) / 1000) == pytest.approx((begin, end), abs=0.01)
    assert len(page.find_elements(By.CSS_SELECTOR, "#axis .story[open] .tick")) >= 5


def test_a_link_to_a_folded_axis_unfolds_it(page: Chrome) -> None:
    """A run's link in the list opens the drawing that it leads to."""
    assert not page.find_element(By.ID, "axis-r1").get_attribute("open")
    page.execute_script("location.hash = 'axis-r1'")
    assert page.find_element(By.CSS_SELECTOR, "#axis-r1 .lanes").is_displayed()


def test_the_list_of_runs_is_searched_and_filtered(show: Callable[..., Chrome]) -> None:
    """All words must occur; outcomes can be left out; the count says how many are left."""
    page = show(nights.failed())
    rows = page.find_elements(By.CSS_SELECTOR, ".runs tbody tr")
    assert "FAILED" in rows[0].text
    field = page.find_element(By.CSS_SELECTOR, ".find [type=search]")
    field.send_keys("KILL node")
    kept = [row for row in rows if row.is_displayed()]
    assert 0 < len(kept) < len(rows)
    assert all("kill" in row.text and "node" in row.text for row in kept)
    assert page.find_element(By.CSS_SELECTOR, ".found").text == f"{len(kept)} of {len(rows)}"
    field.clear()
    field.send_keys(" ")
    page.find_element(By.CSS_SELECTOR, ".find [value=passed]").click()
    assert [row.text.split()[0] for row in rows if row.is_displayed()] == ["FAILED", "VACUOUS"]


def test_a_command_is_copied(show: Callable[..., Chrome]) -> None:
    """The button says so, and the whole command is what was taken."""
    page = show(nights.failed())
    button = page.find_element(By.CSS_SELECTOR, ".case .copy")
    command = page.find_element(By.CSS_SELECTOR, ".case .command code").text
    page.execute_script("addEventListener('copy', () => window.taken = String(getSelection()))")
    page.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    button.click()
    assert button.text == "Copied"
    assert page.execute_script("return window.taken") == command
