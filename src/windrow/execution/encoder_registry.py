"""Keep one loaded encoder per base model."""

from collections.abc import Callable

from windrow.domain.classifier import Record
from windrow.domain.errors import BaseModelUnavailable
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.cache import LoadingCache


class EncoderRegistry:
    """Loads encoders on first use and keeps them; thread-safe.

    Args:
        load: Loads the encoder of a base-model id.
    """

    def __init__(self, load: Callable[[str], TextEncoder]) -> None:
        self._load = load
        # All sizes are 0, so nothing is ever dropped; the cache only makes sure that each encoder is loaded once.
        self._encoders: LoadingCache[str, TextEncoder] = LoadingCache(1, lambda _: 0)

    def get(self, base_model_id: str) -> TextEncoder:
        """Return the encoder of a base-model id.

        Raises:
            BaseModelNotAllowed: The id is not on the allow-list.
            BaseModelUnavailable: It is not on this machine and cannot be downloaded.
            InvalidBaseModel: Its folder cannot be used.
        """
        return self._encoders.get(base_model_id, lambda: self._load(base_model_id))

    def __contains__(self, base_model_id: str) -> bool:
        """Whether the encoder of a base-model id is loaded."""
        return base_model_id in self._encoders

    def __len__(self) -> int:
        """Return how many encoders are loaded."""
        return self._encoders.stats().entries

    def evict(self, base_model_id: str) -> None:
        """Drop an encoder; its memory is freed once it is no longer used, and the next :meth:`get` loads it again."""
        self._encoders.discard(lambda loaded: loaded == base_model_id)

    def of_record(self, record: Record) -> TextEncoder:
        """Return the encoder that a classifier was trained on.

        Raises:
            BaseModelUnavailable: The model with that id on this machine differs from the one at training.
        """
        encoder = self.get(record.base_model)
        actual = encoder.folder.base_model.digest
        if actual != record.base_model_digest:
            raise BaseModelUnavailable(
                "{model_name} was trained on {base_model} with digest {expected_digest:.12}…, but this machine has "
                "digest {found_digest:.12}…. Bring back the base model's former files, or train the classifier again.",
                {
                    "model_name": record.name,
                    "base_model": record.base_model,
                    "expected_digest": record.base_model_digest,
                    "found_digest": actual,
                },
            )
        return encoder
