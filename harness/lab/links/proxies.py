"""Every proxy of a lab as Toxiproxy reads it, and whether its server still answers."""

from harness.errors import LabError
from harness.lab.layout import LINKS, Layout
from harness.lab.links.toxiproxy import ToxiproxyApi, proxy_value


def population_of(layout: Layout) -> list[dict[str, object]]:
    """Return every proxy of a lab as the server reads it."""
    return [
        proxy_value(
            str(link), listen=layout.listen_address(link), upstream=layout.upstream_address(link)
        )
        for link in LINKS
    ]


def wedged(api: ToxiproxyApi) -> str | None:
    """Return a sentence if the server does not answer about a proxy, as a wedged one does not."""
    try:
        api.state(str(LINKS[0]))
    except LabError as error:
        return error.message
    return None
