"""Bodies of the largest size that mean nothing: refused in little memory, while everybody else is answered."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.hostile.conftest import StartVictim, Victim
from tests.http.asking import ALIASES, API, FIT_PATH, JSON, MODEL, PREDICT, PREDICT_PATH, check_problem, fit
from windrow.api.endpoints import MAX_SMALL_BODY_BYTES

pytestmark = pytest.mark.slow
SIZE_BYTES = 31_000_000
# A body stands in memory twice for a moment, as pieces and whole, and then as text.
MARGIN_BYTES = 300 * 2**20
# Far more than anybody waits beside it, and far less than the seconds for which these bodies held up everybody.
MARGIN_S = 0.5


def _many(element: bytes, before: bytes = b"[", after: bytes = b"0]") -> bytes:
    return before + element * (SIZE_BYTES // len(element)) + after


ROWS_OF = b'{"model_name":"a","training_data":['
# What is sent to which path, and how it is refused.
BODIES: dict[str, tuple[str, Callable[[], bytes], int, str]] = {
    "lists": (PREDICT_PATH, lambda: _many(b"[],"), 422, "limit_exceeded"),
    "lists in lists": (PREDICT_PATH, lambda: _many(b"[[[]]],"), 422, "limit_exceeded"),
    "objects in objects": (PREDICT_PATH, lambda: _many(b'{"a":{}},'), 422, "limit_exceeded"),
    "numbers": (PREDICT_PATH, lambda: _many(b"1,"), 422, "limit_exceeded"),
    "texts": (PREDICT_PATH, lambda: _many(b'"",', b'{"model_name":"a","texts":[', b'""]}'), 422, "limit_exceeded"),
    "one string": (PREDICT_PATH, lambda: _many(b"a", b'{"model_name":"a","text":"', b'"}'), 422, "limit_exceeded"),
    "escapes": (PREDICT_PATH, lambda: _many(rb"\u0041", b'{"model_name":"a","text":"', b'"}'), 422, "limit_exceeded"),
    "one number": (PREDICT_PATH, lambda: _many(b"1"), 400, "invalid_json"),
    "zeros": (PREDICT_PATH, lambda: bytes(SIZE_BYTES), 400, "invalid_json"),
    "empty rows": (FIT_PATH, lambda: _many(b"{},", ROWS_OF, b"{}]}"), 422, "limit_exceeded"),
    "rows of lists": (FIT_PATH, lambda: _many(b'{"text":[],"label":{}},', ROWS_OF, b"{}]}"), 422, "limit_exceeded"),
}


@contextmanager
def _asked_beside(victim: Victim) -> Iterator[list[float]]:
    """Ask for health and a small prediction all the time, and say how long each answer took."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            for method, path, body in (("GET", "/health", None), ("POST", PREDICT_PATH, PREDICT)):
                started = time.perf_counter()
                assert victim.client.request(method, path, json=body).status_code == 200
                waits.append(time.perf_counter() - started)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        try:
            yield waits
        finally:
            done.set()
            asking.result()


def test_a_large_body_of_anything_is_refused_in_little_memory_while_others_are_answered(
    start_victim: StartVictim,
) -> None:
    victim = start_victim()
    fit(victim.client)
    with _asked_beside(victim) as alone:
        time.sleep(1)
    for what, (path, make, status, code) in BODIES.items():
        body = make()
        before = victim.forget_peak()
        with _asked_beside(victim) as waits:
            check_problem(victim.client.post(path, content=body, headers=JSON), status, code)
        assert victim.peak_bytes() - before < MARGIN_BYTES, what
        assert max(waits) < max(alone) + MARGIN_S, what


def test_many_large_bodies_at_once_are_told_to_come_again_and_small_ones_are_answered(
    start_victim: StartVictim,
) -> None:
    victim = start_victim(WINDROW_MAX_PENDING_BODY_BYTES="40000000")
    fit(victim.client)
    body = _many(b'"a",', b'{"model_name":"a","texts":[', b'""]}')
    before = victim.forget_peak()
    with ThreadPoolExecutor(8) as pool, _asked_beside(victim) as waits:
        replies = list(pool.map(lambda _: victim.client.post(PREDICT_PATH, content=body, headers=JSON), range(8)))
    codes = [reply.json()["code"] for reply in replies]
    assert set(codes) == {"limit_exceeded", "overloaded"}
    for reply in replies:
        if reply.json()["code"] == "overloaded":
            assert check_problem(reply, 429, "overloaded")["setting"] == "WINDROW_MAX_PENDING_BODY_BYTES"
            assert int(reply.headers["Retry-After"]) >= 1
    assert victim.peak_bytes() - before < MARGIN_BYTES
    assert waits
    # All of the room was given back.
    check_problem(victim.client.post(PREDICT_PATH, content=body, headers=JSON), 422, "limit_exceeded")


def test_a_verb_without_rows_or_texts_takes_no_large_body(start_victim: StartVictim) -> None:
    victim = start_victim()
    for method, path in (
        ("PATCH", MODEL),
        ("POST", f"{MODEL}/copy"),
        ("POST", f"{MODEL}/restore"),
        ("POST", f"{MODEL}/reproduce"),
        ("POST", f"{API}/fsck"),
        ("POST", f"{API}/jobs/a/cancel"),
        ("POST", f"{ALIASES}/a/rollback"),
    ):
        reply = victim.client.request(method, path, content=bytes(MAX_SMALL_BODY_BYTES + 1), headers=JSON)
        assert check_problem(reply, 413, "body_too_large")["limit"] == MAX_SMALL_BODY_BYTES, path
