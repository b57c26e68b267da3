"""A training on a file, as Python asks for it."""

import asyncio
import json

import pytest

import windrow
from tests.client.serving import serving
from tests.toy import Toy
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.session.async_client import AsyncClient
from windrow.session.reply_warnings import WindrowWarning

ROWS = [
    ("money back", "refund", "train"),
    ("give me my money", "refund", "train"),
    ("sign in", "login", "train"),
    ("my password", "login", "validation"),
    ("money please", "refund", "test"),
    ("no sign in", "login", "test"),
]
PROMPT = "Sort the tickets of our shop."


def chat(rows: list[tuple[str, str, str]]) -> bytes:
    lines = [
        [
            {"role": "system", "content": PROMPT},
            {"role": "user", "content": text},
            {"role": "assistant", "content": label},
        ]
        for text, label, _ in rows
    ]
    return "".join(f"{json.dumps({'messages': each})}\n" for each in lines).encode()


def table(rows: list[tuple[str, str, str]]) -> bytes:
    return ("text,label,part\n" + "".join(f"{','.join(row)}\n" for row in rows)).encode()


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_a_file_with_rows_for_testing_is_trained_on_and_evaluated(session: windrow.Session) -> None:
    made = session.fit_file("mails_v1", table(ROWS), split_column="part", num_iterations=0)
    assert (made.model_name, made.num_examples) == ("mails_v1", 4)
    assert made.evaluation is not None
    assert made.evaluation.total == 2
    again = session.fit_file("mails_v1", table(ROWS), splits=["train"], split_column="part", num_iterations=0)
    assert again.num_examples == 3
    alone = session.fit_file("mails_v1", table(ROWS), num_iterations=0, description="All.")
    assert (alone.num_examples, alone.evaluation, alone.description) == (6, None, "All.")


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_what_a_file_says_that_the_classifier_is_for_describes_it(session: windrow.Session) -> None:
    assert session.fit_file("a_v1", chat(ROWS), num_iterations=0).description == PROMPT
    assert session.fit_file("b_v1", chat(ROWS), num_iterations=0, description="Mine.").description == "Mine."


def test_rows_that_are_left_out_are_warned_of(session: windrow.Session) -> None:
    rows = [{"text": text, "label": label, "answer": "accept", "_input_hash": 1} for text, label, _ in ROWS]
    rows[0]["answer"] = "reject"
    content = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    with pytest.warns(WindrowWarning) as warned:
        made = session.fit_file("mails_v1", content, num_iterations=0)
    assert made.num_examples == 5
    assert "rows_left_out" in [each.message.code for each in warned]  # type: ignore[union-attr]


def test_an_option_that_is_unknown_or_wrong_is_refused(session: windrow.Session) -> None:
    with pytest.raises(TypeError, match=r"fit_file\(\) got an unexpected keyword argument 'num_iteration'"):
        session.fit_file("mails_v1", table(ROWS), num_iteration=0)
    with pytest.raises(InvalidParameter, match="splits is dev, none of train, validation, test"):
        session.fit_file("mails_v1", table(ROWS), splits=["dev"])  # type: ignore[list-item]


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_a_client_of_coroutines_does_the_same(toy: Toy) -> None:
    async def fit(url: str) -> windrow.FileFit:
        async with AsyncClient(url) as client:
            return await client.fit_file("mails_v1", table(ROWS), split_column="part", num_iterations=0)

    with serving(toy, toy.settings) as url:
        made = asyncio.run(fit(url))
    assert (made.num_examples, made.evaluation is not None) == (4, True)


def test_rows_that_are_wrong_are_left_out_where_that_is_wanted(session: windrow.Session) -> None:
    content = table(ROWS) + b",refund,train\n"
    with pytest.raises(InvalidFile, match=r"line 8: the text is blank\..* Pass skip_bad_rows=True"):
        session.fit_file("mails_v1", content, num_iterations=0)
    with pytest.warns(WindrowWarning) as warned:
        made = session.fit_file("mails_v1", content, skip_bad_rows=True, num_iterations=0)
    assert made.num_examples == 6
    assert "Left out of the file: 1 row that is wrong. Line 8: the text is blank." in "".join(
        str(each.message) for each in warned
    )
    found = windrow.read_examples(content, skip_bad_rows=True)
    assert (len(found.texts), found.num_left_out, found.left_out[0].line) == (6, 1, 8)


@pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")
def test_labels_that_look_alike_are_merged_where_that_is_wanted(session: windrow.Session) -> None:
    content = table([*ROWS, ("no money", "Refund", "train")])
    assert session.fit_file("mails_v1", content, num_iterations=0).labels == ("Refund", "login", "refund")
    merged = session.fit_file("mails_v1", content, merge_labels=True, num_iterations=0)
    assert merged.rows_per_label == {"login": 3, "refund": 4}
    columns = session.fit("mails_v2", ["a", "b", "c"], ["x", "X", "y"], merge_labels=True, num_iterations=0)
    assert columns.labels == ("x", "y")
