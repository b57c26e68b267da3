"""sentence-transformers and scikit-learn's logistic regression: the classifier that most people would write.

Owns the two libraries' calls; knows nothing of HTTP.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression


class EmbeddingClassifier:
    """A classifier, trained when it is made.

    Args:
        model_folder: Of the encoder.
        rows_file: JSON list of {"text", "label"}.
    """

    def __init__(self, model_folder: str, rows_file: str) -> None:
        rows = json.loads(Path(rows_file).read_text())
        self._encoder = SentenceTransformer(model_folder, device="cpu")
        self._head = LogisticRegression(max_iter=1_000)
        self._head.fit(self._encoder.encode([row["text"] for row in rows]), [row["label"] for row in rows])

    def predict(self, texts: Sequence[str]) -> list[dict[str, object]]:
        """Return label and scores of each text."""
        vectors = self._encoder.encode(list(texts), batch_size=len(texts), show_progress_bar=False)
        labels = self._head.classes_.tolist()
        return [
            {"label": labels[row.argmax()], "scores": dict(zip(labels, row.tolist(), strict=True))}
            for row in self._head.predict_proba(vectors)
        ]
