"""The JSON shapes of a suggestion of what to label next, to and from the domain.

Owns their fields; knows nothing of HTTP or of how texts are chosen.
"""

from dataclasses import asdict
from typing import Self

from pydantic import Field

from windrow.domain.names import REFERENCE_GRAMMAR
from windrow.domain.suggestion import (
    DEFAULT_SUGGESTIONS,
    SUGGESTIONS_RANGE,
    Suggestion,
    Suggestions,
    SuggestRequest,
    Why,
)
from windrow.wire.prediction import Answerer, AnswererRevision, InScope
from windrow.wire.shapes import EXAMPLE_NAME, EXAMPLE_TEXT, Wire, shown_range


class SuggestBody(Wire):
    """Texts without labels, of which some are to be labelled."""

    model_name: str = Field(
        description="The classifier that is to learn from them: its name, an alias, a revision (name@3) or "
        "task@latest, its highest version.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{REFERENCE_GRAMMAR}$"},
    )
    texts: list[str] = Field(
        description="The pile, as many texts as a training may have rows; one that comes again counts once.",
        examples=[[EXAMPLE_TEXT, "Do you ship to Norway?", "Where is my parcel?"]],
        fail_fast=True,
    )
    n: int = Field(
        default=DEFAULT_SUGGESTIONS,
        description="How many to suggest.",
        examples=[DEFAULT_SUGGESTIONS],
        json_schema_extra=shown_range(SUGGESTIONS_RANGE),
    )

    @classmethod
    def of(cls, request: SuggestRequest) -> Self:
        """Send a request."""
        return cls.model_construct(model_name=request.model_name, texts=list(request.texts), n=request.n)

    def to_domain(self) -> SuggestRequest:
        """Return the request; its values are not checked yet."""
        return SuggestRequest(self.model_name, tuple(self.texts), self.n)


class SuggestionEntry(Wire):
    """A text worth labelling."""

    index: int = Field(description="Its number in texts, from 0.", examples=[1])
    text: str = Field(description="The text.", examples=["Do you ship to Norway?"])
    why: Why = Field(
        description="new: it is unlike the training data, so perhaps of a label that is missing. uncertain: the "
        "classifier hesitates between labels.",
        examples=["new"],
    )
    alike: int = Field(
        description="Different texts of the pile that are much like it, itself included: what its label speaks for.",
        examples=[1],
    )
    label: str = Field(description="The label that the classifier would give.", examples=["account"])
    score: float = Field(description="That label's score, from 0 to 1.", examples=[0.41])
    runner_up: str = Field(description="The label with the next score.", examples=["billing"])
    in_scope: InScope

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """Show a suggestion."""
        return cls(**asdict(suggestion))

    def to_domain(self) -> Suggestion:
        """Return the suggestion that was shown."""
        return Suggestion(**self.model_dump())


class SuggestReply(Wire):
    """The texts that are worth labelling."""

    model_name: Answerer
    revision: AnswererRevision
    suggestions: list[SuggestionEntry] = Field(
        description="The most useful first; fewer than asked for where there are fewer different texts."
    )
    total: int = Field(description="Different texts in the pile.", examples=[3])

    @classmethod
    def of(cls, found: Suggestions) -> Self:
        """Show what was found."""
        return cls(
            model_name=found.model_name,
            revision=found.revision,
            suggestions=[SuggestionEntry.of(each) for each in found.suggestions],
            total=found.total,
        )

    def to_domain(self) -> Suggestions:
        """Return what was shown."""
        suggestions = tuple(each.to_domain() for each in self.suggestions)
        return Suggestions(self.model_name, self.revision, suggestions, self.total)
