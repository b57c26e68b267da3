"""Erasure: find texts in the kept training rows of every classifier, and remove them, or what has learned from them."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from windrow.domain.dataset import DataLimits, Text
from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded
from windrow.domain.values import ListValue, Schema, Value, computed

# What is done about the rows that are found.
ACTIONS: Final[tuple[str, ...]] = ("find", "remove_rows", "purge")
MAX_FORGOTTEN_TEXTS: Final = 1_000
TextDigest = Annotated[str, Schema(pattern="^[0-9a-f]{64}$")]
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetRequest:
    """Texts to find in kept training rows, and what to do about them."""

    texts: Annotated[tuple[Text, ...], Schema(maxItems=MAX_FORGOTTEN_TEXTS)] = ()
    """The texts, at most 1,000 with the digests; case, blanks and the form of characters make no difference."""
    text_sha256: Annotated[tuple[TextDigest, ...], Schema(maxItems=MAX_FORGOTTEN_TEXTS)] = ()
    """SHA-256 digests of texts in UTF-8, in hexadecimal, in place of the texts; such a text is found to the letter."""
    action: Annotated[str, Schema(enum=list(ACTIONS))] = "find"
    """What to do: ``find`` changes nothing; ``remove_rows`` removes the rows, and what was learned from them stays;
    ``purge`` removes the revisions that have learned from them, for good.
    """
    force: bool = False
    """Whether to purge also what answers under its name or what an alias points to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedRevision(Value):
    """A revision that has learned from a text."""

    model_name: str
    """The classifier."""
    revision: int
    """Its revision."""
    rows: tuple[int, ...]
    """The numbers of the rows in its kept training data, from 0."""
    answers: bool
    """Whether it answers under its name."""
    deleted: bool
    """Whether the classifier is deleted, and could be restored."""
    aliases: tuple[str, ...]
    """The aliases that point to it."""
    status: Literal["found", "rows_removed", "purged", "in_use"]
    """What was done: nothing was to be done, the rows were removed, it was purged, or it stays since it is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedAlias(Value):
    """An alias that keeps a text among the rows that are checked on each promotion."""

    alias: str
    """The alias."""
    rows: int
    """How many such rows it, or its history, keeps."""
    status: Literal["found", "rows_removed"]
    """What was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure(ListValue[AffectedRevision]):
    """Where texts were found, and what was done."""

    _items = "revisions"

    action: str
    """What was asked for."""
    revisions: tuple[AffectedRevision, ...]
    """The revisions that have learned from one of the texts, by name and number."""
    aliases: tuple[AffectedAlias, ...]
    """The aliases that keep one of the texts, by name."""
    unknown: tuple[str, ...]
    """Revisions (``name@3``) whose training rows are not kept or cannot be read, so that nobody knows."""
    unsearched_jobs: tuple[str, ...] = ()
    """Trainings that wait or run, or have ended well meanwhile, by id, the newest first: those that have one of the
    texts among their rows, or may have one since another process runs them. They keep their rows when they end: look
    again then.
    """
    complete: bool = computed(lambda self: all(map(_is_done, (*self.revisions, *self.aliases))), False)
    """Whether none of the texts is kept any more where they were found."""


def _is_done(affected: "AffectedRevision | AffectedAlias") -> bool:
    return affected.status in ("rows_removed", "purged")


class TextMatcher:
    """Tells which texts are meant.

    Args:
        request: The texts and digests; checked before.
    """

    def __init__(self, request: ForgetRequest) -> None:
        self._texts = frozenset(map(_folded, request.texts))
        self._digests = frozenset(request.text_sha256)

    def __call__(self, text: str) -> bool:
        """Whether a text is one of those that are meant."""
        return _folded(text) in self._texts or (bool(self._digests) and _digest_of(text) in self._digests)

    def find(self, texts: Iterable[str]) -> tuple[int, ...]:
        """Return the numbers of those of some texts that are meant, from 0."""
        return tuple(number for number, text in enumerate(texts) if self(text))


def check_forget(request: ForgetRequest, limits: DataLimits) -> None:
    """Refuse a request that names no text, or not in the right form.

    Raises:
        InvalidText: A text is blank.
        InvalidParameter: There is no text and no digest, a digest or the action is none, or there are too many.
        LimitExceeded: A text is too long.
    """
    if request.action not in ACTIONS:
        raise InvalidParameter("{arg:action} is one of {actions:joined}.", {"parameter": "action", "actions": ACTIONS})
    if not 1 <= len(request.texts) + len(request.text_sha256) <= MAX_FORGOTTEN_TEXTS:
        raise InvalidParameter(
            "{Send} between 1 and {limit} texts or digests of texts.",
            {"parameter": "texts", "limit": MAX_FORGOTTEN_TEXTS},
        )
    if not all(map(_DIGEST.fullmatch, request.text_sha256)):
        raise InvalidParameter(
            "{arg:text_sha256} takes SHA-256 digests, each of 64 hexadecimal digits in lower case.",
            {"parameter": "text_sha256"},
        )
    for number, text in enumerate(request.texts):
        if not text.strip():
            raise InvalidText("Text {row} is blank, and would not be found. Leave it out.", {"row": number})
        if len(text) > limits.max_text_chars:
            raise LimitExceeded(
                "Text {row} has {chars} characters; at most {limit} are allowed ({setting}).",
                {
                    "row": number,
                    "chars": len(text),
                    "limit": limits.max_text_chars,
                    "setting": "WINDROW_MAX_TEXT_CHARS",
                },
            )


def _folded(text: str) -> str:
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip().casefold()


def _digest_of(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
