"""Predict whole files, shard by shard, on this machine or on a Ray cluster; a run that broke off can go on."""

from windrow.domain.file_prediction import (
    OnFileProgress,
    PredictFilesReport,
    PredictFilesRequest,
    ignore_file_progress,
)
from windrow.execution.control import TrainingControl
from windrow.operations import Operations


def predict_files(
    operations: Operations,
    request: PredictFilesRequest,
    on_progress: OnFileProgress = ignore_file_progress,
    control: TrainingControl | None = None,
) -> PredictFilesReport:
    """Classify each row of files, and write them in shards. All rows are answered by one revision.

    Args:
        operations: The verbs: of this process, or of a server. With a Ray cluster, they export the classifier.
        request: What to read and where to write.
        on_progress: Called as rows are found and as shards are done, in this thread.
        control: Cancels it from another thread; ``None`` where nobody does. What is whole stays.

    Returns:
        What was done.

    Raises:
        InvalidInput: A file, a row or an option is wrong; the message names the file and the line.
        InvalidParameter: The folder holds the output of another run; the message says what differs.
        NotFound: The classifier does not exist.
        StorageFailed: The output cannot be written, or an object store refuses.
        WindrowError: The reason of the cancellation.
    """
    raise NotImplementedError(operations, request, on_progress, control)
