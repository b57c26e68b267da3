"""Run the nodes of a Ray cluster here: ``python -m tests.clusters.ray_nodes CPUS CPUS …``, one for each node.

Prints the cluster's address, then does what standard input says, a line each, and answers with a line: ``kill N`` ends
node N as a power cut would, ``add CPUS`` starts another one. Ends with standard input, and takes every process along.
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
    head_cpus, *others = map(int, sys.argv[1:])
    cluster: Any = Cluster(  # Ray declares the types of half of it
        initialize_head=True,
        head_node_args={
            "num_cpus": head_cpus,
            "include_dashboard": False,
            "object_store_memory": OBJECT_STORE_BYTES,
            "temp_dir": folder,
        },
    )
    try:
        nodes = [cluster.head_node]
        nodes += [cluster.add_node(num_cpus=cpus, object_store_memory=OBJECT_STORE_BYTES) for cpus in others]
        print(cluster.address, file=replies)
        for line in sys.stdin:
            verb, number = line.split()
            if verb == "kill":
                cluster.remove_node(nodes[int(number)], allow_graceful=False)
                print("killed", file=replies)
            else:
                nodes.append(cluster.add_node(num_cpus=int(number), object_store_memory=OBJECT_STORE_BYTES))
                print(len(nodes) - 1, file=replies)
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
