"""The workflows and docs/nightly.md call what exists, pinned, and may do little."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from harness.cli import main

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
PAGE = ROOT / "docs" / "nightly.md"
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
PLAIN = {"cat", "cd", "tail"}
ISSUE = ROOT / ".ci" / "issue.py"


def read(file: Path) -> dict[Any, Any]:
    """Return a YAML file as it is parsed."""
    parsed = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed


def jobs(file: Path) -> Mapping[str, Any]:
    """Return the jobs of a workflow by name."""
    found: Mapping[str, Any] = read(file)["jobs"]
    assert found
    return found


def steps(file: Path) -> Iterator[Mapping[str, Any]]:
    """Yield every step of a workflow or an action."""
    if file in ACTIONS:
        yield from read(file)["runs"]["steps"]
    else:
        for job in jobs(file).values():
            yield from job["steps"]


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a shell line; redirections are left out."""
    for part in re.split(r"\|\||&&|\n", re.sub(r"\$\{VARIANT:\+(.*?)\}", r"\1", text)):
        words = shlex.split(re.sub(r"(2>&1|>>?\s*\S+)", "", part), comments=True)
        if words:
            yield words


def wrong(words: list[str]) -> str | None:
    """Return what is wrong with a command, or None if all of it exists."""
    name, *rest = words
    if name == "make":
        return None if rest[0] in TARGETS or rest[0] == "$TARGET" else f"no target {rest[0]}"
    if name == ".venv/bin/harness":
        return wrong_harness(rest)
    if name == "python3":
        return None if (ROOT / rest[0]).is_file() else f"no file {rest[0]}"
    return None if name in PLAIN else f"nothing known of {name}"


def wrong_harness(words: list[str]) -> str | None:
    """Return what is wrong with a command of ours: its name, or an option that it has not."""
    command = main.commands.get(words[0])
    if command is None:
        return f"no command {words[0]}"
    known = {option for each in command.params for option in each.opts}
    odd = [word for word in words[1:] if word.startswith("-") and word not in known]
    needed = [
        each.opts[0]
        for each in command.params
        if isinstance(each, click.Option) and each.required and not set(each.opts) & set(words)
    ]
    return f"{words[0]}: {odd or needed}" if odd or needed else None


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: f"{file.parent.name}")
def test_every_action_is_pinned_by_its_whole_commit(file: Path) -> None:
    """A tag can be moved; beside the commit stands the tag that it was."""
    text = file.read_text(encoding="utf-8")
    used = [step["uses"] for step in steps(file) if "uses" in step]
    foreign = [each for each in used if not each.startswith("./")]
    assert foreign
    assert [
        each for each in foreign if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", each)
    ] == []
    assert len(re.findall(r"uses: actions/\S+ # v\d+\.\d+\.\d+$", text, re.MULTILINE)) == len(
        foreign
    )
    assert [each for each in used if each.startswith("./") and not (ROOT / each).is_dir()] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_may_read_and_one_job_may_write_issues(file: Path) -> None:
    """Nothing else is allowed, every job ends, and two of a kind do not run at once."""
    workflow = read(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"]
    allowed = {name: job["permissions"] for name, job in jobs(file).items() if "permissions" in job}
    assert allowed in ({}, {"tell": {"contents": "read", "issues": "write"}})
    assert all(0 < job["timeout-minutes"] <= 165 for job in jobs(file).values())
    checkouts = [step for step in steps(file) if "actions/checkout" in step.get("uses", "")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_a_pull_request_waits_fifteen_minutes_at_the_most() -> None:
    """For each of the targets that hold the project, side by side."""
    (job,) = jobs(ROOT / ".github" / "workflows" / "ci.yml").values()
    assert job["timeout-minutes"] <= 15
    asked = job["strategy"]["matrix"]["target"]
    assert set(asked) <= TARGETS
    assert set(asked) == {"lint", "types", "unit", "integration", "scenarios"}


@pytest.mark.parametrize("file", [*WORKFLOWS, *ACTIONS], ids=lambda file: f"{file.parent.name}")
def test_every_line_that_is_run_names_what_exists(file: Path) -> None:
    """A target, a command of ours with its options, or a file."""
    lines = [step["run"] for step in steps(file) if "run" in step]
    assert lines
    assert [said for line in lines for words in commands(line) if (said := wrong(words))] == []


def test_no_text_from_outside_is_pasted_into_a_shell() -> None:
    """It comes as a variable, which a shell does not read as its own words."""
    pasted = [
        step["run"] for file in WORKFLOWS for step in steps(file) if "${{" in step.get("run", "")
    ]
    assert pasted == []


def test_what_is_uploaded_says_how_long_it_is_kept() -> None:
    """Reports long, records of shards shorter; failing runs only if there are any."""
    uploads = [
        step["with"]
        for file in WORKFLOWS
        for step in steps(file)
        if "upload-artifact" in step.get("uses", "")
    ]
    assert len(uploads) >= 4
    assert all(1 <= each["retention-days"] <= 90 for each in uploads)
    (failing,) = [each for each in uploads if each["name"].startswith("failing-runs")]
    assert failing["if-no-files-found"] == "ignore"


def test_the_page_names_what_exists() -> None:
    """Every command of ours on docs/nightly.md, in whatever CI's dress."""
    text = PAGE.read_text(encoding="utf-8")
    begin = r"(?:^\$ |- |&& |sh ')"
    lines = re.findall(begin + r"((?:\.venv/bin/harness|make) [^'\n]*)", text, re.MULTILINE)
    assert len(lines) >= 10
    bare = [line.split(" >")[0] for line in lines]
    assert [said for line in bare for words in commands(line) if (said := wrong(words))] == []


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        ".venv/bin/harness nightly --tim 2h -o x",
        ".venv/bin/harness night",
        "curl x",
    ],
)
def test_a_planted_mistake_is_seen(line: str) -> None:
    """A target, an option or a command that does not exist."""
    assert [said for words in commands(line) if (said := wrong(words))]


