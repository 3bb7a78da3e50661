"""What a lab of containers holds on this machine and in the engine, and how all of it is let go."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import docker

from harness.errors import LabError
from harness.lab.docker import marks
from harness.lab.docker.engine import TROUBLE
from harness.lab.keeping import folders, ports, warden
from harness.lab.keeping.claims import Claim
from harness.lab.keeping.guardian import Guardian
from harness.lab.layout import PORTS, Layout

if TYPE_CHECKING:
    from harness.lab.docker.parts import Parts


class Holding:
    """A name, a block of ports, a folder, and the warden that clears them if this process dies."""

    def __init__(
        self,
        client: docker.DockerClient,
        *,
        folder: Path,
        layout: Layout,
        claims: list[Claim],
        guardian: Guardian,
    ) -> None:
        self.folder = folder
        self.layout = layout
        self.parts: Parts | None = None
        self._client = client
        self._claims = claims
        self._guardian = guardian

    @classmethod
    def take(cls, client: docker.DockerClient) -> Self:
        """Claim what a new lab needs; nothing of it is made yet."""
        base, port_claim = ports.claim_block(PORTS)
        folder, name_claim = folders.claim_name()
        claims = [name_claim, port_claim]
        return cls(
            client,
            folder=folder,
            layout=Layout(base=base, networked=True),
            claims=claims,
            guardian=Guardian(folder, claims=claims, label=marks.label(folder.name)),
        )

    def watched(self) -> bool:
        """Tell whether the warden lives."""
        return self._guardian.alive()

    def end(self) -> None:
        """Remove containers, networks and volumes, then processes, folder and claims."""
        failed = self._clear_engine()
        if self.parts is not None:
            self.parts.hang_up()
        survivors = warden.clear(self.folder, name=self.folder.name)
        if self.parts is not None:
            with suppress(LabError):
                self.parts.frames.server.reap()
        self._guardian.dismiss()
        for claim in self._claims:
            claim.release(unlink=claim.path.name.startswith("lab-"))
        self._client.close()
        if failed or survivors:
            raise LabError(
                f"Not all of {self.folder.name} could be removed: "
                f"{failed or f'processes {survivors} would not end'}",
                remedy=f"the next start tries again; or docker ps -a --filter label={marks.LAB}",
            )

    def _clear_engine(self) -> str | None:
        try:
            warden.clear_engine(marks.label(self.folder.name))
        except TROUBLE as error:
            return str(error)
        return None
