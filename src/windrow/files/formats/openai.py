"""Read what classifiers were fine-tuned on at OpenAI: conversations (chat JSONL), or prompts with completions.

The text is the last message of the user, the label what the assistant answers to it. Files whose answers are prose are
refused: nothing recurs in them that could be learned as a label.
"""

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any, Final

from windrow.codec.strict import parse_value
from windrow.domain.characters import is_blank
from windrow.domain.read_options import ReadOptions
from windrow.files.formats.form import (
    CERTAIN,
    NO,
    Beginning,
    Document,
    Example,
    FileFormat,
    LeftOut,
    Note,
    Reading,
)
from windrow.files.formats.messages import content_of, messages_of
from windrow.files.formats.raw_rows import as_list, as_object
from windrow.files.formats.row_parts import (
    JsonObject,
    NoExample,
    Parts,
    fitting_labels,
    kind_asked,
    labels_of,
    parameter_asked,
    place_asked,
    read_rows,
    text_asked,
    value_at,
)

# So many rows tell whether the system prompt is the same everywhere, and whether answers are labels.
_LOOKED_AT_ROWS: Final = 1_000
# More different answers, or more than half as many as rows where there are more than a few, are no labels.
_MAX_LABELS: Final = 200
_FEW_LABELS: Final = 20
# Answers of which half are longer are sentences.
_MAX_USUAL_CHARS: Final = 60
_MAX_USUAL_WORDS: Final = 4
# What OpenAI recommended to end prompts and completions with.
_END_OF_PROMPT: Final = re.compile(r"(?:\s*\n\s*(?:#{3,}|={3,})|\s+->)\s*$")
_END_OF_COMPLETION: Final = re.compile(r"(?:\s+END|\s*#{3,}|\s*<\|endoftext\|>)\s*$")
_SYSTEM_ROLES: Final = ("system", "developer")
_ANSWER_KEYS: Final = ("label", "labels")
# Named as the label column, they say that the whole answer is the label.
_WHOLE_ANSWER: Final = ("content", "completion")


def _sniff(beginning: Beginning) -> float:
    row = as_object(beginning.first)
    if isinstance(row.get("prompt"), str) and isinstance(row.get("completion"), str):
        return CERTAIN
    messages = as_list(row.get("messages"))
    is_chat = bool(messages) and all("role" in as_object(each) for each in messages)
    return CERTAIN if is_chat and "labels" not in row else NO


def _read(document: Document) -> Reading:
    values = document.values()
    first = list(islice(values, _LOOKED_AT_ROWS))
    prompts = {prompt for _, row in first if (prompt := _system_prompt(row)) is not None}
    notes = _Notes(has_several_prompts=len(prompts) > 1)
    parts = Parts(partial(_text_of, document.options, notes), partial(_labels_of, document))
    rows = read_rows(document, chain(first, values), parts)
    if document.wants_labels and place_asked(document.options) is None:
        rows = _refusing_prose(document, rows)
    options = document.options
    return Reading(
        notes.completed(rows),
        "multi_label" if options.label_separator else kind_asked(options),
        description=next(iter(prompts)) if len(prompts) == 1 else "",
        notes=notes.told,
    )


@dataclass(slots=True)
class _Notes:
    """What is told of a file once it is read."""

    has_several_prompts: bool
    num_long: int = 0
    told: list[Note] = field(default_factory=list)

    def completed(self, rows: Iterator[Example | LeftOut]) -> Iterator[Example | LeftOut]:
        yield from rows
        if self.num_long:
            words = "{count} of its conversations have several messages of the user; the text is the last one alone."
            self.told.append(Note(words, {"count": self.num_long}))
        if self.has_several_prompts:
            self.told.append(Note("its system prompts differ, and none of them is kept."))


def _system_prompt(row: object) -> str | None:
    """Return the system prompt of a conversation; ``None`` without one."""
    for message in map(as_object, as_list(as_object(row).get("messages"))):
        content = message.get("content")
        if message.get("role") in _SYSTEM_ROLES and isinstance(content, str) and not is_blank(content):
            return content.strip()
    return None


def _text_of(options: ReadOptions, notes: _Notes, row: JsonObject) -> object:
    if options.text_column:
        return text_asked(row, options)
    if "prompt" in row and "messages" not in row:
        prompt = row["prompt"]
        return _END_OF_PROMPT.sub("", prompt) if isinstance(prompt, str) else prompt
    messages = messages_of(row.get("messages"))
    texts = [content_of(each) for each in messages[: _place_of_answer(messages)] if each["role"] == "user"]
    notes.num_long += len(texts) > 1
    return texts[-1] if texts else None


