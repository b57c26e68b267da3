"""Has Ray Data classify shards, from a process that is part of a Ray cluster.

Nothing here imports Ray at the start: the module is also read where Ray is not installed.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from windrow.execution.ray_cluster import NOT_MADE
from windrow.execution.ray_shard_actor import ShardActor

# A shard whose process dies is begun again on another one, so often; more has its reason in the shard. So often, too,
# all that are left are begun again where Ray gives up before one more is whole.
RETRIES: Final = 3
# One is classified while the next one lies ready.
_SHARDS_PER_WORKER: Final = 2


def shard_results(job: dict[str, Any], archive: Any, base_model_files: list[Any]) -> Iterator[dict[str, Any]]:
    """Have the cluster that this process is connected to classify shards, and yield what each actor says of one.

    Ray begins the shards of a lost process again, but gives up on all where it cannot tell for a moment what became of
    the process; then those that are left are begun again.

    Args:
        job: ``parts`` as pairs of numbers; ``threads`` and ``workers``; ``actor``, which each actor is told.
        archive: A reference of Ray's to the exported classifier.
        base_model_files: A list with a reference to the base model's files; empty for the one that came with Windrow.

    Raises:
        Exception: One of Ray's: processes or nodes were lost again and again, or something else is wrong there.
    """
    left, losses = {(file, shard) for file, shard in job["parts"]}, 0
    while left:
        try:
            for told in _results_once({**job, "parts": sorted(left)}, archive, base_model_files):
                left.discard((told["file"], told["shard"]))
                losses = 0
                yield told
        except Exception as error:  # Ray's own, which only a function can name
            losses += 1
            if losses > RETRIES or not _is_loss(error):
                raise
        else:
            return


def _is_loss(error: Exception) -> bool:
    """Return whether an error says that a process or a node was lost, and not that what it runs is missing there."""
    import ray

    lost = (
        ray.exceptions.RayActorError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.ObjectLostError,
        ray.exceptions.OutOfMemoryError,
    )
    return isinstance(error, lost) and NOT_MADE not in str(error)


def _results_once(job: dict[str, Any], archive: Any, base_model_files: list[Any]) -> Iterator[dict[str, Any]]:
    import ray
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    threads, resources = int(job["threads"]), _resources()
    workers = int(job["workers"] or max(1, float(resources.get("CPU", 0.0)) // threads))
    workers = min(workers, len(job["parts"]))
    items = [{"file": file, "shard": shard} for file, shard in job["parts"]]
    actor: Any = ShardActor  # Ray declares functions alone
    results = ray.data.from_items(items, override_num_blocks=len(items)).map(
        actor,
        fn_constructor_args=(json.dumps(job["actor"]), [archive], base_model_files),
        compute=ray.data.ActorPoolStrategy(
            min_size=1, max_size=workers, initial_size=workers, max_tasks_in_flight_per_actor=_SHARDS_PER_WORKER
        ),
        num_cpus=threads,
        max_restarts=-1,
        max_task_retries=RETRIES,
    )
    yield from results.iter_rows()


class ShardCoordinator:
    """An actor that has Ray Data classify shards for a driver outside of the cluster, where Ray Data does not run.

    It ends with its driver, and what it has begun ends with it.

    Args:
        job: The job of :func:`shard_results` as JSON.
        archive: A list with a reference to the exported classifier: in a list, Ray leaves it a reference.
        base_model_files: As of :func:`shard_results`.
    """

    def __init__(self, job: str, archive: list[Any], base_model_files: list[Any]) -> None:
        (reference,) = archive
        self._results = shard_results(json.loads(job), reference, base_model_files)

    def take(self) -> dict[str, Any] | None:
        """Wait for the next shard that is done, and return what is said of it; ``None`` once all are done."""
        return next(self._results, None)


def coordinated_results(job: dict[str, Any], archive: Any, base_model_files: list[Any]) -> Iterator[dict[str, Any]]:
    """Do as :func:`shard_results` does, from a process that is connected as a client."""
    import ray

    # It only waits, so it takes no processor from those that classify.
    coordinator: Any = ray.remote(ShardCoordinator).options(num_cpus=0)
    running = coordinator.remote(json.dumps(job), [archive], base_model_files)
    while (told := ray.get(running.take.remote())) is not None:
        yield told


def _resources() -> Any:
    import ray

    return ray.cluster_resources()  # type: ignore[no-untyped-call]
