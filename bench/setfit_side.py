"""SetFit beside Windrow: one process a fit, in a virtual environment of its own.

Owns how SetFit is started; knows nothing of SetFit's interface (setfit_fit.py) nor of tables.
"""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from bare import base_model_folder
from draws import Draw
from server import watch_memory
from venvs import venv_bin

HERE = Path(__file__).parent
BATCH_SIZE = 16  # SetFit's default, as is Windrow's


def setfit_python() -> str:
    """Return the interpreter of SetFit's virtual environment."""
    return str(venv_bin("setfit") / "python")


def setfit_fit(draw: Draw, num_iterations: int) -> dict[str, Any]:
    """Fit a draw with SetFit's defaults in a fresh process.

    Returns:
        ``warm_up_s``, ``load_s`` and ``fit_s`` in seconds, ``predicted`` labels of the test rows, ``bytes`` of the
        saved model, and ``peak_bytes`` of the process.
    """
    return setfit_fit_rows(
        texts=[row["text"] for row in draw.train],
        labels=[row["label"] for row in draw.train],
        test_texts=[row["text"] for row in draw.test],
        num_iterations=num_iterations,
    )


def setfit_fit_rows(
    *, texts: Sequence[str], labels: Sequence[str] | Sequence[list[int]], test_texts: Sequence[str], num_iterations: int
) -> dict[str, Any]:
    """Fit rows with SetFit's defaults in a fresh process.

    Args:
        texts: The training texts.
        labels: The label of each; or for each a list of zeros and ones, for several labels a text.
        test_texts: What to predict.
        num_iterations: SetFit's parameter.

    Returns:
        As :func:`setfit_fit`; for several labels a text, ``predicted`` are zeros and ones, and ``probabilities`` stand
        beside them.
    """
    job = {
        "base_model": str(base_model_folder()),
        "num_iterations": num_iterations,
        "batch_size": BATCH_SIZE,
        "texts": list(texts),
        "labels": list(labels),
        "test_texts": list(test_texts),
    }
    with tempfile.TemporaryDirectory() as folder:
        job_file, result_file, log_file = (Path(folder, name) for name in ("job.json", "result.json", "log.txt"))
        job_file.write_text(json.dumps(job))
        command = [setfit_python(), str(HERE / "setfit_fit.py"), str(job_file), str(result_file)]
        with log_file.open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
            with watch_memory(psutil.Process(process.pid)) as peak:
                process.wait()
        if process.returncode != 0:
            raise RuntimeError(log_file.read_text()[-4_000:])
        result: dict[str, Any] = json.loads(result_file.read_text())
        return {**result, "peak_bytes": peak.own_bytes + peak.children_bytes}
