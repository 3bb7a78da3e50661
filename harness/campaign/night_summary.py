"""A night in Markdown: what a job's page and an issue show. Whatever was played stands in code.

Text that a pipeline or a schedule brought along is fenced, so that it can neither format nor link.
"""

from collections.abc import Iterator, Sequence

from harness.campaign.night_record import Campaigned, Counterexample, Failed, Night
from harness.ledger.findings import Outcome
from harness.schedule.statistics import Rate, clean_bound

MOST_FAILURES = 5
"""An issue's text is limited; all of them are in `night.json`."""
_LONGEST = 2000
_SAYS = {
    Outcome.PASSED: "the guarantee held",
    Outcome.FAILED: "the guarantee does not hold",
    Outcome.UNKNOWN: "nothing is proven",
    Outcome.HANG: "progress stopped; nothing was seen to be lost",
    Outcome.HARNESS_ERROR: "the harness or its lab misbehaved; nothing is proven",
    Outcome.VACUOUS: "too little met traffic; nothing is proven",
}


def summary_md(night: Night) -> str:
    """Return verdict and counts first, then the smallest counterexample, then the rest."""
    lines = [
        f"## {night.outcome}: {_SAYS[night.outcome]}",
        "",
        _on_what(night),
        "",
        *_counts(night),
        *_troubles(night),
        *_failures(night),
        *_listed("Pinned regressions", [each.said for each in night.regressions]),
        *_listed("Came to no conclusion", [_odd(each) for each in night.others]),
        *_listed("Not tested", [*night.not_tested, *_unplayed(night)]),
        *_again(night),
    ]
    return "\n".join(lines) + "\n"


def claim(night: Night) -> str:
    """Return in one sentence what the runs allow to say."""
    seen = night.outcomes()
    conclusive = seen[Outcome.PASSED] + seen[Outcome.FAILED]
    if not conclusive:
        return "No run came to a conclusion."
    if seen[Outcome.FAILED]:
        rate = Rate(hits=seen[Outcome.FAILED], runs=conclusive)
        return f"Share of schedules like these that fail: {rate}, with 95 % confidence."
    return (
        f"No failure in {conclusive:,} conclusive runs: with 95 % confidence fewer than "
        f"{clean_bound(conclusive):.2%} of schedules like these fail."
    )


def _on_what(night: Night) -> str:
    asked = night.asked
    named = f"`{asked.pipeline}`" + (f" with variant `{asked.variant}`" if asked.variant else "")
    shards = "" if asked.of == 1 else f", shards {', '.join(map(str, night.shards))} of {asked.of}"
    broken = "" if night.finished else " It was broken off before its end."
    return (
        f"{named} on Kafka {asked.kafka}, profile {asked.profile}, began {night.began}, "
        f"took {night.took_s / 60:.0f} minutes on {night.labs} lab(s){shards}.{broken}"
    )


def _counts(night: Night) -> list[str]:
    outcomes = [each for each in Outcome if night.outcomes()[each]]
    head = ["budget", "runs", *map(str, outcomes), "messages", "faults that met traffic"]
    rows = [_row(each, outcomes) for each in night.campaigns]
    table = [head, ["---"] + ["--:"] * (len(head) - 1), *rows] if rows else []
    return [*(f"| {' | '.join(row)} |" for row in table), "", claim(night)]


def _row(one: Campaigned, outcomes: Sequence[Outcome]) -> list[str]:
    counts = [one.outcomes.get(each, 0) for each in outcomes]
    played = [sum(one.outcomes.values()), *counts, one.messages]
    return [one.budget, *(f"{count:,}" for count in played), f"{one.bit:,} of {one.faults:,}"]


def _troubles(night: Night) -> list[str]:
    return (
        ["", "### Trouble", *(_fenced(each) for each in night.troubles)] if night.troubles else []
    )


