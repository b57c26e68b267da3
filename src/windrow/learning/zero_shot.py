"""Classify texts by their similarity to label names and descriptions, without labelled rows (zero-shot)."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from windrow.arrays import Floats
from windrow.learning.head import LinearHead
from windrow.learning.model_selection import label_name_texts

# Divides cosines before the softmax, for the default base model. Source: bench/zero_shot.py, fitted to training rows.
TEMPERATURE: Final = 0.055
# A description says more than a name, so it counts for two. Source: bench/zero_shot.py, measured.
DESCRIPTION_WEIGHT: Final = 2.0
# What texts are often about. A label whose similarity is no higher than that of some of these says little.
BACKGROUND_TOPICS: Final = (
    *("politics", "sports", "business", "science", "technology", "music", "film", "food", "travel", "health"),
    *("education", "weather", "money", "family", "animals", "history", "law", "cars", "fashion", "religion"),
    *("happiness", "sadness", "anger", "fear", "a question", "a complaint", "a request", "thanks", "a greeting"),
    *("a person", "a place", "a number", "shopping", "a payment", "a problem", "an opinion", "work", "home"),
    *("nature", "games"),
)
# The standard deviation of the cosines between two different topics, for the default base model. Other base models
# have cosines on other scales.
_USUAL_DEVIATION = 0.0971
# An encoder to which all topics are alike tells nothing apart, and must divide by something.
_LEAST_DEVIATION = 1e-3
# A topic this similar to a label, in standard deviations above the mean, is the label in another word.
_SAME_DEVIATIONS = 1.78
# Of how many rivals the mean is taken.
_RIVALS = 3
# The logistic regression of whether a label applies: on how much more similar it is than its rivals, in standard
# deviations, and on the logarithm of the number of labels, since each of many applies less often. Source:
# bench/zero_shot.py, fitted to training rows.
_RIVAL_SLOPE, _RIVAL_INTERCEPT, _RIVAL_LABELS = 1.41, 1.06, -0.55
# The same for a linear head: on how much more similar a label is than the other labels are in the mean. Source:
# bench/zero_shot.py, fitted to training rows.
_MEAN_SLOPE, _MEAN_INTERCEPT, _MEAN_LABELS = 1.325, 1.470, -1.614
# From this probability on, the linear head gives a label: the F1 is best there, averaged over the sets. A text that is
# like all labels alike stays so far below it. Source: bench/zero_shot.py, measured.
_BEST_THRESHOLD, _ABOVE_NEUTRAL = 0.25, 0.1
# Sets with fewer labels were not measured.
_FEWEST_LABELS = 4
# Comparisons of texts, labels and topics at a time, so that they take 16 MB.
_MAX_COMPARISONS = 4_000_000


def label_texts(
    labels: Sequence[str], descriptions: Mapping[str, str] | None = None, template: str | None = None
) -> list[list[str]]:
    """Return the texts that stand for each label: its name as plain words, and its description where it has one.

    Args:
        labels: The labels.
        descriptions: What labels mean, by label; not every label needs one.
        template: A sentence with one ``{}``, in which the name is put too; ``None`` for none.

    Returns:
        At least one text a label, in the order of the labels; a description is the last one.
    """
    texts = []
    for label, name in zip(labels, label_name_texts(labels), strict=True):
        sentence = [] if template is None else [template.replace("{}", name)]
        description = [descriptions[label]] if descriptions and label in descriptions else []
        texts.append([name, *sentence, *description])
    return texts


def label_vectors(features: Sequence[Floats], hidden: int, described: Sequence[bool] = ()) -> Floats:
    """Return one vector a label, whose product with a text's features is their cosine similarity.

    Args:
        features: The features of each label's texts (:func:`label_texts`), an array a label; shape [texts, width],
            float32. The last ``hidden`` numbers of a row are the last layer's, which alone count.
        hidden: The width of a layer.
        described: Whether the last text of each label is a description, which counts for two; empty where none is.

    Returns:
        Shape [labels, width], float32, each row of length 1.

    Source: bench/zero_shot.py, measured.
    """
    vectors = np.zeros((len(features), features[0].shape[1]), np.float32)
    for number, own in enumerate(features):
        vectors[number, -hidden:] = own[:, -hidden:].sum(axis=0)
        if described and described[number]:
            vectors[number, -hidden:] += (DESCRIPTION_WEIGHT - 1) * own[-1, -hidden:]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, np.float32(1e-9))
    return unit


def cosine_scale(topics: Floats) -> float:
    """Return how far cosines of a base model spread, as a multiple of how far those of the default one do.

    Args:
        topics: The vectors of ``BACKGROUND_TOPICS``, shape [topics, width], float32.
    """
    return max(_LEAST_DEVIATION, float(_between(topics).std())) / _USUAL_DEVIATION


def zero_shot_head(vectors: Floats, scale: float = 1.0) -> LinearHead:
    """Return the head whose softmax scores texts by their cosine similarity to label vectors.

    Args:
        vectors: From :func:`label_vectors`; shape [labels, width], float32.
        scale: From :func:`cosine_scale`, for another base model than the default one.
    """
    return LinearHead(vectors / np.float32(TEMPERATURE * scale), np.zeros(len(vectors), np.float32))


def zero_shot_logits(features: Floats, vectors: Floats, scale: float = 1.0) -> Floats:
    """Return each label's logit for each text: the cosine similarity over the temperature.

    Args:
        features: The texts' features, shape [rows, width], float32.
        vectors: From :func:`label_vectors`; shape [labels, width], float32.
        scale: From :func:`cosine_scale`, for another base model than the default one.

    Returns:
        Shape [rows, labels], float32.
    """
    return zero_shot_head(vectors, scale).logits(features)


def multi_label_zero_shot_head(vectors: Floats, scale: float = 1.0) -> LinearHead:
    """Return the head that scores each label by itself: several may apply to a text, or none.

    A label applies where the text is more similar to it than to the other labels in the mean. That is linear in the
    text, as a classifier's head has to be, and tells labels apart as well as :func:`multi_label_logits` does, which
    also answers for a single label.

    Args:
        vectors: From :func:`label_vectors`; shape [labels, width], float32, at least two labels.
        scale: From :func:`cosine_scale`, for another base model than the default one.

    Source: bench/zero_shot.py, measured.
    """
    labels = len(vectors)
    others = (vectors.sum(axis=0) - vectors) / np.float32(labels - 1)
    weights = (vectors - others) / np.float32(multi_label_temperature(scale))
    return LinearHead(weights, np.full(labels, _neutral_logit(labels), np.float32))


def multi_label_threshold(labels: int) -> float:
    """Return the score from which a classifier without rows gives each label, a hundredth.

    Args:
        labels: How many labels it has.
    """
    neutral = 1 / (1 + math.exp(-_neutral_logit(labels)))
    return max(_BEST_THRESHOLD, round(neutral + _ABOVE_NEUTRAL, 2))


def _neutral_logit(labels: int) -> float:
    """Return the logit of a text that is as similar to one label as to all others: one of many applies less often."""
    return _MEAN_INTERCEPT + _MEAN_LABELS * math.log(max(_FEWEST_LABELS, labels))


def multi_label_temperature(scale: float = 1.0) -> float:
    """Return what divides differences of cosines in :func:`multi_label_zero_shot_head`.

    Args:
        scale: From :func:`cosine_scale`.
    """
    return _USUAL_DEVIATION * scale / _MEAN_SLOPE


def multi_label_logits(features: Floats, vectors: Floats, topics: Floats) -> Floats:
    """Return the logit of each label for each text, by itself: several may apply, or none.

    A label applies where the text is more similar to it than to its nearest rivals: the other labels, and the topics
    but for those that are the label in another word. It needs rivals, since the cosines of one text with everything are
    high and those of another one low.

    Args:
        features: The texts' features, shape [rows, width], float32.
        vectors: From :func:`label_vectors`; shape [labels, width], float32.
        topics: The vectors of ``BACKGROUND_TOPICS``, shape [topics, width], float32.

    Returns:
        Shape [rows, labels], float32.
    """
    intercept = _RIVAL_INTERCEPT + _RIVAL_LABELS * math.log(max(_FEWEST_LABELS, len(vectors)))
    logits: Floats = np.float32(_RIVAL_SLOPE) * rival_margins(features, vectors, topics) + np.float32(intercept)
    return logits


def two_sided_logits(features: Floats, true: Floats, false: Floats, topics: Floats, scale: float = 1.0) -> Floats:
    """Return the logit of a statement for each text, where it is also said what is false.

    It is the mean of two logits: of the statement by itself (:func:`multi_label_logits`), and of it against the
    opposite. Negations are nearly as similar to each text as what they negate, and "anything else" is like no text, so
    that the opposite alone tells little; of two opposed judgements, it tells most.

    Args:
        features: As :func:`multi_label_logits`.
        true: The vector of what is true, from :func:`label_vectors`; shape [1, width], float32.
        false: The vector of what is false, as that.
        topics: As :func:`multi_label_logits`.
        scale: From :func:`cosine_scale`, for another base model than the default one.

    Returns:
        Shape [rows, 1], float32.

    Source: bench/statements.py, measured.
    """
    against = zero_shot_logits(features, true, scale) - zero_shot_logits(features, false, scale)
    logits: Floats = (against + multi_label_logits(features, true, topics)) / np.float32(2)
    return logits


def rival_margins(features: Floats, vectors: Floats, topics: Floats) -> Floats:
    """Return how much more similar each text is to each label than to the label's nearest rivals.

    Args:
        features: As :func:`multi_label_logits`.
        vectors: As there.
        topics: As there.

    Returns:
        Shape [rows, labels], float32, in standard deviations of the cosines between topics.
    """
    between = _between(topics)
    deviation = np.float32(max(_LEAST_DEVIATION, float(between.std())))
    is_rival = vectors @ topics.T < between.mean() + _SAME_DEVIATIONS * deviation
    margins = np.empty((len(features), len(vectors)), np.float32)
    step = max(1, _MAX_COMPARISONS // (len(vectors) * (len(topics) + _RIVALS)))
    for start in range(0, len(features), step):
        chunk = features[start : start + step]
        own = chunk @ vectors.T
        foreign = np.where(is_rival, (chunk @ topics.T)[:, None, :], np.float32(-np.inf))
        rivals = np.sort(np.concatenate([_nearest_others(own), foreign], axis=2), axis=2)[:, :, -_RIVALS:]
        # Where there are fewer, the others are -inf.
        known = np.isfinite(rivals)
        means = np.where(known, rivals, 0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
        margins[start : start + step] = (own - means) / deviation
    return margins


def _nearest_others(own: Floats) -> Floats:
    """Return the similarities of each text to the labels nearest to it, for each label without itself.

    Args:
        own: Similarities, shape [rows, labels], float32.

    Returns:
        Shape [rows, labels, ``_RIVALS``], float32; -inf where there are fewer.
    """
    count = min(_RIVALS + 1, own.shape[1])
    nearest = np.argsort(-own, axis=1, kind="stable")[:, :count]
    values = np.take_along_axis(own, nearest, axis=1)
    is_itself = nearest[:, None, :] == np.arange(own.shape[1])[None, :, None]
    others = np.sort(np.where(is_itself, np.float32(-np.inf), values[:, None, :]), axis=2)
    found: Floats = others[:, :, -_RIVALS:]
    return found


def _between(topics: Floats) -> Floats:
    """Return the cosines between two different topics; shape [pairs], float32."""
    # Not by a matrix product: BLAS would wake its threads, which on a busy machine takes longer than all the rest.
    cosines: Floats = np.einsum("ik,jk->ij", topics, topics)[~np.eye(len(topics), dtype=bool)]
    return cosines
