"""Train a small classifier in a temporary data directory, ask it, and measure how fast its encoder is."""

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from windrow.bootstrap import open_service
from windrow.diagnosis.processor import check_speed, measure_speed, read_processor
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.diagnosis import Check
from windrow.domain.prediction import PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.settings import LOCAL_RUNNER, Settings

_NAME: Final = "trial"
_ROWS: Final = (
    Row("I was charged twice this month", "billing"),
    Row("Please refund my last invoice", "billing"),
    Row("The invoice shows the wrong amount", "billing"),
    Row("Why did my subscription get more expensive?", "billing"),
    Row("The app crashes when I open it", "technical"),
    Row("I get error 500 on the upload page", "technical"),
    Row("The search returns no results", "technical"),
    Row("Pages load very slowly since today", "technical"),
)
_TEXT: Final = "My card was billed two times"


def check_trial(settings: Settings) -> Iterator[Check]:
    """Train, predict and measure, on this machine, with the default base model.

    Args:
        settings: Threads, memory and time of trainings.

    Raises:
        WindrowError: Something of it fails.
    """
    with TemporaryDirectory(prefix="windrow-", ignore_cleanup_errors=True) as folder:
        service = open_service(_for_trial(settings, Path(folder)))
        try:
            service.start()
            encoder = service.dependencies.encoders.get(DEFAULT_BASE_MODEL)
            began_s = time.monotonic()
            has_torch = find_spec("torch") is not None
            service.fit(FitRequest(model_name=_NAME, training_data=_ROWS, num_iterations=int(has_torch)))
            fit_s, began_s = time.monotonic() - began_s, time.monotonic()
            (prediction,) = service.predict(PredictRequest(model_name=_NAME, text=_TEXT))
            predict_s = time.monotonic() - began_s
            took = (
                f"Trained on {len(_ROWS)} texts in {fit_s:.1f} s, with the start of a training process, and predicted "
                f"in {predict_s * 1e3:.0f} ms"
            )
            if prediction.label == "billing" and has_torch:
                yield Check("trial", "ok", f"{took}, rightly.")
            elif prediction.label == "billing":
                yield Check(
                    "trial",
                    "warning",
                    f"{took}, rightly. It was the head alone: torch is not installed, so no adapter is trained here "
                    "(num_iterations above 0). That is well where classifiers are trained elsewhere.",
                )
            else:
                yield Check(
                    "trial",
                    "failed",
                    f"{took}, but {_TEXT!r} was given the label {prediction.label!r}. The base model's files or the "
                    "libraries compute something else than they should: install Windrow anew.",
                )
            yield from check_speed(encoder.folder, measure_speed(encoder), read_processor())
        finally:
            service.close()


def _for_trial(settings: Settings, folder: Path) -> Settings:
    """Return settings that train here, in a folder of its own, on the base model that comes with Windrow."""
    return replace(
        settings,
        data_dir=folder,
        allowed_base_models=(DEFAULT_BASE_MODEL,),
        audit_days=0,
        min_free_bytes=0,
        offline=True,
        pinned_classifiers=(),
        runner=LOCAL_RUNNER,
    )
