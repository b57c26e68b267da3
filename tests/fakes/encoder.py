"""FakeEncoder: a text encoder without a model. Words are hashed, so texts that share words lie close."""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, first_tokens
from windrow.domain.errors import InvalidArtifact
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel
from windrow.encoders.adapters import Adapter
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.onnx_encoder import Parallelism, Tokens, token_counts

HIDDEN_SIZE = 64
NUM_THIRDS = 3
MAX_WORDS = 256


class FakeEncoder:
    """Deterministic and instant; takes no adapter. Passes the contract in tests/encoders/contract.py."""

    def __init__(self, base_model_id: str = DEFAULT_BASE_MODEL, digest: str = "fa" * 32) -> None:
        self._folder = EncoderFolder(
            base_model=BaseModel(base_model_id, digest),
            root=Path("no-such-folder"),
            path=Path("no-such-folder"),
            family="bert",
            vocabulary=1,
            layers=NUM_THIRDS,
            hidden_size=HIDDEN_SIZE,
            heads=1,
            intermediate_size=HIDDEN_SIZE,
            layer_norm_epsilon=0.0,
            position_offset=0,
            pooling="mean",
            max_tokens=MAX_WORDS,
            lowercase=True,
        )

    @property
    def folder(self) -> EncoderFolder:
        return self._folder

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        # The first stands for a real encoder's special token.
        words = [["", *text.lower().split()] for text in texts]
        return [
            Tokens(np.array([zlib.crc32(word.encode()) for word in row[:MAX_WORDS]], np.int64), len(row) > MAX_WORDS)
            for row in words
        ]

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        if any(adapters):
            raise InvalidArtifact("This encoder takes no adapter. Train the classifier without one.")
        return self.features(self.states(batch), token_counts(batch))

    def states(self, batch: Sequence[Tokens]) -> Floats:
        return np.array([_vector(number) for tokens in batch for number in tokens.ids.tolist()], np.float32)

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        assert adapter is None
        sums = np.add.reduceat(states, first_tokens(lengths), axis=0)
        third = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return np.concatenate([np.roll(third, turn, axis=1) for turn in range(NUM_THIRDS)], axis=1).astype(np.float32)


@lru_cache(maxsize=10_000)
def _vector(number: int) -> Floats:
    return np.random.default_rng(number).standard_normal(HIDDEN_SIZE).astype(np.float32)
