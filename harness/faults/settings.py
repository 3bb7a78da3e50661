"""Settings changed while everything runs: of a topic, or of every node in turn. They come back."""

from collections.abc import Callable, Mapping

from harness.errors import LabError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.operations import UNDONE_S, Asking
from harness.lab.values import Setting

Settings = Mapping[str, Setting]


class _Change:
    """One place whose settings are changed and changed back, and what is told about them there."""

    def __init__(
        self,
        name: str,
        wanted: Mapping[str, str],
        *,
        ask: Callable[[Mapping[str, str | None]], None],
        tell: Callable[[], list[Settings]],
    ) -> None:
        """`tell` returns what each node that answers says of these settings, none if none does."""
        self.name = name
        self.before: Settings | None = None
        self._wanted = wanted
        self._ask = ask
        self._tell = tell
        self.there = Asking(self._set, done=lambda: self._told(dict(wanted)))
        self.back = self._asking_back()

    def await_back(self) -> None:
        """Give the way back its whole time from now on."""
        self.back = self._asking_back()

    def sentences(self) -> list[str]:
        """Say what was told about each setting before and after."""
        if self.before is None or not self.there.seen:
            return [f"{self.name} was never seen to have the new settings"]
        return [
            f"{key} of {self.name}: {_value(self.before, key)} → {value}"
            for key, value in self._wanted.items()
        ]

    def bit(self) -> bool:
        """Tell whether a setting was seen to become another one."""
        return (
            self.there.seen
            and self.before is not None
            and any(_value(self.before, key) != value for key, value in self._wanted.items())
        )

    def _asking_back(self) -> Asking:
        return Asking(self._unset, done=lambda: self._told(self._old_values()), deadline_s=UNDONE_S)

    def _set(self) -> None:
        if self.before is None:
            told = self._tell()
            if not told:
                raise LabError(f"nobody tells the settings of {self.name}")
            self.before = {key: told[0][key] for key in self._wanted if key in told[0]}
        self._ask(dict(self._wanted))

    def _unset(self) -> None:
        before = self.before or {}
        self._ask(
            {
                key: before[key].value if key in before and before[key].own else None
                for key in self._wanted
            }
        )

    def _old_values(self) -> dict[str, str | None]:
        before = self.before
        return {} if before is None else {key: _value(before, key) for key in self._wanted}

    def _told(self, values: Mapping[str, str | None]) -> bool:
        """Tell whether whoever answers, and somebody does, says that the settings are so."""
        told = self._tell()
        return bool(told) and all(
            _value(settings, key) == value for settings in told for key, value in values.items()
        )


class ChangedSettings:
    """Places changed one after the other, each once the last one is seen to be changed."""

    def __init__(self, changes: list[_Change], *, what: str, resolved: dict[str, object]) -> None:
        self.what = what
        self.resolved = resolved
        self._changes = changes

    def apply(self) -> None:
        """Ask the first place."""
        self._changes[0].there.step()

    def held(self) -> bool:
        """Tell whether it was asked for, which it was when `apply` returned."""
        return True

    def pulse(self) -> None:
        """Go on with the next place that has not been changed."""
        for change in self._changes:
            if not change.there.seen:
                change.there.step()
                return

    def finished(self) -> bool:
        """Tell whether every place was seen to be changed."""
        return all(change.there.seen for change in self._changes)

    def heal(self) -> None:
        """Begin to change them back."""
        for change in self._changes:
            change.await_back()
        self.healed()

    def healed(self) -> bool:
        """Tell whether every place was seen to have its old settings; ask the next one if not."""
        for change in self._changes:
            if change.before is not None and not change.back.step():
                return False
        return True

    def evidence(self) -> Evidence:
        """Return what was told about each setting, before and after."""
        said = [sentence for change in self._changes for sentence in change.sentences()]
        return Evidence(bit=all(each.bit() for each in self._changes), sentences=tuple(said))


def of_topic(topic: str, settings: Mapping[str, str], *, around: Surroundings) -> ChangedSettings:
    """Return the driver that changes settings of a topic, by its logical name."""
    physical, operator = around.topics.get(topic, topic), around.lab.cluster.operator
    change = _Change(
        topic,
        settings,
        ask=lambda wanted: operator.configure_topic(physical, wanted),
        tell=lambda: list(operator.topic_settings(physical, list(settings)).values()),
    )
    return ChangedSettings(
        [change], what=f"set {_words(settings)} on {topic}", resolved={"topic": topic}
    )


def of_nodes(settings: Mapping[str, str], *, around: Surroundings) -> ChangedSettings:
    """Return the driver that changes dynamic settings of every node in turn."""
    nodes = sorted(around.lab.nodes)
    return ChangedSettings(
        [_of_node(node, settings, around=around) for node in nodes],
        what=f"set {_words(settings)} on every node in turn",
        resolved={"nodes": nodes},
    )


def _of_node(node: int, settings: Mapping[str, str], *, around: Surroundings) -> _Change:
    operator = around.lab.cluster.operator

    def tell() -> list[Settings]:
        try:
            return [operator.node_settings(node, list(settings))]
        except LabError:
            return []  # it is down, or busy: it is asked again

    return _Change(
        f"node {node}",
        settings,
        ask=lambda wanted: operator.configure_node(node, wanted),
        tell=tell,
    )


def _value(settings: Settings, key: str) -> str | None:
    return settings[key].value if key in settings else None


def _words(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())
