"""One fit by SetFit with its defaults: a job from one JSON file, its result to another; runs in bench/.venv-setfit.

Owns the calls of SetFit's interface; knows nothing of Windrow.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from datasets import Dataset
from setfit import SetFitModel, Trainer, TrainingArguments

WARM_UP = {"texts": ["a b", "c d", "e f", "g h"], "labels": ["x", "x", "y", "y"], "num_iterations": 1}


def main(job_file: str, result_file: str) -> None:
    """Load the base model, train, predict, save."""
    job = json.loads(Path(job_file).read_text())
    # What a process does once (imports on the first step, threads) does not count: Windrow's server is warm as well.
    warm_up = job | WARM_UP
    warm_up_s = fit(load(warm_up), warm_up)

    started = time.perf_counter()
    model = load(job)
    load_s = time.perf_counter() - started
    fit_s = fit(model, job)

    outputs = predict(model, job)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        size_bytes = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    result = {"warm_up_s": warm_up_s, "load_s": load_s, "fit_s": fit_s, **outputs, "bytes": size_bytes}
    Path(result_file).write_text(json.dumps(result))


def load(job: dict[str, Any]) -> SetFitModel:
    """Return an untrained model."""
    strategy = {"multi_target_strategy": "one-vs-rest"} if has_several_labels(job) else {}
    return SetFitModel.from_pretrained(job["base_model"], local_files_only=True, **strategy)


def has_several_labels(job: dict[str, Any]) -> bool:
    """Return whether the labels are lists of zeros and ones."""
    return not isinstance(job["labels"][0], str)


def predict(model: SetFitModel, job: dict[str, Any]) -> dict[str, Any]:
    """Return what the model says of the test texts."""
    if not job["test_texts"]:
        return {"predicted": []}
    if has_several_labels(job):
        probabilities = model.predict_proba(job["test_texts"], as_numpy=True)
        predicted = model.predict(job["test_texts"], as_numpy=True)
        return {"predicted": predicted.tolist(), "probabilities": probabilities.tolist()}
    names = sorted(set(job["labels"]))
    return {"predicted": [names[int(i)] for i in model.predict(job["test_texts"])]}


def fit(model: SetFitModel, job: dict[str, Any]) -> float:
    """Train with SetFit's defaults and predict one text; return the wall seconds of both."""
    labels = job["labels"]
    if not has_several_labels(job):
        names = sorted(set(labels))
        labels = [names.index(label) for label in labels]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        rows = Dataset.from_dict({"text": job["texts"], "label": labels})
        # Neither checkpoints nor reports: they would only cost it time.
        arguments = TrainingArguments(
            output_dir=folder,
            num_iterations=job["num_iterations"],
            batch_size=job["batch_size"],
            save_strategy="no",
            report_to="none",
        )
        Trainer(model=model, args=arguments, train_dataset=rows).train()
        model.predict(job["texts"][:1])
        return time.perf_counter() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
