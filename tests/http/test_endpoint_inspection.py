"""A file is sent to be looked at: query, body, types, limits and threads."""

import gzip
import socket
import threading

import httpx
import pytest

from tests.files.workbooks import Cell, workbook
from tests.http.asking import API, check_problem, fit, wait_until
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.http.context import ServerContext

INSPECT = f"{API}/inspect"
CSV = b"Subject,Body,Team\nHi,I was charged,billing\n,No bill,billing\n,,technical\n"
NAMES = {"filename": "mails.csv", "label_column": "Team"}


def test_a_file_is_read_as_its_query_says(client: httpx.Client) -> None:
    query = {**NAMES, "text_column": "Subject,Body", "include_values": "true"}
    found = client.post(INSPECT, params=query, content=CSV, headers={"Content-Type": "text/csv"}).json()
    assert found["rows"] == [
        {
            "line": 2,
            "text": "Hi\n\nI was charged",
            "label": "billing",
            "values": {"Subject": "Hi", "Body": "I was charged", "Team": "billing"},
            "labels": None,
            "split": None,
            "id": "",
        },
        {
            "line": 3,
            "text": "No bill",
            "label": "billing",
            "values": {"Subject": "", "Body": "No bill", "Team": "billing"},
            "labels": None,
            "split": None,
            "id": "",
        },
    ]
    told = "the text is blank. Fill it in or remove that row."
    assert found["problems"] == [{"line": 4, "detail": told, "id": "", "template": "", "facts": {}}]
    assert (found["format"], found["delimiter"], found["has_header"]) == ("csv", ",", True)
    assert (found["text_columns"], found["label_column"]) == (["Subject", "Body"], "Team")
    assert (found["num_rows"], found["num_problems"], found["rows_per_label"]) == (2, 1, {"billing": 2})
    assert found["columns"][0] == {"name": "Subject", "examples": ["Hi"], "distinct": 1}


def test_a_column_may_be_named_in_one_parameter_or_in_several(client: httpx.Client) -> None:
    queries = ("text_column=Subject%2CBody", "text_column=Subject&text_column=Body")
    said = [client.post(f"{INSPECT}?filename=a.csv&{query}", content=CSV).json() for query in queries]
    assert said[0] == said[1]
    assert said[0]["text_columns"] == ["Subject", "Body"]
    reply = client.post(f"{INSPECT}?header=true&header=true", content=CSV)
    check_problem(reply, 422, "invalid_request")


def test_the_digest_is_that_of_a_training_on_the_rows(client: httpx.Client) -> None:
    rows = [{"text": "I was charged", "label": "billing"}, {"text": "It crashes", "label": "technical"}]
    fit(client, "looked_at_v1", training_data=rows)
    content = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows)
    found = client.post(INSPECT, params={"filename": "a.csv"}, content=content.encode()).json()
    assert found["sha256"] == client.get(f"{API}/models/looked_at_v1").json()["training_data_sha256"]


def test_a_question_is_no_error(client: httpx.Client) -> None:
    found = client.post(INSPECT, params={"filename": "a.csv"}, content=b"title,summary\na,b\n").json()
    assert found["text_columns"] == found["rows"] == []
    told = "'title', 'summary' could all hold the text."
    assert found["questions"] == [{"parameter": "text_column", "detail": told, "choices": []}]


