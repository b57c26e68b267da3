"""Predicting: from names and texts to answers on this machine.

Owns what is looked up before texts are encoded; knows nothing of how they are.
"""

from concurrent.futures import Future
from dataclasses import replace

from windrow.domain.errors import ArtifactInvalid, WindrowError
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always, check_predict_request
from windrow.domain.recipe import check_range
from windrow.execution.explaining import explain
from windrow.service.parts import Parts
from windrow.storage.catalog import Found


class Predicting(Parts):
    """The verbs that classify."""

    __slots__ = ()

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        """Classify texts. See ``Operations.predict``."""
        return self.start_predict(request, is_wanted).result()

    def start_predict(self, request: PredictRequest, is_wanted: IsWanted) -> "Future[tuple[Prediction, ...]]":
        """Classify texts without waiting for the encoder. See ``LocalOperations.start_predict``."""
        check_predict_request(request, self.settings.predict_limits)
        while True:
            asked = tuple(map(self.find, request.model_names))
            if request.top_k is not None:
                check_range("top_k", request.top_k, (1, max(len(found.entry.record.labels) for found in asked)))
            try:
                answer = self.predictor.predict(asked, request, is_wanted)
                return self._explained(asked[0], request, answer) if request.explain else answer
            except ArtifactInvalid:
                # What was purged since it was found is not damaged; what is there now answers, or is not found.
                if tuple(map(self.find, request.model_names)) == asked:
                    raise

    def starts_at_once(self, request: PredictRequest) -> bool:
        """Whether :meth:`start_predict` takes no time. See ``LocalOperations.starts_at_once``."""
        if len(request.model_names) != 1 or len(request.texts) != 1 or request.explain:
            return False
        # Not from memory: another server may just have promoted or trained what is to be loaded first.
        try:
            return self.predictor.is_loaded(self.find(request.model_names[0]).entry)
        except WindrowError:
            return False

    def _explained(
        self, found: Found, request: PredictRequest, answer: "Future[tuple[Prediction, ...]]"
    ) -> "Future[tuple[Prediction, ...]]":
        """Wait for an answer and explain it."""
        (prediction,) = answer.result()
        rows = self.kept_rows(found.entry)
        explanation = explain(found, request.texts[0], None if rows is None else tuple(rows), self.predictor)
        explained: Future[tuple[Prediction, ...]] = Future()
        explained.set_result((replace(prediction, explanation=explanation),))
        return explained
