"""Replace two servers of an older checkout one after the other under load, and go back, as docs/how-to/upgrade.md says.

The older checkout trains some classifiers, and copies them until there are a thousand. Two of its servers share the
data directory, as behind a load balancer: a client that gets no answer, or an error, from one asks the other once. Then
each server is replaced by one of this checkout, and later by one of the older checkout again. Counted are the requests
that failed at first, those that a second attempt did not mend, and answers that are not those from before.

Run: make bench-upgrade OTHER=/path/to/an/older/checkout
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from draws import tickets
from versus import HERE, environment_of, post, running

TRAINED = 5
CLIENTS = 4
PAUSE_S = 0.01  # of a client between two requests
BETWEEN_S = 5.0  # between two steps, so that each state is under load for a while
LISTED_EVERY = 50
TEXTS = ("I was charged twice", "the app crashes when I open it", "how do I change my address", "cancel my plan")


@dataclass(slots=True)
class Load:
    """Clients that ask one of two servers, and the other one where that does not answer.

    Args:
        addresses: The servers that stand behind the load balancer now.
        names: The classifiers that are asked.
    """

    addresses: list[str]
    names: list[str]
    step: str = "before"
    requests: Counter[str] = field(default_factory=Counter)
    retried: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seed: int) -> None:
        """Ask until :meth:`end`."""
        order = random.Random(seed)
        count = 0
        while not self._is_over.is_set():
            count += 1
            name, text = order.choice(self.names), order.choice(TEXTS)
            first, second = order.sample(self.addresses, 2)
            step = self.step
            is_list = count % LISTED_EVERY == 0
            answer = listed(first) if is_list else label_of(first, name, text)
            was_retried = answer is None
            if was_retried:
                answer = listed(second) if is_list else label_of(second, name, text)
            with self._lock:
                self.requests[step] += 1
                self.retried[step] += was_retried
                self.failed[step] += answer is None
                if not is_list and answer is not None:
                    self.changed[step] += self.answers.setdefault((name, text), answer) != answer
            time.sleep(PAUSE_S)

    def end(self) -> None:
        """Stop all clients after their current request."""
        self._is_over.set()


def label_of(address: str, name: str, text: str) -> str | None:
    """Return a classifier's label for a text; ``None`` where the server gives no answer."""
    return asked(address, "POST", "/v1/classifier/predict", {"model_name": name, "text": text}, "label")


def listed(address: str) -> str | None:
    """Return how many classifiers a page of the list has, in words; ``None`` where the server gives no answer."""
    found = asked(address, "GET", "/v1/classifier/models?limit=20", None, "models")
    return None if found is None else str(len(found))


def asked(address: str, method: str, path: str, body: object, key: str) -> str | None:
    """Send a request on a connection of its own, and return a value of the reply; ``None`` if there is none."""
    connection = HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    if reply.status != 200:
        return None
    value: str = json.loads(content)[key]
    return value


def made_by(checkout: Path, data_dir: Path, classifiers: int) -> list[str]:
    """Have a checkout train some classifiers, and copy them under further names; returns all names."""
    with running(checkout, data_dir) as (url, _, _):
        for number in range(TRAINED):
            iterations = 0 if number else 2
            request = {"model_name": f"trained_v{number}", "training_data": tickets(), "num_iterations": iterations}
            post(HTTPConnection(url, timeout=600), "fit", {**request, "seed": number})
        names = [f"trained_v{number}" for number in range(TRAINED)]
        connection = HTTPConnection(url, timeout=600)
        for number in range(classifiers - TRAINED):
            names.append(f"copied_v{number}")
            body = json.dumps({"new_name": names[-1]})
            path = f"/v1/classifier/models/{names[number % TRAINED]}/copy"
            connection.request("POST", path, body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
            assert reply.status == 200, content
    return names


def fsck(checkout: Path, data_dir: Path) -> str:
    """Check a data directory with a checkout's own command, and return how it ended."""
    command = [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(data_dir), "--json"]
    done = subprocess.run(command, env=environment_of(checkout), capture_output=True, text=True, check=False)
    if not done.stdout:
        return done.stderr
    findings = Counter(f"{each['severity']} {each['code']}" for each in json.loads(done.stdout)["findings"])
    return f"exit code {done.returncode}, findings: {dict(findings)}"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, help="the older checkout")
    parser.add_argument("--classifiers", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        data_dir = Path(temporary) / "data"
        names = made_by(options.other, data_dir, options.classifiers)
        places = [stack.enter_context(ExitStack()) for _ in range(2)]
        addresses = [place.enter_context(running(options.other, data_dir))[0] for place in places]
        load = Load(addresses, names)
        clients = [threading.Thread(target=load.run, args=(seed,)) for seed in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            time.sleep(BETWEEN_S)
            for step, checkout in (("upgrade", HERE), ("back", options.other)):
                for number, place in enumerate(places):
                    load.step = f"{step} {number + 1}"
                    place.close()
                    load.addresses[number] = place.enter_context(running(checkout, data_dir))[0]
                    time.sleep(BETWEEN_S)
                for who, checker in (("this", HERE), ("the older", options.other)):
                    print(f"after {step}, fsck of {who} checkout: {fsck(checker, data_dir)}", flush=True)
        finally:
            load.end()
            for client in clients:
                client.join()
    print(f"\n{'step':<10} {'requests':>9} {'retried':>8} {'failed after one retry':>23} {'other label':>12}")
    for step in load.requests:
        counts = (load.requests, load.retried, load.failed, load.changed)
        print(f"{step:<10} {counts[0][step]:>9} {counts[1][step]:>8} {counts[2][step]:>23} {counts[3][step]:>12}")
    sys.exit(1 if load.failed.total() or load.changed.total() else 0)


if __name__ == "__main__":
    main()