def _place_of_answer(messages: Sequence[JsonObject]) -> int:
    """Return where the answer stands that was to be learned; behind all messages where there is none."""
    places = [place for place, each in enumerate(messages) if each["role"] == "assistant" and each.get("weight") != 0]
    return places[-1] if places else len(messages)


def _labels_of(document: Document, row: JsonObject) -> list[str] | None:
    if "prompt" in row and "messages" not in row:
        if not isinstance(row.get("completion"), str):
            return None if row.get("completion") is None else labels_of(row["completion"])
        answer = _END_OF_COMPLETION.sub("", row["completion"]) or row["completion"]
    else:
        messages = messages_of(row.get("messages"))
        place = _place_of_answer(messages)
        if place == len(messages):
            if any(each["role"] == "assistant" for each in messages):
                raise NoExample("the weight of its answers is 0, so it is no example.")
            return None
        if messages[place].get("tool_calls") or messages[place].get("function_call"):
            raise NoExample("its answer is the call of a function, so it is no example.")
        answer = content_of(messages[place])
    return fitting_labels(_labels_in(document, answer.strip()), document.options, why_none="its answer names no label")


def _labels_in(document: Document, answer: str) -> list[str]:
    """Return the labels in an answer: it as a whole, its parts, or what its JSON holds."""
    asked = place_asked(document.options)
    value = _json_of(answer) if asked not in _WHOLE_ANSWER else None
    if isinstance(value, list):
        return labels_of(value)
    if isinstance(value, dict):
        return labels_of(_answer_in(document, value, asked))
    if asked is not None and asked not in _WHOLE_ANSWER:
        words = "its answer is no JSON with {asked!r}. Correct or remove that row."
        raise NoExample(words, is_wrong=True, asked=asked)
    if separator := document.options.label_separator:
        return labels_of([part for part in answer.split(separator) if part.strip()])
    return labels_of(answer)


def _json_of(answer: str) -> object:
    if not answer.startswith(("{", "[")):
        return None
    try:
        value, end = parse_value(answer)
    except ValueError:
        return None
    return value if end == len(answer) else None


def _answer_in(document: Document, value: dict[str, Any], asked: str | None) -> object:
    """Return what an answer in JSON holds as its label.

    Raises:
        InvalidFile: It is not clear which of its keys that is.
    """
    key = asked or next((key for key in _ANSWER_KEYS if key in value), None)
    if key is None:
        words = (
            "its answers are JSON with {names:quoted}, and it is not clear which of them is the label. Name it with "
        )
        words += "{arg:label_column}."
        raise document.error(words, parameter="label_column", names=sorted(value))
    found = value_at(value, key)
    if found is None:
        words = "its answer has no {key!r}. Correct or remove that row."
        raise NoExample(words, is_wrong=True, key=key)
    return found


def _refusing_prose(document: Document, rows: Iterator[Example | LeftOut]) -> Iterator[Example | LeftOut]:
    """Yield rows whose labels are labels.

    Raises:
        InvalidFile: They are prose.
    """
    first = list(islice(rows, _LOOKED_AT_ROWS))
    labels = [label for row in first for label in _labels(row)]
    if _is_prose(labels):
        raise _prose(document, labels)
    yield from first
    seen = dict.fromkeys(labels)
    for row in rows:
        seen.update(dict.fromkeys(_labels(row)))
        if len(seen) > _MAX_LABELS:
            raise _prose(document, list(seen))
        yield row


def _labels(row: Example | LeftOut) -> Iterable[str]:
    return row.labels or () if isinstance(row, Example) else ()


def _is_prose(labels: Sequence[str]) -> bool:
    """Return whether answers look like sentences, each its own, rather than like labels that recur."""
    if not labels:
        return False
    distinct = set(labels)
    usual_chars = statistics.median(map(len, labels))
    usual_words = statistics.median(len(label.split()) for label in labels)
    hardly_recur = 2 * len(distinct) > len(labels)
    return (
        len(distinct) > _MAX_LABELS
        or (hardly_recur and (len(distinct) > _FEW_LABELS or usual_words > _MAX_USUAL_WORDS))
        or usual_chars > _MAX_USUAL_CHARS
    )


def _prose(document: Document, labels: Sequence[str]) -> Exception:
    example = max(labels, key=len)
    return document.error(
        "its answers look like prose rather than labels: there are {distinct} different ones, such as {example!r}. A "
        "classifier learns labels that recur. If they are labels all the same, add {set:label_column=content}.",
        parameter=parameter_asked(document.options),
        distinct=len(set(labels)),
        example=example if len(example) <= _MAX_USUAL_CHARS else f"{example[: _MAX_USUAL_CHARS - 1]}…",
    )


FORMAT: Final = FileFormat(
    name="openai", title="OpenAI fine-tuning JSONL (chat, or prompt and completion)", sniff=_sniff, read=_read
)
