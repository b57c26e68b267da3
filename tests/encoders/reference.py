"""What sentence-transformers itself answers, layer by layer."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from windrow.arrays import Floats

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def last_layer(folder: Path, texts: Sequence[str]) -> Floats:
    """Return sentence-transformers' own output, each row made length 1; shape [n, hidden]."""
    embedded = _open(folder).encode(list(texts), batch_size=4, show_progress_bar=False, normalize_embeddings=True)
    return np.asarray(embedded, np.float32)


def last_three_layers(folder: Path, texts: Sequence[str]) -> Floats:
    """Return the pooled, normalised states of the last three layers side by side; shape [n, 3 * hidden]."""
    import torch

    model = _open(folder)
    transformer, pooling = cast(Any, model[0]), cast(Any, model[1])
    tokens = transformer.preprocess(list(texts))
    mask = tokens["attention_mask"]
    with torch.no_grad():
        output = transformer.model(input_ids=tokens["input_ids"], attention_mask=mask, output_hidden_states=True)
        layers = [{"token_embeddings": states, "attention_mask": mask} for states in output.hidden_states[-3:]]
        pooled = [pooling(layer)["sentence_embedding"] for layer in layers]
    return np.asarray(torch.cat([torch.nn.functional.normalize(third) for third in pooled], dim=1).numpy(), np.float32)


def _open(folder: Path) -> "SentenceTransformer":
    # Not above: together they take longer to import than most files of tests to run.
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
