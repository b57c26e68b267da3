"""Kill, damage and race as long as you like: ``python -m tests.storage.torture --kills 500 --race-seconds 60``.

The tests do it for a moment. A failure names the seed that it can be tried with again.
"""

import argparse
import logging
import secrets
import time
from functools import partial

from tests.object_stores.servers import moto, seaweedfs
from tests.storage.damages import damage_often
from tests.storage.killing import kill_often
from tests.storage.object_store.replica_deaths import kill_replicas
from tests.storage.object_store.replica_race import race_replicas
from tests.storage.racing import race
from tests.storage.server_deaths import kill_servers


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill and race processes on one data directory.")
    parser.add_argument("--kills", type=int, default=0, help="processes to kill, one after the other")
    parser.add_argument("--server-kills", type=int, default=0, help="servers to kill, two at a time")
    parser.add_argument(
        "--replica-kills", type=int, default=0, help="replicas of an object store to kill, two at a time"
    )
    parser.add_argument("--mutants", type=int, default=0, help="files to damage, each in a directory of its own")
    parser.add_argument("--race-seconds", type=float, default=0.0, help="how long to race")
    parser.add_argument("--replica-seconds", type=float, default=0.0, help="how long writers race on each store")
    parser.add_argument("--folder", help="where to make data directories; in memory if left out")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of all random choices")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # damage is told there, as it should be
    print(f"seed {given.seed}", flush=True)
    for count, torture in (
        (given.kills, kill_often),
        (given.server_kills, kill_servers),
        (given.replica_kills, kill_replicas),
        (given.mutants, damage_often),
        (given.race_seconds, race),
        (given.replica_seconds, partial(race_replicas, running=moto, writers=8)),
        # More writers stall SeaweedFS for long.
        (given.replica_seconds, partial(race_replicas, running=seaweedfs, writers=4)),
    ):
        if count:
            start_s = time.monotonic()
            print(f"{torture(count, given.seed, given.folder)} in {time.monotonic() - start_s:.1f} s", flush=True)


if __name__ == "__main__":
    main()
