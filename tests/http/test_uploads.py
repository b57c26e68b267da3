"""Bodies that are files: declared types, limits, clients that leave, and a full disk."""

import errno
import re
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.asking import MODEL, MODELS, check_problem, fit, read_head, wait_until
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.api.examples import EXAMPLE_NAME
from windrow.http import uploads

IMPORT = f"{MODELS}/import"
ZIP = {"Content-Type": "application/zip"}
HEAD = b"POST /v1/classifier/models/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"


@pytest.mark.slow
@pytest.mark.parametrize("media_type", ["", "application/json", "multipart/form-data; boundary=a", "text/plain"])
def test_another_type_gets_415_with_a_command_that_works_when_pasted(
    client: httpx.Client, media_type: str, tmp_path: Path
) -> None:
    fit(client)
    (tmp_path / "file.windrow").write_bytes(client.get(f"{MODEL}/export").content)
    reply = client.post(
        IMPORT, params={"model_name": "b c"}, content=b"{}", headers={"Content-Type": media_type} if media_type else {}
    )
    detail = str(check_problem(reply, 415, "unsupported_media_type")["detail"])
    command = detail[detail.index("curl ") :].replace("b+c", "b").replace("b%20c", "b")
    printed = subprocess.run(["sh", "-c", f"{command} -sS"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert '"status":"imported"' in printed.stdout
    assert client.get(f"{MODELS}/b").json()["origin"]["name"] == EXAMPLE_NAME


def test_a_file_at_the_limit_is_read_and_a_larger_one_is_told_the_limit_and_its_setting(client: httpx.Client) -> None:
    limit = SETTINGS.max_import_bytes
    check_problem(client.post(IMPORT, content=b" " * limit, headers=ZIP), 422, "invalid_archive")
    document = check_problem(client.post(IMPORT, content=b" " * (limit + 1), headers=ZIP), 413, "body_too_large")
    assert (document["limit"], document["setting"]) == (limit, "WINDROW_MAX_IMPORT_BYTES")


def test_a_file_that_declares_too_much_is_refused_before_any_of_it_is_sent(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(
            HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (SETTINGS.max_import_bytes + 1)
        )
        assert read_head(connection).startswith(b"HTTP/1.1 413 ")


def test_a_file_that_streams_too_much_without_declaring_it_is_refused_while_it_streams(client: httpx.Client) -> None:
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(SETTINGS.max_import_bytes // 0x1000 + 1):  # and the stream does not end
            connection.sendall(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
        assert read_head(connection).startswith(b"HTTP/1.1 413 ")


def test_a_file_larger_than_memory_should_hold_goes_to_the_disk_and_arrives_whole(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SPOOLED_BYTES", 10)
    fit(client)
    file = client.get(f"{MODEL}/export").content
    reply = client.post(IMPORT, params={"model_name": "b"}, content=iter([file[:100], file[100:]]), headers=ZIP)
    assert reply.json()["status"] == "imported"


def test_a_client_that_leaves_within_its_file_imports_nothing_and_harms_nobody(
    client: httpx.Client, operations: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def departures() -> str:
        return "".join(re.findall(r'.*_count{.*/models/import".*"499".*', client.get("/metrics").text))

    asked: list[object] = []
    monkeypatch.setattr(operations, "import_classifier", lambda *given: asked.append(given))
    before = departures()
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(HEAD + b"Content-Length: 500\r\n\r\nPK")
    wait_until(lambda: departures() != before)
    assert asked == []
    assert client.get(MODELS).json() == {"models": []}


@pytest.mark.parametrize(
    ("number", "status", "code"), [(errno.ENOSPC, 507, "storage_full"), (errno.EIO, 500, "storage_failed")]
)
def test_a_temporary_file_that_cannot_be_written_is_told_with_what_to_do(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, number: int, status: int, code: str
) -> None:
    class FullDisk(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, chunk: Any) -> int:
            raise OSError(number, "it went wrong")

    monkeypatch.setattr(uploads, "SpooledTemporaryFile", FullDisk)
    document = check_problem(client.post(IMPORT, content=b"PK", headers=ZIP), status, code)
    assert "TMPDIR" in str(document["detail"])
