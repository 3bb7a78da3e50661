"""Tells a night to the project's issues, by the `gh` command: `.ci/issue.py NIGHT --job URL`.

A FAILED night opens an issue, or comments on the one that is open. A green night comments on it and
never closes it: a race that shows in one schedule of a hundred is absent from most nights, so who
pins its regression and mends it closes the issue. Any other night is told by the job's own colour.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

LABEL = "nightly"
TITLE = "Nightly: the guarantee does not hold"
LONGEST = 60_000
"""An issue's text may have 65,536 characters."""


def main() -> None:
    """Read the night, and say what is to be said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("night", type=Path, help="a folder with night.json and summary.md")
    parser.add_argument("--job", required=True, help="where its artifacts are")
    asked = parser.parse_args()
    night = json.loads((asked.night / "night.json").read_text(encoding="utf-8"))
    outcome = night["outcome"]
    if outcome not in ("FAILED", "PASSED"):
        sys.stdout.write(f"{outcome}: no issue is touched\n")
        return
    number = open_issue()
    summary = (asked.night / "summary.md").read_text(encoding="utf-8")
    text = f"{summary[:LONGEST]}\n\nArtifacts (report, failing runs): {asked.job}\n"
    if outcome == "PASSED":
        if number is not None:
            said = f"A green night: {night['began']}. {asked.job}\n\nIt stays open until somebody "
            gh("issue", "comment", number, "--body-file", "-", text=said + "closes it as mended.\n")
    elif number is not None:
        gh("issue", "comment", number, "--body-file", "-", text=text)
    else:
        words = ("--force", "--color", "b60205", "--description", "A night found a failure")
        gh("label", "create", LABEL, *words)
        gh("issue", "create", "--title", TITLE, "--label", LABEL, "--body-file", "-", text=text)


def open_issue() -> str | None:
    """Return the number of the open issue of earlier nights, if there is one."""
    wanted = ("--label", LABEL, "--state", "open", "--limit", "100", "--json", "number,title")
    found = json.loads(gh("issue", "list", *wanted))
    return next((str(each["number"]) for each in found if each["title"] == TITLE), None)


def gh(*words: str, text: str = "") -> str:
    """Run gh, and return what it printed; its failure is this program's."""
    done = subprocess.run(
        ("gh", *words), input=text, text=True, stdout=subprocess.PIPE, check=False
    )
    if done.returncode:
        sys.exit(f"gh {' '.join(words[:2])} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
