"""Exports and imports over a real socket."""

import io
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from tests.http.asking import FIT_PATH, MODEL, MODELS, PREDICT, PREDICT_PATH, ROWS, TIME, check_problem, fit
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME
from windrow.domain.archive import Export
from windrow.domain.errors import StorageFailed

IMPORT = f"{MODELS}/import"
ZIP = {"Content-Type": "application/zip"}


def _export(client: httpx.Client, **query: str) -> bytes:
    reply = client.get(f"{MODEL}/export", params=query)
    assert reply.status_code == 200
    return reply.content


def test_an_export_is_a_file_with_a_name_and_a_size_and_without_texts(client: httpx.Client) -> None:
    fit(client)
    with client.stream("GET", f"{MODEL}/export") as reply:
        pieces = list(reply.iter_raw())
    assert reply.headers["content-type"] == "application/zip"
    assert reply.headers["content-disposition"] == f'attachment; filename="{EXAMPLE_NAME}.windrow"'
    assert int(reply.headers["content-length"]) == len(b"".join(pieces))
    assert "transfer-encoding" not in reply.headers
    assert not any(row["text"].encode() in b"".join(pieces) for row in ROWS)


def test_an_export_brings_the_classifier_to_another_name_with_its_origin(client: httpx.Client) -> None:
    fit(client, EXAMPLE_NAME, EXAMPLE_NAME)
    reply = client.post(IMPORT, params={"model_name": "taken_in"}, content=_export(client), headers=ZIP).json()
    assert (reply["status"], reply["name"], reply["import_warnings"]) == ("imported", "taken_in", [])
    origin = reply["origin"]
    assert (origin["name"], origin["revision"]) == (EXAMPLE_NAME, 2)
    assert TIME.fullmatch(origin["imported_at"])
    there, here = (
        client.post(PREDICT_PATH, json={**PREDICT, "model_name": name}).json() for name in (EXAMPLE_NAME, "taken_in")
    )
    assert here["scores"] == there["scores"]
    assert client.get(f"{MODELS}/taken_in").json()["origin"] == reply["origin"]


@pytest.mark.parametrize("media_type", ["application/zip", "application/octet-stream", "Application/ZIP; a=b"])
def test_a_file_is_taken_in_under_its_own_name_whichever_way_it_is_declared(
    client: httpx.Client, media_type: str
) -> None:
    fit(client)
    file = _export(client)
    client.delete(MODEL)
    reply = client.post(IMPORT, content=file, headers={"Content-Type": media_type})
    assert reply.json()["name"] == EXAMPLE_NAME
    assert client.get(MODEL).status_code == 200


def test_a_dry_run_checks_everything_and_saves_nothing(client: httpx.Client) -> None:
    fit(client)
    query = {"model_name": "b", "dry_run": "true"}
    reply = client.post(IMPORT, params=query, content=_export(client), headers=ZIP).json()
    assert (reply["status"], reply["name"]) == ("dry_run", "b")
    check_problem(client.get(f"{MODELS}/b"), 404, "classifier_not_found")
    check_problem(client.post(IMPORT, params=query, content=b"no export", headers=ZIP), 422, "invalid_archive")


def test_an_existing_name_is_taken_only_where_the_import_says_so(client: httpx.Client) -> None:
    fit(client)
    file = _export(client)
    check_problem(client.post(IMPORT, content=file, headers=ZIP), 409, "classifier_exists")
    assert client.get(MODEL).json()["revisions"] == [1]
    reply = client.post(IMPORT, params={"overwrite": "true"}, content=file, headers=ZIP).json()
    assert reply["revision"] == 2


@pytest.mark.parametrize(
    ("query", "content", "code"),
    [
        ({}, b"", "invalid_archive"),
        ({}, b"no export", "invalid_archive"),
        ({"model_name": "a/b"}, None, "invalid_name"),
        ({"model_name": "tickets@latest"}, None, "invalid_name"),
        ({"overwrite": "yes"}, None, "invalid_parameter"),
        ({"dry_run": ""}, None, "invalid_parameter"),
    ],
)
def test_an_import_that_cannot_be_saves_nothing(
    client: httpx.Client, query: dict[str, str], content: bytes | None, code: str
) -> None:
    fit(client)
    file = _export(client) if content is None else content
    check_problem(client.post(IMPORT, params=query, content=file, headers=ZIP), 422, code)
    assert len(client.get(MODELS).json()["models"]) == 1


@pytest.mark.parametrize(
    ("name", "query", "status", "code"),
    [
        ("other", {}, 404, "classifier_not_found"),
        (f"{EXAMPLE_NAME}@9", {}, 404, "revision_not_found"),
        ("a%2Fb", {}, 422, "invalid_name"),
        (EXAMPLE_NAME, {"include_training_data": "yes"}, 422, "invalid_parameter"),
        (EXAMPLE_NAME, {"to": "pickle"}, 422, "invalid_parameter"),
        (EXAMPLE_NAME, {"to": "onnx", "include_training_data": "true"}, 422, "invalid_parameter"),
    ],
)
def test_an_export_that_cannot_be_is_a_problem_and_no_file(
    client: httpx.Client, name: str, query: dict[str, str], status: int, code: str
) -> None:
    fit(client)
    check_problem(client.get(f"{MODELS}/{name}/export", params=query), status, code)


def test_the_training_rows_go_along_where_they_are_asked_for_and_were_kept(
    client: httpx.Client, operations: Toy
) -> None:
    operations.keeps_rows = False
    fit(client, "other")
    check_problem(
        client.get(f"{MODELS}/other/export", params={"include_training_data": "true"}), 409, "training_data_not_kept"
    )
    operations.keeps_rows = True
    fit(client)
    without, with_rows = (
        zipfile.ZipFile(io.BytesIO(_export(client, include_training_data=rows))) for rows in ("0", "1")
    )
    assert len(with_rows.namelist()) == len(without.namelist()) + 1


def test_an_export_that_breaks_off_is_seen_to_be_cut_short_and_the_server_goes_on(
    client: httpx.Client, operations: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a" * 70_000
        raise StorageFailed("The disk is gone. Look at it.")

    fit(client)
    monkeypatch.setattr(operations, "export", lambda request: Export("a.windrow", 100_000, chunks()))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"{MODEL}/export")
    assert client.get("/health").status_code == 200


def test_a_client_that_leaves_within_an_export_harms_nobody(
    client: httpx.Client, operations: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = 10_000
    given: list[int] = []

    def chunks() -> Iterator[bytes]:
        for number in range(pieces):
            given.append(number)
            yield b"a" * 65_536

    fit(client)
    size_bytes = pieces * 65_536
    monkeypatch.setattr(operations, "export", lambda request: Export("a", size_bytes, chunks()))
    with client.stream("GET", f"{MODEL}/export") as reply:
        next(reply.iter_raw())
    assert client.get("/health").status_code == 200
    assert len(given) < pieces


def test_a_classifier_may_be_called_import_or_export(client: httpx.Client) -> None:
    for name in ("import", "export", "restore"):
        fit(client, name)
        assert client.get(f"{MODELS}/{name}").json()["name"] == name
        assert client.get(f"{MODELS}/{name}/export").status_code == 200
        assert client.delete(f"{MODELS}/{name}").json()["model_name"] == name
        assert client.post(f"{MODELS}/{name}/restore").json()["name"] == name
    assert client.post(FIT_PATH, json={}).status_code == 422
