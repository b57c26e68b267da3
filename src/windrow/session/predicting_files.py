"""Predicts whole files in shards, by whatever a session asks, or by a Ray cluster."""

from dataclasses import dataclass

from windrow.domain.file_prediction import (
    OnFileProgress,
    PredictFilesRequest,
    PredictFilesSummary,
    ignore_file_progress,
)
from windrow.operations import Operations


@dataclass(frozen=True, kw_only=True)
class PredictingFiles(PredictFilesRequest):
    """Files to classify; none is ever made, see ``session.signatures``."""

    on_progress: OnFileProgress = ignore_file_progress
    """Called as rows are found and as rows are classified."""


def predict_files(
    operations: Operations, request: PredictFilesRequest, on_progress: OnFileProgress = ignore_file_progress
) -> PredictFilesSummary:
    """Classify each row of files that this machine reaches, and write them in shards, each a file of a folder.

    All rows are answered by one revision, and each stands in the output once, in the order of its file. Called again as
    it was, it goes on where shards are missing.

    Args:
        operations: The verbs.
        request: What to read and where to write.
        on_progress: Called as rows are found and as rows are classified.

    Raises:
        InvalidFile: A file or a row is wrong; the message names its line.
        InvalidParameter: An option is wrong, a file is not there, or the folder holds the output of another run.
        NotFound: The classifier does not exist.
        StorageFailed: The output cannot be written, or an object store refuses.
        ClusterUnavailable: The Ray cluster cannot be reached or used.
    """
    # What it needs is loaded where it is called: a session begins without.
    from windrow.execution.file_prediction import predict_files as predict

    return predict(operations, request, on_progress)
