"""The business: places orders in the way it was told to, at a given rate, through any trouble."""

import os

from harness.pipeline.probe import Probe
from harness.pipeline.reference.database import DatabaseTroubleError, Session
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.orders import Orders
from harness.pipeline.reference.publishing import PUBLISHING
from harness.pipeline.reference.workload import Pace, Workload


class Producer:
    """One producer process."""

    def __init__(self, probe: Probe, lifetime: Lifetime) -> None:
        workload = Workload.from_environment()
        self.probe = probe
        self.lifetime = lifetime
        self.pace = Pace(rate_per_s=workload.rate_per_s, batch=workload.batch)
        self.orders = Orders(probe, workload)
        self.place = PUBLISHING[os.environ.get("PRODUCER_PUBLISH", "outbox")](self.orders)

    def run(self) -> None:
        """Place orders until the life is over, through any loss of the database."""
        self.lifetime.wait(float(os.environ.get("PRODUCER_START_S", "0")))
        while not self.lifetime.over:
            try:
                session = Session.connect()
            except DatabaseTroubleError as error:
                self._trouble(error)
                continue
            try:
                self._work(session)
            except DatabaseTroubleError as error:
                self._trouble(error)
            finally:
                session.close()
        self.place.finish()

    def _trouble(self, error: DatabaseTroubleError) -> None:
        self.probe.journal("error", error=str(error))
        self.lifetime.back_off()

    def _work(self, session: Session) -> None:
        self.orders.recover(session)
        while not self.lifetime.over:
            self.place(session)
            self.lifetime.succeeded()
            self.lifetime.wait_until(self.pace.next_s())


def main() -> None:
    """Run one producer process."""
    probe = Probe.from_environment()
    Producer(probe, Lifetime()).run()
    probe.journal("stop", pid=os.getpid())


if __name__ == "__main__":
    main()
