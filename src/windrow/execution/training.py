"""Running a task: from a task's arrays to a finished artifact and what to say of it.

Owns the order of the steps of a training; knows nothing of processes, names or files.
"""

from importlib.metadata import version

from windrow.domain.classifier import TrainingSummary
from windrow.execution.tasks import FitOutcome, FitTask
from windrow.learning.head import fit_head
from windrow.storage.artifact import Artifact, artifact_to_bytes

DECIDING_LIBRARIES = ("windrow", "numpy", "scipy", "scikit-learn", "onnxruntime", "tokenizers")


def run_fit(task: FitTask) -> FitOutcome:
    """Train one classifier.

    Args:
        task: Arrays and recipe.

    Returns:
        The finished artifact and its summary; the same task on the same machine yields the same bytes.
    """
    head, head_report = fit_head(task.features, task.label_ids, task.recipe.seed)
    versions = {library: version(library) for library in DECIDING_LIBRARIES}
    return FitOutcome(artifact_to_bytes(Artifact(head, None)), TrainingSummary(head_report, versions))
