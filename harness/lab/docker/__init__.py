"""A lab of containers: `start_docker_lab` is all that other rooms need of it."""

from harness.lab.docker.boot import start_docker_lab
from harness.lab.docker.lab import DockerLab

__all__ = ["DockerLab", "start_docker_lab"]