class Issues:
    """A stand-in for gh on PATH: answers with these issues, writes down what it was asked."""

    def __init__(self, folder: Path, issues: list[dict[str, object]]) -> None:
        self._folder = folder
        answer = folder / "answer.json"
        answer.write_text(json.dumps(issues))
        gh = folder / "gh"
        gh.write_text(
            "#!/bin/sh\n"
            f'echo "$1 $2" >> {folder}/asked\n'
            f'case "$*" in *--body-file*) cat > {folder}/body;; esac\n'
            f'case "$1 $2" in "issue list") cat {answer};; esac\n'
        )
        gh.chmod(0o755)

    def told(self, outcome: str) -> tuple[list[str], str]:
        """Tell a night of this outcome; return what was asked of gh, and the text."""
        (self._folder / "night.json").write_text(json.dumps({"outcome": outcome, "began": "then"}))
        (self._folder / "summary.md").write_text(f"## {outcome}")
        path = f"{self._folder}:/usr/bin:/bin"
        argv = [sys.executable, str(ISSUE), str(self._folder), "--job", "https://example/job/1"]
        subprocess.run(argv, check=True, env={"PATH": path}, capture_output=True)
        asked, body = self._folder / "asked", self._folder / "body"
        return (
            asked.read_text().splitlines() if asked.exists() else [],
            body.read_text() if body.exists() else "",
        )


OTHER = [{"number": 7, "title": "Another one"}]
OPEN = [{"number": 7, "title": "Nightly: the guarantee does not hold"}]


@pytest.mark.parametrize(
    ("outcome", "issues", "asked", "text"),
    [
        ("FAILED", [], ["issue list", "label create", "issue create"], "## FAILED"),
        ("FAILED", OPEN, ["issue list", "issue comment"], "## FAILED"),
        ("FAILED", OTHER, ["issue list", "label create", "issue create"], "job/1"),
        ("PASSED", OPEN, ["issue list", "issue comment"], "It stays open until somebody"),
        ("PASSED", [], ["issue list"], ""),
        ("UNKNOWN", OPEN, [], ""),
    ],
)  # fmt: skip
def test_a_night_is_told_to_the_issues(
    tmp_path: Path, outcome: str, issues: list[dict[str, object]], asked: list[str], text: str
) -> None:
    """One issue for all red nights; a green one is said there; no machine closes it."""
    said, body = Issues(tmp_path, issues).told(outcome)
    assert said == asked
    assert text in body
