"""FakeEncoder: a text encoder without a model. Words are hashed, so texts that share words lie close."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from windrow.domain.errors import ArtifactInvalid
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import Floats, feature_size
from windrow.encoders.packing import first_tokens
from windrow.encoders.session import Adapter, Encoded, States

HIDDEN_SIZE = 64
NUM_THIRDS = 3
MAX_WORDS = 256


class FakeEncoder:
    """Deterministic and instant; takes no adapter. Passes the contract in tests/encoders/contract.py."""

    def __init__(self, base_model_id: str = DEFAULT_BASE_MODEL, digest: str = "fa" * 32) -> None:
        self._folder = EncoderFolder(
            base_model=BaseModel(base_model_id, digest),
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
    def base_model(self) -> BaseModel:
        return self._folder.base_model

    @property
    def folder(self) -> EncoderFolder:
        return self._folder

    def encode(self, texts: Sequence[str], adapter: Adapter | None = None) -> Encoded:
        states = self.encode_states(texts)
        return Encoded(self.features(states, adapter), states.truncated)

    def encode_states(self, texts: Sequence[str]) -> States:
        words = [["", *text.lower().split()] for text in texts]  # the first stands for a real encoder's special token
        kept = [row[:MAX_WORDS] for row in words]
        packed = np.array([_vector(word) for row in kept for word in row], np.float32).reshape(-1, HIDDEN_SIZE)
        lengths = np.array([len(row) for row in kept], np.int32)
        return States(packed, lengths, np.array([len(row) > MAX_WORDS for row in words], np.bool_))

    def features(self, states: States, adapter: Adapter | None = None) -> Floats:
        if adapter is not None:
            raise ArtifactInvalid("This encoder takes no adapter. Train the classifier without one.")
        if not len(states.lengths):
            return np.empty((0, feature_size(self._folder)), np.float32)
        sums = np.add.reduceat(states.packed, first_tokens(states.lengths), axis=0)
        third = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return np.concatenate([np.roll(third, turn, axis=1) for turn in range(NUM_THIRDS)], axis=1).astype(np.float32)


@lru_cache(maxsize=10_000)
def _vector(word: str) -> Floats:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
    return np.random.default_rng(seed).standard_normal(HIDDEN_SIZE).astype(np.float32)