@pytest.mark.parametrize("media_type", ["", "text/csv; charset=utf-8", "application/vnd.ms-excel", "application/zip"])
def test_a_file_of_any_type_is_taken_as_it_is(client: httpx.Client, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    assert client.post(INSPECT, params={"filename": "a.csv"}, content=CSV, headers=headers).status_code == 200


def test_a_form_with_a_file_in_it_is_refused(client: httpx.Client) -> None:
    for reply in (client.post(INSPECT, files={"file": CSV}), client.post(INSPECT, data={"file": "a"})):
        document = check_problem(reply, 415, "unsupported_media_type")
        assert document["expected"] == ["application/octet-stream"]


@pytest.mark.parametrize(
    ("content", "query", "code", "detail"),
    [
        (b"PK\x03\x04", {"filename": "list.xlsx"}, "invalid_file", "list.xlsx: it is a damaged workbook"),
        (b"%PDF-1.7", {}, "invalid_file", "the file: it is a PDF document"),
        (b"", {}, "invalid_file", "the file: there is nothing in it."),
        (b"text\nx\xffx\x81x\xfe\n", {"filename": "a.csv"}, "invalid_file", "a.csv, line 2: the byte 0xff at offset 6"),
        (CSV, {"filename": "a.csv", "text_column": "none"}, "invalid_file", "a.csv: there is no column 'none'"),
        (CSV, {"format": "xls"}, "invalid_parameter", "format is none of csv, tsv, jsonl, json, txt, "),
        (CSV, {"format": "xlsx"}, "invalid_file", "the file: it looks like CSV, not like a workbook (.xlsx)."),
        (CSV, {"label_names": "0"}, "invalid_parameter", "label_names '0' is no label and its name."),
        (CSV, {"quoting": "all"}, "invalid_parameter", "quoting is none of csv, none."),
        (CSV, {"encoding": "none"}, "invalid_parameter", "none is no encoding of text."),
        (CSV, {"header": "maybe"}, "invalid_parameter", "header is neither true nor false."),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_words_of_http(
    client: httpx.Client, content: bytes, query: dict[str, str], code: str, detail: str
) -> None:
    document = check_problem(client.post(INSPECT, params=query, content=content), 422, code)
    assert str(document["detail"]).startswith(detail)
    assert "--" not in str(document["detail"])


def test_a_refused_file_is_told_with_the_parameter_that_reads_it(client: httpx.Client) -> None:
    reply = client.post(INSPECT, params={"filename": "a.txt"}, content=b"a\tb\nc\td\n")
    document = check_problem(reply, 422, "invalid_file")
    assert document["parameter"] == "format"
    assert str(document["detail"]).endswith("if the tabs part columns, add format=tsv.")


def test_a_file_has_the_limits_of_a_training(client: httpx.Client) -> None:
    limit = SETTINGS.max_body_bytes
    document = check_problem(client.post(INSPECT, content=b"x" * (limit + 1)), 413, "body_too_large")
    assert (document["limit"], document["setting"]) == (limit, "WINDROW_MAX_BODY_BYTES")
    document = check_problem(client.post(INSPECT, content=gzip.compress(b"x" * (limit + 1))), 422, "limit_exceeded")
    assert document["setting"] == "WINDROW_MAX_BODY_BYTES"
    rows = b"x\n" * (SETTINGS.limits.max_rows + 1)
    document = check_problem(client.post(INSPECT, content=rows), 422, "limit_exceeded")
    assert (document["limit"], document["setting"]) == (SETTINGS.limits.max_rows, "WINDROW_MAX_ROWS")


def test_a_compressed_body_is_unpacked_and_so_is_a_compressed_file(client: httpx.Client) -> None:
    headers = {"Content-Encoding": "gzip"}
    plain = client.post(INSPECT, params=NAMES, content=CSV).json()
    assert client.post(INSPECT, params=NAMES, content=gzip.compress(CSV), headers=headers).json() == plain
    named = {**NAMES, "filename": "mails.csv.gz"}
    assert client.post(INSPECT, params=named, content=gzip.compress(CSV)).json() == plain


def test_a_page_of_another_site_cannot_have_a_file_read(client: httpx.Client) -> None:
    reply = client.post(INSPECT, content=CSV, headers={"Origin": "https://evil.example", "Content-Type": "text/plain"})
    check_problem(reply, 403, "cross_site_request")


def test_a_file_is_read_in_the_threads_of_large_bodies(
    client: httpx.Client, operations: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    inspect = operations.inspect

    def watched(*given: object) -> object:
        threads.append(threading.current_thread().name)
        return inspect(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(operations, "inspect", watched)
    assert client.post(INSPECT, content=CSV, params=NAMES).status_code == 200
    assert [name.partition("_")[0] for name in threads] == ["parse"]


def test_a_client_that_leaves_while_it_sends_a_file_leaves_no_room_taken(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[ServerContext] = []
    monkeypatch.setattr(ServerContext, "run", _keeping(contexts))
    assert client.post(INSPECT, content=CSV, params=NAMES).status_code == 200
    (bodies,) = {id(context): context.bodies for context in contexts}.values()
    head = b"POST /v1/classifier/inspect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000\r\n\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(head + b"x" * 10_000)
        wait_until(lambda: bodies.held_bytes > 0)
    wait_until(lambda: bodies.held_bytes == 0)


def _keeping(contexts: list[ServerContext]) -> object:
    run = ServerContext.run

    async def kept(self: ServerContext, *given: object) -> object:
        contexts.append(self)
        return await run(self, *given)  # type: ignore[arg-type]

    return kept


def test_a_workbook_is_sent_as_it_is_and_its_sheet_named(client: httpx.Client) -> None:
    rows: list[list[Cell]] = [["id", "text", "label"], ["T-1", "I was charged", 0.0], ["T-2", "It crashes", 1.0]]
    content = workbook(rows, rows[:2], names=["May", "June"])
    asked = client.post(INSPECT, params={"filename": "mails.xlsx"}, content=content).json()
    assert (asked["questions"][0]["parameter"], asked["sheets"], asked["sheet"]) == ("sheet", ["May", "June"], None)
    query = {"filename": "mails.xlsx", "sheet": "May", "label_names": "0=billing,1=technical"}
    found = client.post(INSPECT, params=query, content=content).json()
    assert (found["format"], found["sheet"], found["questions"]) == ("xlsx", "May", [])
    assert [(row["id"], row["label"]) for row in found["rows"]] == [("T-1", "billing"), ("T-2", "technical")]


def test_a_file_of_a_german_excel_is_read_and_its_encoding_asked_about(client: httpx.Client) -> None:
    content = "Text;Label\nRückgabe der Ware;Retoure\n".encode("cp1252")
    found = client.post(INSPECT, params={"filename": "mails.csv"}, content=content).json()
    assert (found["encoding"], found["rows"][0]["text"]) == ("cp1252", "Rückgabe der Ware")
    assert [each["parameter"] for each in found["questions"]] == ["encoding"]
