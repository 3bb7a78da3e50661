"""The servers of lock services: found on this machine, or fetched for pipelines that use them."""

from harness.provision import redis, zookeeper
from harness.provision.values import Found, Progress, silent
from harness.schedule.targets import LockServiceName


def provide(name: LockServiceName, *, progress: Progress = silent) -> Found:
    """Return a server, fetching it at the first call; ProvisionError if that cannot be done."""
    if name == "redis":
        return redis.provide(progress=progress)
    return zookeeper.provide(progress=progress)
