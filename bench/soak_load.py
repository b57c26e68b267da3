"""The mixed load of a soak: what many users of one server do at the same time, each at its own pace.

Owns the users and what they expect; knows nothing of memory. Names are shared out so that no answer depends on who is
faster: `stable_…` are trained again and asked, `brief_…` come and go.
"""

import itertools
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from draws import TICKETS, tickets

API = "/v1/classifier"
ALIASES = ("live", "next")
# Of a trained adapter's updates: few, since a soak is about many trainings.
ADAPTER_ITERATIONS = 7
KEPT_REVISIONS = 3
_WORDS = sorted({word for texts in TICKETS.values() for text in texts for word in text.split()})


@dataclass
class Log:
    """What was asked: latencies by kind, and each answer that was not the expected one.

    Args:
        started: When it began, by the monotonic clock.
    """

    started: float = field(default_factory=time.monotonic)
    latencies_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Note how long something takes, or that it failed."""
        began = time.perf_counter()
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the soak goes on, and says so at its end
            with self.lock:
                self.errors.append(f"{time.monotonic() - self.started:.0f} s, {kind}: {error!r}"[:500])
        else:
            with self.lock:
                self.latencies_ms[kind].append(1_000 * (time.perf_counter() - began))


@dataclass
class User:
    """Somebody who does one thing after the other.

    Args:
        http: Its connection.
        log: Where its answers are noted.
        chance: Its own.
        stable: How many classifiers stay.
    """

    http: httpx.Client
    log: Log
    chance: random.Random
    stable: int

    def ask(self, kind: str, method: str, path: str, *expected: int, **more: Any) -> Any:
        """Send a request; return its reply's JSON, or ``None`` where it is none or was another than expected."""
        with self.log.timed(kind):
            reply = self.http.request(method, API + path, **more)
            if reply.status_code not in (expected or (200,)):
                raise RuntimeError(f"{method} {path}: {reply.status_code} {reply.text[:300]}")
            if reply.headers["content-type"] == "application/json":
                return reply.json()
        return None

    def name(self) -> str:
        """Return one of the classifiers that stay."""
        return f"stable_v{self.chance.randrange(self.stable) + 1}"

    def text(self) -> str:
        """Return a text: one of a few, or one that has never come."""
        if self.chance.random() < 0.3:
            return self.chance.choice(tickets())["text"]
        return " ".join(self.chance.choices(_WORDS, k=self.chance.randint(4, 20)))


def predict(user: User) -> None:
    """Ask for one text, for several, of several classifiers, or by an alias, which all must be scores."""
    form = user.chance.choices(("one text", "texts", "classifiers", "alias"), weights=(6, 1, 1, 1))[0]
    asked: dict[str, Any] = {"model_name": user.name(), "text": user.text()}
    if form == "texts":
        asked = {"model_name": user.name(), "texts": [user.text() for _ in range(8)]}
    if form == "classifiers":
        asked = {"model_names": sorted({user.name() for _ in range(8)}), "text": user.text()}
    if form == "alias":
        asked["model_name"] = user.chance.choice(ALIASES)
    reply = user.ask(f"predict, {form}", "POST", "/predict", json=asked)
    answers = (reply or {}).get("predictions", [reply] if reply else [])
    for answer in answers:
        if abs(sum(answer["scores"].values()) - 1) > 1e-3:
            user.log.errors.append(f"scores that sum to something else: {answer}"[:500])


def train(user: User) -> None:
    """Train a classifier anew, now and then with an adapter; every third one is followed by its events.

    Its oldest revisions are purged, so that what the server knows does not grow.
    """
    name = user.name()
    shown = user.ask("show", "GET", f"/models/{name}")
    for revision in shown["revisions"][:-KEPT_REVISIONS] if shown else ():
        user.ask("purge a revision", "DELETE", f"/models/{name}@{revision}", params={"purge": "true"})
    asked = fit_request(user, name)
    if user.chance.random() < 2 / 3:
        user.ask("fit", "POST", "/fit", json=asked)
        return
    job = user.ask("fit, started", "POST", "/fit", 202, params={"wait": "false"}, json=asked)
    if job:
        with user.log.timed("events, to the end"):
            follow(user.http, job["id"])


def fit_request(user: User, name: str) -> dict[str, Any]:
    """Return a training of a few rows of the tickets."""
    rows = [row for label in TICKETS for row in user.chance.sample(tickets_of(label), 4)]
    num_iterations = ADAPTER_ITERATIONS if user.chance.random() < 0.1 else 0
    return {"model_name": name, "training_data": rows, "num_iterations": num_iterations}


def tickets_of(label: str) -> list[dict[str, str]]:
    """Return the tickets of one label."""
    return [row for row in tickets() if row["label"] == label]


def follow(http: httpx.Client, job_id: str) -> None:
    """Read a job's events to their end, which must be a success."""
    with http.stream("GET", f"{API}/jobs/{job_id}/events") as reply:
        states = [line.removeprefix("event: ") for line in reply.iter_lines() if line.startswith("event: ")]
    if reply.status_code != 200 or states[-1:] != ["succeeded"]:
        raise RuntimeError(f"job {job_id}: {reply.status_code}, {states}")


