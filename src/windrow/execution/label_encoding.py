"""Encode what labels are called and what describes them, as the zero-shot head needs it."""

from collections.abc import Mapping, Sequence

from windrow.arrays import Floats
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.bulk import Compute, encode, run_in_order
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.learning.zero_shot import BACKGROUND_TOPICS, cosine_scale, label_texts, label_vectors


def encode_labels(
    labels: Sequence[str], descriptions: Mapping[str, str], encoder: TextEncoder, compute: Compute = run_in_order
) -> Floats:
    """Return one vector a label, from its name and its description.

    Args:
        labels: The labels.
        descriptions: What labels mean, by label; one that is empty or missing leaves it at the name.
        encoder: The encoder.
        compute: Computes the batches.

    Returns:
        Shape [labels, features], float32, each row of length 1.
    """
    own = {label: text for label, text in descriptions.items() if text}
    texts = label_texts(labels, own)
    features = encode(encoder, [text for each in texts for text in each], compute=compute).features
    parts, start = [], 0
    for each in texts:
        parts.append(features[start : start + len(each)])
        start += len(each)
    return label_vectors(parts, encoder.folder.hidden_size, [label in own for label in labels])


def measure_cosine_scale(encoder: TextEncoder, compute: Compute = run_in_order) -> float:
    """Return how far cosines of an encoder spread, as a multiple of how far those of the default base model do.

    Args:
        encoder: The encoder.
        compute: Computes the batches.
    """
    if encoder.folder.base_model.id == DEFAULT_BASE_MODEL:
        return 1.0
    features = encode(encoder, BACKGROUND_TOPICS, compute=compute).features
    return cosine_scale(
        label_vectors([features[[number]] for number in range(len(features))], encoder.folder.hidden_size)
    )
