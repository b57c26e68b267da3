"""Compressed bodies: what is unpacked, and what is refused."""

import gzip
import json
import socket

import httpx
import pytest

from tests.http.asking import FIT, FIT_PATH, JSON, MODEL, MODELS, check_problem, fit
from tests.http.conftest import SETTINGS
from windrow.http import content_encoding

GZIP = {"Content-Encoding": "gzip"}


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_compressed_body_is_unpacked(client: httpx.Client, encoding: str) -> None:
    packed = gzip.compress(json.dumps(FIT).encode())
    assert client.post(FIT_PATH, content=packed, headers={**JSON, "Content-Encoding": encoding}).status_code == 200


def test_a_compressed_body_may_have_several_members_and_arrive_in_any_pieces(client: httpx.Client) -> None:
    body = json.dumps(FIT).encode()
    packed = gzip.compress(body[:50]) + gzip.compress(body[50:])
    pieces = iter([packed[n : n + 1] for n in range(len(packed))])
    assert client.post(FIT_PATH, content=pieces, headers={**JSON, **GZIP}).status_code == 200


def test_a_compressed_body_may_not_have_very_many_members(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_encoding, "MAX_MEMBERS", 3)
    packed = gzip.compress(json.dumps(FIT).encode()) + gzip.compress(b" ") * 2
    assert client.post(FIT_PATH, content=packed, headers={**JSON, **GZIP}).status_code == 200
    reply = client.post(FIT_PATH, content=packed + gzip.compress(b""), headers={**JSON, **GZIP})
    problem = check_problem(reply, 400, "invalid_content_encoding")
    assert "more than 3 members" in str(problem["detail"])


def test_an_uploaded_file_may_be_compressed(client: httpx.Client) -> None:
    fit(client)
    packed = gzip.compress(client.get(f"{MODEL}/export").content)
    headers = {"Content-Type": "application/zip", **GZIP}
    reply = client.post(f"{MODELS}/import", params={"model_name": "unpacked"}, content=packed, headers=headers)
    assert reply.json()["status"] == "imported"


def test_identity_changes_nothing(client: httpx.Client) -> None:
    headers = {**JSON, "Content-Encoding": "identity"}
    assert client.post(FIT_PATH, content=json.dumps(FIT), headers=headers).status_code == 200


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_another_encoding_is_refused_and_the_header_named(client: httpx.Client, encoding: str) -> None:
    reply = client.post(FIT_PATH, content=b"{}", headers={**JSON, "Content-Encoding": encoding})
    problem = check_problem(reply, 415, "unsupported_media_type")
    assert problem["header"] == "Content-Encoding"
    assert reply.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("body", [b"{}", gzip.compress(b"{}")[:-3], gzip.compress(b"{}") + b"junk", b""])
def test_what_is_no_whole_gzip_is_refused(client: httpx.Client, body: bytes) -> None:
    reply = client.post(FIT_PATH, content=body, headers={**JSON, **GZIP})
    problem = check_problem(reply, 400, "invalid_content_encoding")
    assert "'Content-Encoding'" in str(problem["detail"])


def test_a_bomb_is_refused_at_the_limit_before_all_of_it_is_sent(client: httpx.Client) -> None:
    bomb = gzip.compress(bytes(SETTINGS.max_body_bytes + 1_000_000))
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
        connection.sendall(
            b"POST /v1/classifier/fit HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % (len(bomb) + 10) + bomb
        )
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_gzip_that_unpacks_to_nothing_is_refused_at_the_limit_as_it_arrives(client: httpx.Client) -> None:
    nothing = gzip.compress(b"") * 100
    pieces = (nothing for _ in range(SETTINGS.max_body_bytes // len(nothing) + 1))
    reply = client.post(FIT_PATH, content=pieces, headers={**JSON, **GZIP})
    check_problem(reply, 413, "body_too_large")