def _failures(night: Night) -> Iterator[str]:
    order = sorted(night.failures, key=_size)
    for place, each in enumerate(order[:MOST_FAILURES]):
        yield ""
        yield f"### {'Smallest counterexample' if place == 0 else 'Another'}: {_shows(each)}"
        yield ""
        yield from _story(each)
    if len(order) > MOST_FAILURES:
        yield f"\n… and {len(order) - MOST_FAILURES} more in `night.json`."


def _size(failed: Failed) -> tuple[bool, int]:
    """Return the key by which the smallest counterexample comes first, minimised ones before."""
    small = failed.smallest
    return small is None, len(failed.faults if small is None else small.faults)


def _shows(failed: Failed) -> str:
    return ", ".join(failed.signature) or str(failed.outcome)


def _story(failed: Failed) -> Iterator[str]:
    small, at = failed.smallest, "" if failed.night == "." else f"{failed.night}/"
    yield _fenced("\n".join(failed.faults if small is None else small.faults) or "no fault at all")
    yield ""
    yield f"{failed.runs} run(s) showed it. {_how_small(failed, small)}"
    yield ""
    if small is not None:
        yield _fenced(
            f"harness replay {at}{small.file} --times {max(small.repeats, 5)}\n"
            f"cp {at}{small.file} scenarios/regressions/   # pin it",
            "console",
        )
    yield f"The run: `{at}{failed.run}`, in {_archive(failed)}:"
    yield _fenced("\n".join(failed.reasons))
    yield _fenced(
        f"harness check {at}{failed.run}\n"
        f"harness minimise {at}{failed.run} -o scenarios/regressions/NAME.json",
        "console",
    )


def _how_small(failed: Failed, small: Counterexample | None) -> str:
    if small is not None:
        rate = Rate(hits=small.failed, runs=small.of)
        rest = "" if small.complete else " Not every smaller schedule was tried."
        return (
            f"Minimised to {len(small.faults)} fault(s), which failed {rate}; "
            f"{small.repeats} repeat(s) show it with 95 % certainty.{rest}"
        )
    if failed.known is not None:
        return f"It is pinned as `{failed.known}`, so it was not minimised again."
    return f"It is as it was played: {failed.why_not or 'it was not minimised'}."


def _archive(failed: Failed) -> str:
    where = "" if failed.night == "." else f" of {failed.night}"
    return f"`failing-runs.tar.gz`{where}"


def _odd(failed: Failed) -> str:
    at = "" if failed.night == "." else f"{failed.night}/"
    why, faults = "; ".join(failed.reasons), "; ".join(failed.faults)
    return f"{why or failed.outcome}\n  {faults}\n  {at}{failed.run}"


def _unplayed(night: Night) -> list[str]:
    """Return which parts of the campaigns were not played to their end."""
    if len(night.shards) < night.asked.of:
        return []  # one shard of several: only together do they make the whole
    said = []
    for each in night.campaigns:
        for part, asked in each.asked_parts.items():
            if each.parts.get(part, 0) < asked:
                said.append(
                    f"{asked - each.parts.get(part, 0)} of {asked} schedules of part `{part}`, "
                    f"{each.budget} budget"
                )
    return said


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"### {title}", "", _fenced("\n".join(lines))] if lines else []


def _again(night: Night) -> list[str]:
    asked = night.asked
    of = "" if asked.of == 1 else f" --shard {night.shards[0]}/{asked.of}"
    on = f" --pipeline {asked.pipeline}" + (f" --variant {asked.variant}" if asked.variant else "")
    lab = f" --profile {asked.profile} --kafka {asked.kafka}"
    lab += "".join(f" --feature {each}" for each in asked.features)
    command = f"harness nightly --time {night.time_s:g}s --labs {night.labs} --seed {asked.seed}"
    return ["", "### The same schedules again", "", _fenced(command + of + on + lab, "console")]


def _fenced(text: str, language: str = "") -> str:
    """Return a code block that its own text cannot end, cut where it would be endless."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n…"
    fence = "```"
    while fence in short:
        fence += "`"
    return f"{fence}{language}\n{short}\n{fence}"
