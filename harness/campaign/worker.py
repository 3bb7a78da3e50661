"""Plays jobs on a lab of its own: `python -m harness.campaign.worker RUNS CHOICE`.

Reads a job a line from standard input, writes a result a line to standard output. When its input
ends, whatever it plays is broken off and its lab is taken down: so it never outlives who asked.
"""

import json
import os
import queue
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TextIO

from harness.campaign.result import Job, Result, job_of, result_from, result_line
from harness.errors import HarnessError, LabError
from harness.lab.choice import choose
from harness.run.plan import spec_of
from harness.run.session import LabSession, default_session
from harness.schedule.codec import fingerprint

NEWS = "# "
"""Begins a line of output that is for people and no result."""
ERROR = "! "
"""Begins a line of output that tells an error of the harness."""


class Worker:
    """One lab, the jobs that it is given, and the end of them."""

    def __init__(self, session: LabSession, answers: TextIO) -> None:
        self._session = session
        self._answers = answers
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._playing = False

    def work(self) -> None:
        """Play until the input ends; KeyboardInterrupt if it ends in the middle of a run."""
        signal.signal(signal.SIGUSR1, self._interrupt)
        threading.Thread(target=self._listen, name="jobs", daemon=True).start()
        while (job := self._jobs.get()) is not None:
            self._playing = True
            try:
                result = self._play(job)
            finally:
                self._playing = False
            _say(self._answers, result_line(result))

    def _play(self, job: Job) -> Result:
        schedule = job.schedule
        play = partial(self._session.play, spec_of(schedule.pipeline, schedule.variant), schedule)
        try:
            played = play()
        except LabError:  # its lab did not boot: a machine that was busy may be quiet now
            played = play()
        return result_from(
            job,
            played.verdict,
            folder=played.folder,
            took_s=played.took_s,
            fingerprint=fingerprint(schedule),
            expects=played.expects,
        )

    def _listen(self) -> None:
        """Hand on each job; at the end of the input break off what is played."""
        for line in sys.stdin:
            self._jobs.put(job_of(line))
        self._jobs.put(None)
        main_thread = threading.main_thread().ident
        if main_thread is not None:
            signal.pthread_kill(main_thread, signal.SIGUSR1)

    def _interrupt(self, _number: int, _frame: object) -> None:
        """Break off a run; the taking down of the lab is never broken off."""
        if self._playing:
            self._playing = False
            raise KeyboardInterrupt


def main(runs: str, choice: str) -> int:
    """Play until standard input ends; return 0 then, or the exit code of the error that came."""
    answers = _own_stdout()
    try:
        with default_session(
            choose(**json.loads(choice)),
            runs=Path(runs),
            progress=lambda line: _say(answers, NEWS + line),
        ) as session:
            Worker(session, answers).work()
    except KeyboardInterrupt:
        return 0
    except HarnessError as error:
        _say(answers, ERROR + json.dumps({"message": str(error), "exit_code": error.exit_code}))
        return error.exit_code
    return 0


def _own_stdout() -> TextIO:
    """Return standard output for answers only; what anybody prints goes to standard error."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _say(answers: TextIO, line: str) -> None:
    answers.write(line.replace("\n", " ") + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asked, who then ends our input
    sys.exit(main(sys.argv[1], sys.argv[2]))
