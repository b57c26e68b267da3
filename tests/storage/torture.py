"""Kill and race for as long as you like: ``python -m tests.storage.torture --kills 500 --race-seconds 60``.

The tests do it for a moment. A failure names the seed that it can be tried with again.
"""

import argparse
import secrets
import time

from tests.storage.killing import kill_often
from tests.storage.racing import race


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill and race processes on one data directory.")
    parser.add_argument("--kills", type=int, default=0, help="processes to kill, one after the other")
    parser.add_argument("--race-seconds", type=float, default=0.0, help="how long to race")
    parser.add_argument("--folder", help="where to make data directories; in memory if left out")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of all random choices")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    if given.kills:
        start_s = time.monotonic()
        print(f"{kill_often(given.kills, given.seed, given.folder)} in {time.monotonic() - start_s:.1f} s", flush=True)
    if given.race_seconds:
        start_s = time.monotonic()
        print(f"{race(given.race_seconds, given.seed, given.folder)} in {time.monotonic() - start_s:.1f} s", flush=True)


if __name__ == "__main__":
    main()
