"""The folder of a campaign: what was asked for, a line for each result, the run folders.

Results are appended as they come, so a campaign that was broken off goes on where it stopped.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from harness import strict
from harness.campaign.result import Result, result_line, result_of
from harness.errors import UsageError
from harness.lab.choice import LabChoice
from harness.lab.keeping.claims import try_claim
from harness.ledger.findings import Outcome
from harness.pipeline.spec import Spec
from harness.provision.checkpoint import levels
from harness.provision.kafka import KAFKA_VERSION
from harness.run.folder import disk_error, make_dated_folder
from harness.run.plan import called
from harness.schedule.targets import STRICT
from harness.schedule.values import Budget

Keep = Literal["all", "failed"]
_BULKY = ("counters", "journal", "stderr", "witness")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a campaign was asked for: `campaign.json`. Equal ones play equal schedules."""

    __pydantic_config__ = STRICT
    pipeline: str
    variant: str | None = None
    budget: Budget = "safe"
    seed: int = 0
    shard: int = 1
    of: int = 1
    profile: str = "fast"
    kafka: str = KAFKA_VERSION
    features: tuple[str, ...] = ()
    format: Literal[1] = 1


_ASKED = TypeAdapter(Asked)


def asked_of(
    spec: Spec, *, budget: Budget, seed: int, shard: tuple[int, int], choice: LabChoice
) -> Asked:
    """Return what is asked for when this pipeline (or variant) is to be played on such a lab."""
    return Asked(
        pipeline=called(spec),
        variant=spec.variant,
        budget=budget,
        seed=seed,
        shard=shard[0],
        of=shard[1],
        profile=choice.profile.name,
        kafka=choice.kafka_version,
        features=levels(choice.features),
    )


def keep_story(run_folder: Path) -> None:
    """Keep of a run what tells its story, without what it would be judged again from."""
    for part in _BULKY:
        shutil.rmtree(run_folder / part, ignore_errors=True)


class CampaignFolder:
    """One campaign on disk."""

    def __init__(self, path: Path, asked: Asked) -> None:
        self.path = path
        self.asked = asked
        self.runs = path / "runs"
        self._results = path / "results.jsonl"

    @classmethod
    def make(cls, campaigns: Path, asked: Asked) -> "CampaignFolder":
        """Create `campaigns/<time>-<variant or pipeline>-<budget>/`."""
        name = asked.variant or Path(asked.pipeline).stem
        path = make_dated_folder(campaigns, f"{name}-{asked.budget}")
        try:
            (path / "runs").mkdir()
            (path / "campaign.json").write_bytes(_ASKED.dump_json(asked, indent=2) + b"\n")
        except OSError as error:
            raise disk_error(path, error) from error
        return cls(path, asked)

    @classmethod
    def open(cls, path: Path) -> "CampaignFolder":
        """Return one that is there; UsageError if it is none."""
        file = path / "campaign.json"
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            raise UsageError(
                f"{path} is no campaign: {file.name} cannot be read ({why})",
                remedy="name a folder that `harness campaign` made",
            ) from error
        return cls(path.absolute(), strict.decode(_ASKED, None, source=str(file), json=text))

    def results(self) -> Iterator[Result]:
        """Yield every result so far; a line that a kill tore is left out."""
        if not self._results.exists():
            return
        *lines, _torn = self._results.read_bytes().split(b"\n")
        for number, line in enumerate(lines, start=1):
            yield result_of(line, source=f"{self._results}:{number}")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from playing it meanwhile; UsageError if one does already."""
        try:
            claim = try_claim(self.path / "playing.lock")
        except OSError as error:
            raise disk_error(self.path, error) from error
        if claim is None:
            raise UsageError(
                f"{self.path} is being played by another process",
                remedy="wait until that has ended, or begin a campaign without --resume",
            )
        try:
            yield
        finally:
            claim.release(unlink=True)

    def add(self, result: Result, *, keep: Keep) -> None:
        """Append a result; of a PASSED run only what tells its story is kept, unless all is."""
        try:
            self._end_torn_line()
            with self._results.open("a", encoding="utf-8") as results:
                results.write(result_line(result) + "\n")
        except OSError as error:
            raise disk_error(self.path, error) from error
        if keep == "failed" and result.outcome is Outcome.PASSED:
            keep_story(Path(result.folder))

    def _end_torn_line(self) -> None:
        """Drop what a killed campaign left of its last line."""
        if self._results.exists():
            text = self._results.read_bytes()
            if text and not text.endswith(b"\n"):
                os.truncate(self._results, text.rfind(b"\n") + 1)
