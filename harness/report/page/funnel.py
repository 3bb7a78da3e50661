"""The balance of messages as a funnel: stages, and who fell out before each. PURE."""

from dataclasses import dataclass

from harness.report.model import Funnel, Gap, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One stage with the width of its bar."""

    stage: Stage
    width: float
    """Its share of the widest stage, 0 to 1."""
    missing: float
    """The share of the widest stage that fell out at it, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A funnel that is ready to be drawn."""

    funnel: Funnel
    steps: tuple[Step, ...]
    gaps: tuple[tuple[str, Gap], ...]
    """Every gap with its anchor, those of `beside` last."""

    def anchor(self, gap: Gap) -> str:
        """Return where the messages of a gap are listed."""
        return next(anchor for anchor, each in self.gaps if each is gap)


def balance(funnel: Funnel) -> Balance:
    """Return a funnel's steps, and anchors for its gaps."""
    most = max((stage.count for stage in funnel.stages), default=0) or 1
    gaps = [gap for stage in funnel.stages for gap in stage.gaps] + list(funnel.beside)
    return Balance(
        funnel=funnel,
        steps=tuple(
            Step(
                stage=stage,
                width=stage.count / most,
                missing=sum(gap.count for gap in stage.gaps) / most,
            )
            for stage in funnel.stages
        ),
        gaps=tuple((f"gap-{funnel.of}-{place}", gap) for place, gap in enumerate(gaps)),
    )


def by_run(gap: Gap) -> dict[str, list[str]]:
    """Return the listed messages of a gap by run."""
    runs: dict[str, list[str]] = {}
    for each in gap.messages:
        runs.setdefault(each.run, []).append(each.message)
    return runs
