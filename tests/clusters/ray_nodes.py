"""Run the nodes of a Ray cluster here: ``python -m tests.clusters.ray_nodes PORT CPUS CPUS …``, one for each node.

At the port, unless it is 0, the head lets clients in that are no part of the cluster. Prints the cluster's address,
then does what standard input says, a line each, and answers with a line: ``kill N`` ends node N as a power cut would,
``add CPUS`` starts another one. Ends with standard input, and takes every process along.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

# Paths of sockets must be short, which those of a test's own folder are not.
FOLDER, FOLDER_PREFIX = "/tmp", "wdr"
OBJECT_STORE_BYTES = 100_000_000
JOIN_TIMEOUT_S = 180
# That a node is gone shows within seconds rather than within half a minute; nobody is told that tests run.
VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_DISABLE_IMPORT_WARNING": "1",
}


def main() -> None:
    """Run until standard input ends."""
    os.environ.update(VARIABLES)
    from ray.cluster_utils import Cluster

    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    folder = tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=FOLDER)
    # There Ray notes the address of the last cluster, which is nobody else's business.
    os.environ["RAY_TMPDIR"] = folder
    Path(folder, "ray").mkdir()
    client_port, head_cpus, *others = map(int, sys.argv[1:])
    cluster: Any = Cluster()  # Ray declares the types of half of it

    def add(cpus: int, **options: object) -> Any:
        """Add a node; Ray itself waits for half a minute, which is short on a machine that does much else."""
        node = cluster.add_node(wait=False, num_cpus=cpus, object_store_memory=OBJECT_STORE_BYTES, **options)
        cluster._wait_for_node(node, JOIN_TIMEOUT_S)
        return node

    try:
        clients = {"ray_client_server_port": client_port} if client_port else {}
        nodes = [add(head_cpus, include_dashboard=False, temp_dir=folder, **clients)]
        nodes += map(add, others)
        print(cluster.address, file=replies)
        for line in sys.stdin:
            verb, number = line.split()
            if verb == "kill":
                cluster.remove_node(nodes[int(number)], allow_graceful=False)
                print("killed", file=replies)
            else:
                nodes.append(add(int(number)))
                print(len(nodes) - 1, file=replies)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
