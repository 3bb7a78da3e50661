"""The template engine of the page: escaping, strictness, filters, and the policy of the page."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.report.page import cover, funnel, matrix, wording
from harness.report.page.order import played
from harness.report.words import plural

POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
    "script-src 'sha256-{script}'; style-src 'sha256-{style}'; style-src-attr 'unsafe-inline'"
)
"""Nothing is loaded; only the one script and the one sheet of styles run, known by their hashes.

`style` attributes are allowed: they hold numbers of ours, by which bars and dots are placed.
"""


@cache
def environment() -> Environment:
    """Return the engine: autoescape on, an unknown name is an error, foreign text made visible."""
    made = Environment(
        loader=PackageLoader("harness.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {
        "cut": wording.cut,
        "count": wording.count,
        "moment": wording.moment,
        "duration": wording.duration,
        "share": wording.share,
        "when": wording.when,
        "clock": wording.clock,
        "met": matrix.met,
        "weight": matrix.weight,
        "times": matrix.times,
        "cover_looks": cover.looks,
        "by_run": funnel.by_run,
        "played": played,
    }
    made.globals |= {
        "plural": plural,
        "meaning": wording.MEANING,
        "len": len,
        "policy": POLICY.format(script=_hash("page.js"), style=_hash("style.css")),
        "script": Markup(_text("page.js")),  # noqa: S704  # a file of this package
        "style": Markup(_text("style.css")),  # noqa: S704  # a file of this package
    }
    return made


def _finalize(value: object) -> object:
    """Make visible what hides in a text; what a template marked as safe is ours already."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return wording.visible(value)


def _text(name: str) -> str:
    folder = resources.files("harness.report.page") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    return b64encode(sha256(_text(name).encode()).digest()).decode()
