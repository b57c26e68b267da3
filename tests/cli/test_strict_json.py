"""JSON that the command line reads and writes is strict, as that of the HTTP API is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asking import Run
from windrow.cli.command_group import MODULES
from windrow.codec.strict import parse_json

pytestmark = pytest.mark.usefixtures("trained")

BIG = "9" * 5_000
# Of a wrong value: a row that holds it, and what is said of it.
WRONG = [
    ('{"text": "money", "n": NaN}', "NaN is no JSON number"),
    ('{"text": "money", "n": -Infinity}', "-Infinity is no JSON number"),
    ('{"text": "money", "n": 1e999}', "a number is too large"),
    ('{"text": "money", "text": "receipt"}', "the key 'text' stands twice in one object"),
    ('{"text": "money", "n": {"a": 1, "a": 2}}', "the key 'a' stands twice in one object"),
    (f'{{"text": "money", "n": {BIG}}}', "a number has too many digits"),
]


@pytest.mark.parametrize(("row", "words"), WRONG)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows"])
def test_what_is_no_strict_json_is_refused_with_its_line(
    ask: Run, tmp_path: Path, name: str, row: str, words: str
) -> None:
    sound = '{"text": "receipt"}'
    content = f"[{sound},\n{row}]" if name == "rows.json" else f"{sound}\n{row}\n"
    (tmp_path / name).write_text(content)
    ended = ask("predict", "tickets_v1", tmp_path / name, "--quiet")
    assert ended.code == 2
    assert f"{name}, line 2: the JSON is broken: {words}." in ended.refusal


@pytest.mark.parametrize(("row", "words"), WRONG)
def test_a_first_line_that_is_no_strict_json_is_refused(ask: Run, tmp_path: Path, row: str, words: str) -> None:
    (tmp_path / "rows").write_text(f"{row}\n")
    ended = ask("predict", "tickets_v1", tmp_path / "rows", "--quiet")
    assert (ended.code, ended.out) == (2, "")
    assert re.search(f"line 1: .*{re.escape(words)}", ended.refusal)


def test_the_keys_of_a_file_are_told_as_they_are(ask: Run, tmp_path: Path) -> None:
    (tmp_path / "columns.json").write_text('{"text": ["a"], "label": ["x"]}')
    for verb in (("fit", "new"), ("predict", "tickets_v1")):
        ended = ask(*verb, tmp_path / "columns.json")
        assert ended.code == 2
        assert (
            "holds no list under texts, training_data, test_data, and none of objects. Give it one"
            in ended.err.splitlines()[-1]
        )


# In an order in which each verb has what it needs; a word in capitals is a file.
VERBS = (
    "list",
    "show tickets_v1",
    "predict tickets_v1 --text money",
    "predict tickets_v1 --text money --explain",
    "predict tickets_v1 --also tickets_v2 --text money",
    "predict tickets_v1 ROWS",
    "classify money --labels refund,invoice",
    "evaluate tickets_v1 --test-data ROWS",
    "report tickets_v1 ROWS -o PAGE",
    "compare tickets_v1 tickets_v2 --test-data ROWS",
    "cross-validate ROWS --num-iterations 0",
    "suggest tickets_v1 ROWS -n 1",
    "inspect ROWS",
    "convert ROWS -o CONVERTED",
    "fit new ROWS --num-iterations 0 --dry-run",
    "fit new ROWS --num-iterations 0",
    "jobs",
    "reproduce new",
    "describe new --description New.",
    "set-threshold new 0.5",
    "copy new copied",
    "export new -o OUT",
    "import OUT --model-name imported",
    "promote tickets tickets_v1",
    "promote tickets tickets_v2",
    "rollback tickets",
    "history tickets",
    "aliases",
    "bind team tickets_v1",
    "bindings",
    "delete copied",
    "restore copied",
    "usage",
    "fsck",
    "base-models",
    "keys create shop --scope read --expires 9d",
    "keys list",
    "keys revoke shop",
    f"forget --text-sha256 {'0' * 64}",
    "audit --since 2025-09-15",
)
# What runs until it is stopped, what does all of this itself, what asks no server, and what needs one with places for
# files (its own test reads its JSON).
WITHOUT = {"serve", "mcp", "demo", "copy-store", "deploy", "doctor", "predict-files"}


def test_every_json_output_parses_strictly(ask: Run, rows_file: Path, tmp_path: Path) -> None:
    files = {"ROWS": rows_file, "OUT": tmp_path / "out.windrow", "PAGE": tmp_path / "page.html"}
    files["CONVERTED"] = tmp_path / "rows.jsonl"
    for verb in VERBS:
        ended = ask(*(files.get(word, word) for word in verb.split()), "--json")
        assert ended.code == 0, (verb, ended.err)
        parse_json(ended.out.encode())
    assert {verb.split()[0] for verb in VERBS} == MODULES.keys() - WITHOUT


def test_every_line_of_jsonl_parses_strictly(ask: Run, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"text": "money", "n": 1e300, "é": [None, "\ud800", "\u2028"]},
        {"text": "receipt", "deep": {"": {}}},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    out = tmp_path / "out.jsonl"
    shown = ask("predict", "tickets_v1", tmp_path / "rows.jsonl", "--to", "jsonl", "--scores")
    assert ask("predict", "tickets_v1", tmp_path / "rows.jsonl", "--out", out, "--scores").code == 0
    for text in (shown.out, out.read_text(encoding="utf-8")):
        found: list[Any] = [parse_json(line.encode()) for line in text.rstrip("\n").split("\n")]
        assert [{key: each[key] for key in row} for row, each in zip(rows, found, strict=True)] == rows
