"""The errors a person may see: each says what went wrong, where, and what to do next."""


class HarnessError(Exception):
    """Something the harness cannot go on from; `remedy` says what to do about it."""

    exit_code = 4

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message}\n  → {remedy}")
        self.message = message
        self.remedy = remedy


class UsageError(HarnessError):
    """A file, option or schedule is wrong and nothing was started because of it."""

    exit_code = 2


class ProvisionError(HarnessError):
    """A part that the lab needs is missing and could not be fetched."""


class LabError(HarnessError):
    """A part of the lab did not do what it was asked to do in time."""


class PipelineError(HarnessError):
    """The pipeline under test cannot be run at all: a command, a query or a record is wrong."""

    exit_code = 2
