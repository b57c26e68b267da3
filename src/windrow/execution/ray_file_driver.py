"""Has Ray Data classify the shards of files: ``python -m windrow.execution.ray_file_driver``, in a process of its own.

That is since Ray ends its driver when it loses the cluster's head, prints on its own account, and takes over signals.
Standard input holds a line of JSON, then the exported classifier; when it ends, so does the process, and Ray ends what
it had on the cluster. Each line of standard output is a JSON object: a shard that is whole, ``problem``, or ``done``.
"""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from windrow.domain.errors import ClusterUnavailable, WindrowError
from windrow.execution.ray_base_models import base_model_files
from windrow.execution.ray_cluster import (
    RayOptions,
    check_versions,
    connect,
    is_client,
    largest_node,
    no_processors,
    windrow_missing,
)
from windrow.execution.ray_shards import coordinated_results, shard_results


def main() -> None:
    """Run until all is done, or standard input ends."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    # What Ray prints is in its own logs too, and does not belong between the replies.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    job = json.loads(requests.readline())
    archive = requests.read(job["archive_bytes"])
    threading.Thread(target=_end_with, args=(requests,), daemon=True).start()
    try:
        for told in classified(job, archive):
            replies.write(json.dumps(told) + "\n")
        replies.write('{"done": true}\n')
    except WindrowError as error:
        replies.write(json.dumps({"problem": problem_of(error)}) + "\n")
    replies.flush()
    os._exit(0)  # Ray may go on trying whatever it tried


def classified(job: dict[str, Any], archive: bytes) -> Iterator[dict[str, Any]]:
    """Have a cluster classify shards, and yield each one that is whole.

    Args:
        job: What the line of JSON says.
        archive: The exported classifier.

    Raises:
        ClusterUnavailable: The cluster cannot be reached or used, or was lost.
    """
    threads = int(job["threads"])
    connect(RayOptions(job["runner"], threads))
    if (largest := largest_node()) < threads:
        raise no_processors(threads, largest)
    try:
        for told in _shards(job, archive):
            check_versions(json.loads(told.pop("versions")))
            if told["problem"]:
                yield {"problem": json.loads(told["problem"])}
                return
            yield {name: value for name, value in told.items() if name != "problem"}
    except WindrowError:
        raise
    except Exception as error:  # Ray raises what it likes
        raise _failure(error) from error


def _shards(job: dict[str, Any], archive: bytes) -> Iterator[dict[str, Any]]:
    import ray

    folder = job["base_model_folder"]
    files = [base_model_files(Path(folder))] if folder else []
    results = coordinated_results if is_client(job["runner"]) else shard_results
    yield from results(job, ray.put(archive), files)


def problem_of(error: WindrowError) -> dict[str, Any]:
    """Return an error as JSON has it."""
    return {"code": error.code, "template": error.template, "facts": error.facts}


def _failure(error: Exception) -> ClusterUnavailable:
    told = str(error)
    if "No module named 'windrow" in told or "windrow_missing" in told:
        return windrow_missing(told.strip().splitlines()[-1][:300])
    why = next((line.strip() for line in reversed(told.splitlines()) if line.strip()), type(error).__name__)
    return ClusterUnavailable(
        "The Ray cluster did not classify all shards ({why}). What is whole stays. Look at the cluster's nodes, and "
        "run the same command again, which goes on from there.",
        {"problem": "lost", "why": why[:300]},
    )


def _end_with(requests: IO[bytes]) -> None:
    while requests.read(1 << 16):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