def come_and_go(user: User) -> None:
    """Have a classifier come by a copy or a file, be asked, promoted, deleted, restored and purged."""
    name = f"brief_{user.chance.randrange(10**9)}"
    if user.chance.random() < 0.5:
        user.ask("copy", "POST", f"/models/{user.name()}/copy", json={"new_name": name})
    else:
        export_and_import(user, name)
    user.ask("predict, first", "POST", "/predict", json={"model_name": name, "text": user.text()})
    user.ask("describe", "PATCH", f"/models/{name}", json={"description": "It goes soon.", "tags": ["brief"]})
    user.ask("promote", "PUT", f"/aliases/{name}_alias", json={"model_name": name})
    user.ask("remove alias", "DELETE", f"/aliases/{name}_alias")
    user.ask("delete", "DELETE", f"/models/{name}")
    user.ask("restore", "POST", f"/models/{name}/restore")
    user.ask("purge", "DELETE", f"/models/{name}", params={"purge": "true"})


def export_and_import(user: User, name: str) -> None:
    """Take a classifier out, with its rows, and in again by another name."""
    file = b""
    with user.log.timed("export"):
        parameters = {"include_training_data": "true"}
        file = user.http.get(f"{API}/models/{user.name()}/export", params=parameters).raise_for_status().content
    if file:
        headers = {"Content-Type": "application/zip"}
        user.ask("import", "POST", "/models/import", params={"model_name": name}, content=file, headers=headers)


def promote(user: User) -> None:
    """Point an alias elsewhere, and every other time back."""
    alias = user.chance.choice(ALIASES)
    user.ask("promote", "PUT", f"/aliases/{alias}", json={"model_name": user.name(), "reason": "a soak"})
    if user.chance.random() < 0.5:
        # Nothing is left to take back where it was pointed to what it pointed to.
        user.ask("roll back", "POST", f"/aliases/{alias}/rollback", 200, 409)
    if user.chance.random() < 0.2:
        user.ask("evaluate", "POST", "/evaluate", json={"model_name": user.name(), "test_data": tickets()})


def look(user: User) -> None:
    """Look at lists and pages."""
    paths = ("/models", "/models?limit=20&sort=-created_at", "/models?full=true&limit=5", "/jobs", "/aliases", "/usage")
    user.ask("list", "GET", user.chance.choice((*paths, "/base-models", f"/models/{user.name()}")))


# What is refused, with the status of the refusal.
REFUSED: Sequence[tuple[int, str, str, dict[str, Any]]] = (
    (404, "POST", "/predict", {"json": {"model_name": "nobody", "text": "hello"}}),
    (422, "POST", "/predict", {"json": {"model_name": "stable_v1", "text": " "}}),
    (422, "POST", "/fit", {"json": {"model_name": "a/b", "training_data": []}}),
    (400, "POST", "/fit", {"content": b'{"model_name": ', "headers": {"Content-Type": "application/json"}}),
    (415, "POST", "/fit", {"content": b"x" * 1_000, "headers": {"Content-Type": "text/csv"}}),
    (422, "POST", "/models/import", {"content": b"x" * 100_000, "headers": {"Content-Type": "application/zip"}}),
    (405, "PATCH", "/predict", {}),
    (404, "GET", "/jobs/nobody/events", {}),
    (413, "POST", "/aliases/live/rollback", {"json": {"reason": "x" * 1_100_000}}),
    (421, "GET", "/models", {"headers": {"Host": "evil.example"}}),
)


def be_refused(user: User) -> None:
    """Send something that is refused."""
    status, method, path, more = user.chance.choice(REFUSED)
    user.ask(f"refused, {status}", method, path, status, **more)


# Who there is, and how many seconds each rests, on average, between two deeds.
USERS: Sequence[tuple[Callable[[User], None], float]] = (
    (predict, 0.15),
    (predict, 0.15),
    (predict, 0.3),
    (train, 2.0),
    (come_and_go, 1.5),
    (promote, 2.0),
    (look, 0.7),
    (be_refused, 0.7),
)


def prepare(url: str, log: Log, stable: int) -> None:
    """Train the classifiers that stay, and point the aliases at two of them."""
    with httpx.Client(base_url=url, timeout=600) as http:
        user = User(http, log, random.Random(0), stable)
        for number in range(1, stable + 1):
            user.ask("fit", "POST", "/fit", json=fit_request(user, f"stable_v{number}"))
        for alias in itertools.islice(itertools.cycle(ALIASES), 2 * len(ALIASES)):
            user.ask("promote", "PUT", f"/aliases/{alias}", json={"model_name": user.name()})
    if log.errors:
        raise RuntimeError("\n".join(log.errors))


@contextmanager
def running_users(url: str, log: Log, stable: int) -> Iterator[None]:
    """Let all users do what they do until the block ends."""
    done = threading.Event()

    def live(number: int, act: Callable[[User], None], pause_s: float) -> None:
        chance = random.Random(number + 1)
        with httpx.Client(base_url=url, timeout=120) as http:
            user = User(http, log, chance, stable)
            while not done.wait(chance.expovariate(1 / pause_s)):
                act(user)

    with ThreadPoolExecutor(len(USERS)) as threads:
        lives = [threads.submit(live, number, *each) for number, each in enumerate(USERS)]
        try:
            yield
        finally:
            done.set()
    for each in lives:
        each.result()


def final_check(url: str) -> dict[str, Any]:
    """Return what fsck says once everybody has gone."""
    with httpx.Client(base_url=url, timeout=600) as http:
        found: dict[str, Any] = json.loads(http.post(f"{API}/fsck").raise_for_status().content)
    return found
