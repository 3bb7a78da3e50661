"""The database server killed, stopped or paused, and put back."""

import psycopg

from harness.faults.driver import Evidence, Surroundings
from harness.faults.outages import How, outage, take_all


class DatabaseOutage:
    """The database out of service; after a kill, its crash recovery is part of the healing."""

    def __init__(self, how: How, *, around: Surroundings) -> None:
        self.what = f"{how} the database"
        self.resolved: dict[str, object] = {"database": True}
        self._how = how
        self._server = around.lab.database
        self._outage = outage(how, self._server)
        self._sessions = 0

    def apply(self) -> None:
        """Count the pipeline's sessions, then take it out."""
        if self._server.pid() is not None:
            self._sessions = self._count_sessions()
        take_all([self._outage])

    def held(self) -> bool:
        """Tell whether the server is out."""
        return self._outage.taken()

    def heal(self) -> None:
        """Put it back."""
        self._outage.give_back()

    def healed(self) -> bool:
        """Tell whether it accepts queries again."""
        return self._server.serves()

    def evidence(self) -> Evidence:
        """Return what shows that it was out, and the sessions that felt it."""
        shown = self._outage.shown()
        felt = "hung while it was stopped" if self._how == "pause" else "ended with it"
        return Evidence(
            bit=shown.bit and self._sessions > 0,
            sentences=(*shown.sentences, f"{self._sessions} sessions of the pipeline {felt}"),
        )

    def _count_sessions(self) -> int:
        with psycopg.connect(self._server.url("postgres"), connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() "
                "AND usename <> current_user"
            ).fetchone()
        return int(row[0]) if row else 0
