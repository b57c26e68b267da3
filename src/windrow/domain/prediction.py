"""What a caller asks of classifiers, the rules for that, and what they answer.

Owns the rules that need nothing but the request itself; knows nothing of how an answer is computed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from windrow.domain.dataset import check_texts
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.explanation import Explanation
from windrow.domain.names import read_reference

# Asked before anything costly is computed. Not so: the caller has gone, and nobody would read the answer.
IsWanted = Callable[[], bool]


def always() -> bool:
    """Say that an answer is wanted, whatever happens."""
    return True


@dataclass(frozen=True, slots=True)
class PredictLimits:
    """The most that one request may bring.

    Args:
        max_texts: Texts.
        max_model_names: Names of classifiers.
        max_text_chars: Characters (code points) of one text.
    """

    max_texts: int = 1_000
    max_model_names: int = 1_000
    max_text_chars: int = 20_000


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """What is to be classified, and by whom.

    Args:
        model_names: The classifiers, at least one: names, aliases, ``name@revision`` or ``task@latest``.
        texts: The texts, at least one. Several texts go to one classifier, or one text to several classifiers.
        top_k: How many scores each answer holds, the best ones; ``None`` for all.
        abstain_below: Best score in [0, 1] below which no label is given; ``None`` takes what is stored with the
            classifier, if anything is.
        min_in_scope: Likeness to the training data in [0, 1] below which no label is given, nor where the classifier
            cannot tell; ``None`` gives one always.
        explain: Whether to say why; only for one text and one classifier.
    """

    model_names: tuple[str, ...]
    texts: tuple[str, ...]
    top_k: int | None = None
    abstain_below: float | None = None
    min_in_scope: float | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """One classifier's answer for one text.

    Args:
        label: The label with the highest score; ``None`` where the classifier abstained.
        scores: Each label's score in [0, 1], in the order of the classifier's labels; they sum to 1. Where a number
            of scores was asked for, only so many, the highest first.
        model_name: The classifier that answered.
        revision: Its revision that answered.
        truncated: Whether the text was longer than the encoder reads, so that its end was left out.
        alias: The alias by which it was asked; ``None`` where it was asked by its own name.
        in_scope: How like the training data the text is, in [0, 1]: the share of texts of its kind that are less like
            it. ``None`` where the classifier cannot tell.
        explanation: Why; ``None`` where it was not asked for.
    """

    label: str | None
    scores: Mapping[str, float]
    model_name: str
    revision: int
    truncated: bool
    alias: str | None = None
    in_scope: float | None = None
    explanation: Explanation | None = None

    @property
    def abstained(self) -> bool:
        """Whether no label was given."""
        return self.label is None


def check_predict_request(request: PredictRequest, limits: PredictLimits) -> PredictRequest:
    """Return ``request`` unchanged if it follows every rule that needs no look at a classifier.

    Raises:
        InvalidName: A name breaks the grammar.
        InvalidText: A text is empty, blank or no valid Unicode; ``facts["index"]`` counts the texts from 0.
        InvalidParameter: There is no name or no text, or there are several of both; a bound lies outside [0, 1]; or an
            explanation is asked for more than one answer.
        LimitExceeded: Too many names, too many texts, or a text that is too long.
    """
    _check_count("model_names", len(request.model_names), limits.max_model_names)
    _check_count("texts", len(request.texts), limits.max_texts)
    if min(len(request.model_names), len(request.texts)) > 1:
        raise InvalidParameter(
            "Several texts for several classifiers were sent. Send one text with model_names, or texts with one "
            "model_name.",
            {"parameter": "model_names"},
        )
    for parameter, value in (("abstain_below", request.abstain_below), ("min_in_scope", request.min_in_scope)):
        check_share(parameter, value)
    if request.explain and len(request.model_names) * len(request.texts) != 1:
        raise InvalidParameter(
            "explain goes with one text and one classifier. Send a single text and model_name, or leave explain out.",
            {"parameter": "explain"},
        )
    for name in request.model_names:
        read_reference(name)
    check_texts(request.texts, limits.max_text_chars)
    return request


def check_share(parameter: str, value: float | None, minimum: float = 0.0) -> None:
    """Refuse a share that does not lie between ``minimum`` and 1, both ends allowed; ``None`` is no share.

    Raises:
        InvalidParameter: It does not.
    """
    # Not the other way round: a NaN is no share either.
    if value is not None and not minimum <= value <= 1:
        raise InvalidParameter(
            f"{parameter} is {value}; it must lie between {minimum:g} and 1. Send such a share, or leave it out.",
            {"parameter": parameter, "minimum": minimum, "maximum": 1},
        )


def _check_count(what: str, count: int, limit: int) -> None:
    if count == 0:
        raise InvalidParameter(
            f"{what} is empty. Send between 1 and {limit}.", {"parameter": what, "minimum": 1, "maximum": limit}
        )
    if count > limit:
        setting = f"WINDROW_MAX_{what.upper()}"
        raise LimitExceeded(
            f"{what} has {count} entries; this server takes at most {limit}. Send fewer, or raise {setting}.",
            {"limit": limit, "setting": setting},
        )
