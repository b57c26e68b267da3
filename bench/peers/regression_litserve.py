"""sentence-transformers and logistic regression in LitServe, with dynamic batches.

Arguments: model folder, file of rows, port.
"""

import sys

import litserve
from embedding_classifier import EmbeddingClassifier

MAX_BATCH_SIZE = 64
BATCH_TIMEOUT_S = 0.002  # what a lone text waits for others; with 0 its worker keeps a core busy while idle


class Classifier(litserve.LitAPI):
    """What LitServe runs in its worker process."""

    def setup(self, device: str) -> None:  # noqa: ARG002 - there is only one
        """Load and train."""
        self.classifier = EmbeddingClassifier(*sys.argv[1:3])

    def decode_request(self, request: dict[str, str]) -> str:
        """Return the text of a body."""
        return request["text"]

    def predict(self, texts: list[str]) -> list[dict[str, object]]:
        """Classify a batch."""
        return self.classifier.predict(texts)

    def encode_response(self, output: dict[str, object]) -> dict[str, object]:
        """Return the reply to one request."""
        return output


if __name__ == "__main__":
    api = Classifier(max_batch_size=MAX_BATCH_SIZE, batch_timeout=BATCH_TIMEOUT_S)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1", port=int(sys.argv[3]), log_level="warning", access_log=False, generate_client_file=False
    )
