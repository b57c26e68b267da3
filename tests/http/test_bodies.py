"""Bodies: how JSON is declared, and when a body may be left out."""

import json
import socket

import httpx
import pytest

from tests.http.asking import ALIASES, API, FIT, FIT_PATH, JSON, check_problem, wait_until


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/vnd.api+json",
        "application/json; indent=4",
    ],
)
def test_every_way_to_declare_json_in_utf_8_is_taken(client: httpx.Client, content_type: str) -> None:
    reply = client.post(FIT_PATH, content=json.dumps(FIT), headers={"Content-Type": content_type})
    assert reply.status_code == 200


@pytest.mark.parametrize("headers", [{}, JSON, {"Content-Type": "text/plain"}])
def test_a_body_that_may_be_left_out_may_be_left_out_whatever_is_declared(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    assert client.post(f"{API}/fsck", headers=headers).status_code == 200
    chunked = client.post(f"{API}/fsck", headers={**headers, **JSON}, content=iter([b""]))
    assert chunked.status_code == 200


def test_a_body_that_may_be_left_out_is_read_as_strictly_as_any_other_where_it_is_there(client: httpx.Client) -> None:
    check_problem(client.post(f"{API}/fsck", content=b"{}"), 415, "unsupported_media_type")
    check_problem(client.post(f"{API}/fsck", content=b"{", headers=JSON), 400, "invalid_json")
    check_problem(client.post(f"{API}/fsck", content=b"{}".ljust(20_001), headers=JSON), 413, "body_too_large")
    document = check_problem(client.post(f"{API}/fsck", json={"repiar": True}), 422, "invalid_request")
    assert str(document["detail"]).startswith("repiar is no field of this request; did you mean repair?")
    document = check_problem(client.post(f"{API}/fsck", json={"repair": "true"}), 422, "invalid_request")
    assert "repair must be true or false" in str(document["detail"])
    document = check_problem(client.post(f"{ALIASES}/a/rollback", json={"author": 1}), 422, "invalid_request")
    assert "author must be a string" in str(document["detail"])


def test_a_body_that_comes_in_pieces_is_read_as_one(client: httpx.Client) -> None:
    connection = socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30)
    body = json.dumps(FIT).encode()
    head = f"POST {FIT_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 100):
            connection.sendall(body[start : start + 100])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_leaves_within_a_short_body_is_no_error(client: httpx.Client) -> None:
    address = (client.base_url.host, client.base_url.port or 80)
    head = f"POST {FIT_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    counted = f'windrow_request_duration_seconds_count{{endpoint="{FIT_PATH}",method="POST",status="499"}}'
    before = _value(client, counted)
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(f'{head}Content-Length: 100\r\n\r\n{{"model_name"'.encode())
    wait_until(lambda: _value(client, counted) == before + 1)


def _value(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)
