"""Writes docker-compose.yml, the lab standing, from the source of the Docker backend."""

import sys
from pathlib import Path

import yaml

from harness.lab.docker.compose import composition

FILE = Path(__file__).parents[1] / "docker-compose.yml"
HEAD = """\
# The lab standing, to poke at: three Kafka nodes, Toxiproxy on every link, PostgreSQL.
# Made by `make compose`; do not edit it by hand, a test holds it to its source.
#
#   docker compose up -d --wait                  the lab, healthy
#   docker compose --profile redis up -d --wait  with Redis (or zookeeper)
#   harness run --lab compose                    a run on it
#   docker compose down -v                       nothing of it left
#
# Images of one's own: ZLH_KAFKA_IMAGE, ZLH_TOXIPROXY_IMAGE, ZLH_POSTGRES_IMAGE, ZLH_REDIS_IMAGE,
# ZLH_ZOOKEEPER_IMAGE. Ports are published on 127.0.0.1 only. Needs Docker Compose 2.23.1 or newer.
"""


class Readable(yaml.SafeDumper):
    """Writes texts of several lines as such, and never a reference to another place."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # as the package asks
        """Write everything out where it stands."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Readable.add_representer(str, _text)


def text() -> str:
    """Return the whole file."""
    return HEAD + yaml.dump(composition(), Dumper=Readable, sort_keys=False, width=100)


def main() -> int:
    """Write the file."""
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
