"""What stands between a session and the operations that do its verbs, to see what is asked."""

from typing import Any

from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected


class Counting:
    """Operations that remember how many texts each request for predictions had.

    Args:
        operations: Who does the verbs.
    """

    def __init__(self, operations: Any) -> None:
        self._operations = operations
        self.sizes: list[int] = []

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._operations, verb)

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        self.sizes.append(len(request.all_texts))
        answers: tuple[Prediction, ...] = self._operations.predict(request, is_connected)
        return answers
