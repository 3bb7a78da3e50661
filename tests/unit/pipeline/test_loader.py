"""pipeline.toml: what is read, and how a mistake is told."""

import textwrap
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pipeline.loader import load_pipeline
from harness.pipeline.placeholders import fill
from harness.pipeline.spec import topic_variable

MINIMAL = """
[pipeline]
name = "mine"
[roles.producer]
command = ["./produce"]
[roles.worker]
command = ["java", "-jar", "worker.jar", "--topic=${TOPIC_ORDERS_IN}"]
[topics.orders-in]
[message]
id = "json:/id"
[queries]
intents = "SELECT id AS message_id FROM wanted"
effects = "SELECT id AS message_id FROM done"
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "pipeline.toml"
    path.write_text(textwrap.dedent(text))
    return path


def _told(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_pipeline(_write(folder, text))
    return str(caught.value)


def test_a_minimal_file_has_all_the_defaults(tmp_path: Path) -> None:
    """A pipeline in any language is a dozen lines."""
    spec = load_pipeline(_write(tmp_path, MINIMAL))

    assert (spec.name, spec.file.pipeline.order, spec.schema_path) == ("mine", "none", None)
    assert (spec.topics["orders-in"].partitions, spec.topics["orders-in"].replication_factor) == (
        6,
        3,
    )
    assert (spec.kind("producer"), spec.kind("worker")) == ("load", "service")
    assert spec.instances() == (("worker", 0), ("producer", 0))
    assert (spec.liveness.warmup_s, spec.liveness.drain_s, spec.liveness.quiet_s) == (20, 60, 3)
    assert spec.role_folder("worker") == tmp_path
    assert spec.message.id_type == "string"


def test_the_folder_of_a_file_is_enough(tmp_path: Path) -> None:
    """A path may name the file or where it lies."""
    _write(tmp_path, MINIMAL)

    assert load_pipeline(tmp_path) == load_pipeline(tmp_path / "pipeline.toml")


def test_the_reference_is_read_through_the_same_format() -> None:
    """`outbox` is nothing but a pipeline.toml that comes with the harness."""
    spec = load_pipeline("outbox")

    assert list(spec.roles) == ["producer", "relay", "consumer"]
    assert spec.roles["relay"].env["RELAY_BATCH"] == "1000"
    assert spec.topics["orders"].config["unclean.leader.election.enable"] == "false"


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("name =", "nmae =", "unknown key pipeline.nmae; did you mean name?"),
        ("[queries]", "[querys]", "unknown key querys; did you mean queries?"),
        (
            'command = ["./produce"]',
            'command = ["./produce"]\ninstnces = 2',
            "unknown key roles.producer.instnces; did you mean instances?",
        ),
        (
            'command = ["./produce"]',
            'command = ["./produce"]\ncrash_points = ["ok", "' + "x" * 41 + '"]',
            "a crash point's name has 1 to 40 bytes",
        ),
        ("effects =", "efects =", "queries.effects is missing"),
        (
            'command = ["./produce"]',
            "",
            "roles.producer.command is missing; only a role with an image may do without",
        ),
        (
            'command = ["./produce"]',
            'image = "shop/producer:7"\ncwd = "app"',
            "roles.producer.cwd: its image says where it starts; take it out",
        ),
        (
            'command = ["./produce"]',
            'command = "./produce"',
            "roles.producer.command: input should be a valid array, not './produce'",
        ),
        (
            'command = ["./produce"]',
            'command = ["./produce"]\ninstances = "2"',
            "roles.producer.instances: input should be a valid integer, not '2'",
        ),
        (
            "json:/id",
            "jsn:/id",
            "message.id: must be header:<name>, json:/pointer/to/it, or key, not 'jsn:/id'",
        ),
        (
            "${TOPIC_ORDERS_IN}",
            "${TOPIC_ORDERSIN}",
            "${TOPIC_ORDERSIN} is not given to this role; did you mean ${TOPIC_ORDERS_IN}?",
        ),
        (
            'name = "mine"',
            'name = "mine"\nschema = "tables.sql"',
            "pipeline.schema: there is no file tables.sql beside it",
        ),
        (
            "[topics.orders-in]",
            '[topics.orders-in]\n[topics.retry]\ncopies = ["orders"]',
            "topics.retry.copies: there is no topic orders; topics are: orders-in, retry",
        ),
        (
            "[topics.orders-in]",
            '[topics.orders-in]\n[topics."orders.in"]',
            "topics: 2 names lead to the same variable TOPIC_ORDERS_IN",
        ),
    ],
)
def test_a_mistake_names_the_file_the_key_and_the_way_out(
    tmp_path: Path, was: str, becomes: str, told: str
) -> None:
    """Whatever is wrong, the sentence says where and what would be right."""
    message = _told(tmp_path, MINIMAL.replace(was, becomes, 1))

    assert f"{tmp_path / 'pipeline.toml'}: " in message
    assert told in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody wants to correct a file ten times."""
    wrong = MINIMAL.replace("name =", "nmae =").replace("intents", "intends")

    assert len(_told(tmp_path, wrong).splitlines()) == 4


def test_what_is_not_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    """A syntax error is a place in the file."""
    assert "not TOML: " in (message := _told(tmp_path, '[pipeline]\nname = "x\n'))
    assert "(at line 2, column 10)" in message


def test_a_file_that_is_not_there_leads_to_what_is(tmp_path: Path) -> None:
    """The remedy names the built-in pipelines."""
    with pytest.raises(UsageError, match="no such file") as caught:
        load_pipeline(tmp_path / "nothing.toml")

    assert "outbox" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a${X}b${X}", "a1b1"),
        ("$X costs $5", "$X costs $5"),
        ("$${X}", "${X}"),
        ("${X}$${X}", "1${X}"),
    ],
)
def test_placeholders_are_filled_and_dollars_kept(text: str, filled: str) -> None:
    """Only ${NAME} is a placeholder; $${ writes a plain ${."""
    assert fill(text, values={"X": "1"}, where="here") == filled


def test_an_unknown_placeholder_is_never_empty() -> None:
    """A typo is an error, not an empty string."""
    with pytest.raises(UsageError, match=r"here: \$\{Y\} is not given .* valid: X"):
        fill("${Y}", values={"X": "1"}, where="here")


def test_topic_variables_are_upper_case_with_underscores() -> None:
    """As ARCHITECTURE has it."""
    assert topic_variable("orders.eu-west") == "TOPIC_ORDERS_EU_WEST"
