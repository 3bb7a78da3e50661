"""The lock services of a local lab, as processes."""

from collections.abc import Mapping
from pathlib import Path

from harness.lab.kept_services import KeptServices
from harness.lab.layout import Layout
from harness.lab.local.recipe import Recipe
from harness.lab.local.redis import LocalRedis
from harness.lab.local.zookeeper import LocalZooKeeper
from harness.provision import lock_services
from harness.schedule.targets import LockServiceName

LocalLockServer = LocalRedis | LocalZooKeeper


class LocalLockServices(KeptServices[LocalLockServer]):
    """Those of one local lab."""

    def __init__(
        self, folder: Path, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
    ) -> None:
        super().__init__(layout=layout)
        self._folder = folder
        self._recipe = recipe
        self._mark = mark

    def _make(self, name: LockServiceName) -> LocalLockServer:
        found = lock_services.provide(name)
        if name == "redis":
            return LocalRedis(self._folder, layout=self._layout, program=found, mark=self._mark)
        return LocalZooKeeper(
            self._folder,
            layout=self._layout,
            jars=found,
            java=Path(self._recipe.java[0]),
            mark=self._mark,
        )
