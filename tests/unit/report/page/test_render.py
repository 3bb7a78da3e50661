"""The page as text: whole, of the promised size, and with an error for what is missing."""

from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import nights
import pytest
import samples

from harness.ledger.findings import Outcome
from harness.report.model import Report
from harness.report.page import render
from harness.report.page.environment import POLICY

VOID = {"meta", "link", "input", "br", "img"}


class Balanced(HTMLParser):
    """Complains of an element that is closed by another one's end, and of ids that occur twice."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what was opened."""
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that ends itself."""

    def handle_endtag(self, tag: str) -> None:
        """Compare with what was opened last."""
        assert self.open.pop() == tag, self.getpos()


@pytest.mark.parametrize("night", [nights.passed, nights.failed, nights.inconclusive])
def test_the_page_is_well_formed_and_its_own_links_lead_somewhere(
    night: Callable[[], Report],
) -> None:
    """Every element is closed, every id is there once, every anchor exists."""
    page = Balanced()
    page.feed(render(night()))
    page.close()
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_a_night_of_2000_runs_with_20_time_axes_stays_below_5_mb() -> None:
    """The bar of a whole night, with as many drawings as a report shows."""
    runs = tuple(samples.line(number) for number in range(2000))
    stories = tuple(samples.story(f"r{number}", "failed") for number in range(20))
    page = render(replace(nights.failed(), runs=runs, stories=stories)).encode()
    assert len(page) < 5_000_000


def test_50000_lost_messages_stay_below_2_mb() -> None:
    """The page lists the first of them, and says how many more there are."""
    funnel = nights.funnel(50_000, lost=50_000)
    page = render(replace(nights.failed(), funnels=(funnel,)))
    assert "and 49,800 more" in page
    assert len(page.encode()) < 2_000_000


def test_an_empty_report_is_a_page_too() -> None:
    """Sections without content are left out, with their entries in the contents."""
    good = nights.passed()
    bare = replace(
        good, funnels=(), stories=(), links=(), recovery=(), duplicates=(), catalogue=(),
        price=None, history=(), runs=(), coverage=replace(good.coverage, cells=(), points=()),
    )  # fmt: skip
    page = render(bare)
    assert 'href="#balance"' not in page
    assert 'id="axis"' not in page
    assert "No fault was played." in page


def test_a_caught_variant_is_no_failure() -> None:
    """What had to fail, and did, is called caught; what did not is called that."""
    runs = (
        samples.line(0, expects="lost", caught=True, colour="passed"),
        samples.line(1, expects="lost", caught=False, colour="failed"),
    )
    good = nights.failed()
    expected = replace(
        good, counterexamples=(samples.counterexample("c1", expected=True),), runs=runs
    )
    page = render(expected)
    alone = replace(runs[0], colour="failed", outcome=Outcome.FAILED)
    assert "Counterexamples of unsafe variants" in page
    assert '<span class="word">caught</span>' not in render(
        replace(expected, counterexamples=(), runs=(alone,), catalogue=())
    )
    assert '<span class="word">caught</span>' in page
    assert '<span class="word">not caught</span>' in page


def test_the_policy_of_the_page_names_its_one_script_and_one_style() -> None:
    """Nothing else may run; only places of ours may be set on elements."""
    page = render(nights.passed())
    assert page.count("<script>") == page.count("<style>") == 1
    assert "default-src 'none'" in POLICY
    assert "script-src 'unsafe" not in POLICY
