"""Several labs side by side, each with a worker process of its own.

One lab keeps about two cores busy; a machine with more of them plays on more labs. Results come in
the order in which runs end.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from harness.campaign.result import Job, Result, job_line, result_of
from harness.campaign.worker import ERROR, NEWS
from harness.errors import HarnessError
from harness.lab.choice import LabChoice

END_S = 60.0
"""Within this a worker has taken its lab down, or it is killed and its warden does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerError:
    """What ended a worker."""

    message: str
    exit_code: int


class LabPool:
    """So many workers; use as a context manager: leaving it takes all labs down."""

    def __init__(
        self,
        count: int,
        *,
        choice: LabChoice,
        runs: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._workers = [
            _Worker(number, choice=choice, runs=runs, progress=progress) for number in range(count)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def play(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield a result for each job; the next job is taken when a lab is free.

        HarnessError if a worker ends: what the others were playing is given up then.
        """
        waiting = iter(jobs)
        said: queue.SimpleQueue[tuple[_Worker, Result | WorkerError]] = queue.SimpleQueue()
        busy = sum(worker.take(next(waiting, None), said) for worker in self._workers)
        while busy:
            worker, answer = said.get()
            if isinstance(answer, WorkerError):
                error = HarnessError(answer.message)
                error.exit_code = answer.exit_code
                raise error
            yield answer
            busy += worker.take(next(waiting, None), said) - 1

    def close(self) -> None:
        """End every worker's input and wait until its lab is gone."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.await_end()


class _Worker:
    """This process's side of one worker."""

    def __init__(
        self, number: int, *, choice: LabChoice, runs: Path, progress: Callable[[str], None]
    ) -> None:
        self._number = number
        self._progress = progress
        self._asking: threading.Thread | None = None
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # until `await_end`
        words = json.dumps(choice.words())
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.campaign.worker", str(runs), words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C reaches us, and we end its input
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def take(
        self,
        job: Job | None,
        said: "queue.SimpleQueue[tuple[_Worker, Result | WorkerError]]",
    ) -> bool:
        """Play a job and put its answer into `said`, later; False if there is none to play."""
        if job is None:
            return False
        name = f"worker-{self._number}"
        self._asking = threading.Thread(target=self._ask, args=(job, said), name=name, daemon=True)
        self._asking.start()
        return True

    def dismiss(self) -> None:
        """End its input."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                return  # it is gone already

    def await_end(self) -> None:
        """Return when it is gone."""
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its warden clears what it leaves
            self._process.wait()
        if self._asking is not None:
            self._asking.join()  # its output has ended with it
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _ask(
        self, job: Job, said: "queue.SimpleQueue[tuple[_Worker, Result | WorkerError]]"
    ) -> None:
        try:
            said.put((self, self._answer(job)))
        except Exception as error:  # noqa: BLE001  # top of a thread: whoever waits for it is told
            said.put((self, WorkerError(message=self._last_words(str(error)), exit_code=4)))

    def _answer(self, job: Job) -> Result | WorkerError:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise OSError("it has no pipes")
        stdin.write(job_line(job) + "\n")
        stdin.flush()
        for line in stdout:
            if line.startswith(NEWS):
                self._progress(line.removeprefix(NEWS).strip())
            elif line.startswith(ERROR):
                return WorkerError(**json.loads(line.removeprefix(ERROR)))
            else:
                return result_of(line, source=f"worker {self._number}")
        return WorkerError(message=self._last_words("it ended"), exit_code=4)

    def _last_words(self, why: str) -> str:
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace").strip()
        return f"The process of lab {self._number} gave no answer ({why}); it last said:\n{said}"
