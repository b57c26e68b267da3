"""SetFit in FastAPI. Arguments: model folder, file of rows, port.

It trains for a few steps only: how long a text takes does not depend on the weights.
"""

import json
import sys
import tempfile
from pathlib import Path

from datasets import Dataset
from fastapi_app import Answer, serve
from setfit import SetFitModel, Trainer, TrainingArguments

NUM_ITERATIONS = 1


def train(model_folder: str, rows_file: str) -> SetFitModel:
    """Return a trained model."""
    rows = json.loads(Path(rows_file).read_text())
    labels = sorted({row["label"] for row in rows})
    model = SetFitModel.from_pretrained(model_folder, labels=labels, local_files_only=True)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, num_iterations=NUM_ITERATIONS, save_strategy="no", report_to="none"
        )
        # As numbers: SetFit gives names to labels itself.
        numbered = Dataset.from_list([{"text": row["text"], "label": labels.index(row["label"])} for row in rows])
        Trainer(model=model, args=arguments, train_dataset=numbered).train()
    return model


def classify(model: SetFitModel, text: str) -> Answer:
    """Return label and scores of a text."""
    scores = model.predict_proba([text], as_numpy=True)[0]
    return {"label": model.labels[scores.argmax()], "scores": dict(zip(model.labels, scores.tolist(), strict=True))}


if __name__ == "__main__":
    model_folder, rows_file, port = sys.argv[1:]
    model = train(model_folder, rows_file)
    serve(lambda text: classify(model, text), int(port))
