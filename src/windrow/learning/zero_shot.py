"""Classify texts by their similarity to label names and descriptions, without labelled rows (zero-shot)."""

from collections.abc import Mapping, Sequence

import numpy as np

from windrow.arrays import Floats
from windrow.learning.head import LinearHead
from windrow.learning.model_selection import label_name_texts

# Divides cosines before the softmax. Source: bench/zero_shot.py, measured.
TEMPERATURE = 0.068


def label_texts(
    labels: Sequence[str], descriptions: Mapping[str, str] | None = None, template: str | None = None
) -> list[list[str]]:
    """Return the texts that stand for each label: its name as plain words, and its description where it has one.

    Args:
        labels: The labels.
        descriptions: What labels mean, by label; not every label needs one.
        template: A sentence with one ``{}``, in which the name is put too; ``None`` for none.

    Returns:
        At least one text a label, in the order of the labels.
    """
    texts = []
    for label, name in zip(labels, label_name_texts(labels), strict=True):
        sentence = [] if template is None else [template.replace("{}", name)]
        description = [descriptions[label]] if descriptions and label in descriptions else []
        texts.append([name, *sentence, *description])
    return texts


def label_vectors(features: Sequence[Floats], hidden: int) -> Floats:
    """Return one vector a label, whose product with a text's features is their cosine similarity.

    Args:
        features: The features of each label's texts (:func:`label_texts`), an array a label; shape [texts, width],
            float32. The last ``hidden`` numbers of a row are the last layer's.
        hidden: The width of a layer.

    Returns:
        Shape [labels, width], float32, each row of length 1; what does not count is 0.
    """
    vectors = np.array([own.mean(axis=0) for own in features], np.float32)
    vectors[:, :-hidden] = 0
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, np.float32(1e-9))
    return unit


def zero_shot_head(vectors: Floats) -> LinearHead:
    """Return the head whose softmax scores texts by their cosine similarity to label vectors.

    Args:
        vectors: From :func:`label_vectors`; shape [labels, width], float32.
    """
    return LinearHead(vectors / np.float32(TEMPERATURE), np.zeros(len(vectors), np.float32))


def zero_shot_logits(features: Floats, vectors: Floats) -> Floats:
    """Return each label's logit for each text: the cosine similarity over the temperature.

    Args:
        features: The texts' features, shape [rows, width], float32.
        vectors: From :func:`label_vectors`; shape [labels, width], float32.

    Returns:
        Shape [rows, labels], float32.
    """
    return zero_shot_head(vectors).logits(features)
