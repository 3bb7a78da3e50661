"""Talks to one Toxiproxy server, strictly: every call is bounded, names one proxy, and is checked.

Built on the package `toxiproxy-python`, whose transport keeps host and port on the class, sets no
time limit and lets a 5xx pass; here each server has a class of its own. `/reset` and list-all are
never called: on a wedged server they block every other call as well.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

import requests  # comes with toxiproxy-python
from toxiproxy.api import APIConsumer, validate_response
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists
from toxiproxy.proxy import Proxy
from toxiproxy.toxic import Toxic

from harness.errors import LabError

CALL_S = 2.0
_CONNECTIONS = 8
_OK = range(200, 300)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyState:
    """What the server says about one proxy."""

    enabled: bool
    toxics: tuple[Toxic, ...]
    upstream: str


class ToxiproxyApi:
    """The API of one server at 127.0.0.1:`port`.

    Every method raises LabError when the answer does not come in time, is an error, or does not
    show what was asked for: the state of that proxy is then unknown.
    """

    def __init__(self, port: int, *, call_s: float = CALL_S) -> None:
        self._consumer = _consumer(port, call_s)

    def version(self) -> str:
        """Return the server's version."""
        return str(self._call("get", "/version", doing="ask for the version")["version"])

    def create(self, name: str, *, listen: str, upstream: str, enabled: bool = True) -> None:
        """Create a proxy between two addresses, each `host:port`."""
        proxy = proxy_value(name, listen=listen, upstream=upstream, enabled=enabled)
        answer = self._call("post", "/proxies", json=proxy, doing=f"create proxy {name}")
        _require(Proxy(**answer).enabled == enabled, f"create proxy {name}", answer)

    def delete(self, name: str) -> None:
        """Delete a proxy and close its connections; no error if there is none."""
        try:
            self._call("delete", _path(name), doing=f"delete proxy {name}")
        except _UnknownProxyError:
            return

    def state(self, name: str) -> ProxyState:
        """Return whether the proxy is enabled, and its toxics."""
        answer = self._call("get", _path(name), doing=f"ask for proxy {name}")
        toxics = tuple(Toxic(**toxic) for toxic in answer["toxics"])
        return ProxyState(
            enabled=bool(answer["enabled"]), toxics=toxics, upstream=str(answer["upstream"])
        )

    def enable(self, name: str, *, enabled: bool) -> None:
        """Let it listen, or close its listener and every connection through it."""
        doing = f"{'enable' if enabled else 'disable'} proxy {name}"
        answer = self._call("patch", _path(name), json={"enabled": enabled}, doing=doing)
        _require(answer.get("enabled") is enabled, doing, answer)

    def add_toxic(
        self, name: str, toxic: str, *, kind: str, stream: str, attributes: dict[str, int]
    ) -> None:
        """Add a toxic named `toxic` to all connections of a proxy, live and new."""
        # toxicity below 1 would draw from a generator that cannot be seeded
        value = {"name": toxic, "type": kind, "stream": stream, "toxicity": 1.0}
        doing = f"add {kind} to proxy {name}"
        answer = self._call(
            "post", f"{_path(name)}/toxics", json={**value, "attributes": attributes}, doing=doing
        )
        _require(Toxic(**answer).attributes.items() >= attributes.items(), doing, answer)

    def update_toxic(
        self, name: str, toxic: str, *, attributes: dict[str, int], within_s: float = CALL_S
    ) -> None:
        """Change a toxic in place: what it holds is decided again at once, in order."""
        doing = f"change toxic {toxic} of proxy {name}"
        path = f"{_path(name)}/toxics/{toxic}"
        wanted = {"attributes": attributes}
        answer = self._call("patch", path, json=wanted, timeout=within_s, doing=doing)
        _require(Toxic(**answer).attributes.items() >= attributes.items(), doing, answer)

    def remove_toxic(self, name: str, toxic: str) -> None:
        """Remove a toxic; only from a proxy that is disabled (see `links.py`)."""
        path = f"{_path(name)}/toxics/{toxic}"
        self._call("delete", path, doing=f"remove toxic {toxic} of proxy {name}")

    def close(self) -> None:
        """Close the kept connections."""
        self._consumer.session.close()

    def _call(self, method: str, url: str, *, doing: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            response = getattr(self._consumer, method)(url, **options)
        except requests.RequestException as error:
            raise _unknown(doing, f"{type(error).__name__}: {error}") from error
        except NotFound as error:
            raise _UnknownProxyError(f"Toxiproxy could not {doing}: not found") from error
        except (ProxyExists, InvalidToxic) as error:
            raise _unknown(doing, str(error)) from error
        if response.status_code not in _OK:
            raise _unknown(doing, f"status {response.status_code}: {response.text[:200]}")
        return dict(response.json()) if response.content else {}


class _UnknownProxyError(LabError):
    """The server does not know this proxy or toxic."""


class _StrictConsumer(APIConsumer):  # type: ignore[misc]  # the package has no types
    """The package's transport with a time limit, kept connections and no proxy from outside."""

    session: ClassVar[requests.Session]
    call_s: ClassVar[float]

    @classmethod
    def get(cls, url: str, params: Any = None, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        return cls._bounded("GET", url, params=params, **kwargs)

    @classmethod
    def delete(cls, url: str, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        return cls._bounded("DELETE", url, **kwargs)

    @classmethod
    def post(cls, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        return cls._bounded("POST", url, data=data, json=json, **kwargs)

    @classmethod
    def patch(cls, url: str, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        return cls._bounded("PATCH", url, **kwargs)

    @classmethod
    def _bounded(cls, method: str, url: str, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        endpoint = f"http://{cls.host}:{cls.port}{url}"
        bounded = {"timeout": cls.call_s, **kwargs}
        response = cls.session.request(method, endpoint, **bounded)
        validate_response(response)
        return response


def proxy_value(name: str, *, listen: str, upstream: str, enabled: bool = True) -> dict[str, Any]:
    """Return a proxy as the server's API and its `-config` file take it."""
    return {"name": name, "listen": listen, "upstream": upstream, "enabled": enabled}


def _consumer(port: int, call_s: float) -> type[_StrictConsumer]:
    """Return a transport class of its own for one server: the package keeps its address there."""
    session = requests.Session()
    session.trust_env = False  # HTTP_PROXY is for the world outside, not for loopback
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
    values = {"host": "127.0.0.1", "port": port, "session": session, "call_s": call_s}
    return type(f"Consumer{port}", (_StrictConsumer,), values)


def _path(name: str) -> str:
    return f"/proxies/{quote(name, safe='')}"


def _require(condition: bool, doing: str, answer: object) -> None:  # noqa: FBT001
    if not condition:
        raise _unknown(doing, f"its answer was {answer}")


def _unknown(doing: str, why: str) -> LabError:
    return LabError(
        f"Toxiproxy did not {doing}: {why}. The state of that proxy is unknown",
        remedy="the run cannot be judged; the lab must be started anew",
    )
