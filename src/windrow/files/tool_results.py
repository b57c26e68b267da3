"""Rows with their predictions as labelling tools import them: tasks of Label Studio, records of Argilla, and so on.

A row that came from the tool keeps its record; what people have labelled is never replaced by a prediction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TextIO

from windrow.domain.prediction import Kind, Prediction
from windrow.files.formats.label_studio import BETWEEN_LEVELS, CONTROLS, Control
from windrow.files.reading import Record
from windrow.files.text_form import PLAIN, TextForm
from windrow.files.writing import SCORE_DECIMALS, Gained, JsonLinesWriter, JsonListWriter, JsonShape, RowWriter

ToolResultFormat = Literal["label_studio", "argilla", "doccano", "prodigy"]
# So many rows are looked at for what the tool calls its labels.
HELD_ROWS: Final = 1_000
_FROM_NAME: Final = "label"
_TO_NAME: Final = "text"
_LABEL_KEYS: Final = ("label", "labels", "cats")
# What stands behind the question's name in a record of Argilla that is flat.
_SUGGESTION: Final = ".suggestion"
_RESPONSES: Final = ".responses"
# Of the record of Prodigy, which numbers a task by its text and its labels.
_TASK_HASH: Final = "_task_hash"


@dataclass(frozen=True, slots=True)
class ToolNames:
    """What a labelling tool calls the parts of a project."""

    from_name: str | None = None
    """In Label Studio, the name of the choices; in Argilla, that of the question."""
    to_name: str | None = None
    """In Label Studio, the name of the text."""
    control: Control = "choices"
    """In Label Studio, the kind of control that is answered."""
    is_nested: bool = False
    """In Label Studio, whether a label is the path to what is chosen: of a taxonomy always, of choices where the rows
    show it."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What is the same for all rows."""

    reference: str
    """The revision that answers, ``name@revision``."""
    labels: tuple[str, ...]
    """Its labels."""
    kind: Kind = "single_label"
    """Whether it gives one label, or any number of them."""
    names: ToolNames = field(default_factory=ToolNames)
    """What the user calls the parts of the project; what is ``None`` is taken from the rows."""


@dataclass(slots=True)
class ToolWriter:
    """Writes rows for a labelling tool, whose names it takes from the first rows that tell them.

    Args:
        file: The output.
        format: The tool.
        context: What is the same for all rows.
        form: How the text is written.
        remark: What to do in the tool, once that is known; empty for nothing.
    """

    file: TextIO
    format: ToolResultFormat
    context: ToolContext
    form: TextForm = PLAIN
    remark: str = ""
    _held: list[tuple[Record, Gained]] = field(default_factory=list)
    _writer: RowWriter | None = None

    def write(self, records: Sequence[Record], predictions: Sequence[Gained]) -> None:
        """Write rows with their predictions, at the latest behind the thousandth one."""
        if self._writer is not None:
            self._writer.write(records, predictions)
            return
        self._held += zip(records, predictions, strict=True)
        found = self._find_names(records)
        if found is not None or len(self._held) >= HELD_ROWS:
            self._begin(found)

    def end(self) -> None:
        """Write what is held, and the end of the output."""
        writer = self._writer or self._begin(None)
        writer.end()

    def _find_names(self, records: Sequence[Record]) -> ToolNames | None:
        look = _FINDERS.get(self.format)
        if look is None:
            return ToolNames()
        return next((names for record in records if (names := look(record.values)) is not None), None)

    def _begin(self, found: ToolNames | None) -> RowWriter:
        given, told = self.context.names, found or ToolNames()
        names = replace(told, from_name=given.from_name or told.from_name, to_name=given.to_name or told.to_name)
        if self.format == "label_studio" and found is None and given.from_name is None:
            self.remark = (
                f"Label Studio shows these predictions where the Choices are called {_FROM_NAME!r} and the Text "
                f"{names.to_name or _TO_NAME!r}; other names with --from-name and --to-name."
            )
        if self.format == "argilla" and found is None and given.from_name is None:
            self.remark = (
                f"Argilla shows these suggestions for a question called {_FROM_NAME!r}; another with --from-name."
            )
        shape = _SHAPES[self.format](replace(self.context, names=names))
        kind = JsonListWriter if self.format in ("label_studio", "argilla") else JsonLinesWriter
        self._writer = writer = kind(self.file, shape, self.form)
        if self._held:
            records, predictions = zip(*self._held, strict=True)
            writer.write(records, predictions)
            self._held.clear()
        return writer


def _find_choices(values: Mapping[str, object]) -> ToolNames | None:
    """Return what a task of Label Studio calls its choices and its text, and whether these are nested."""
    for kind in ("annotations", "completions", "predictions"):
        for annotation in _objects(values.get(kind)):
            for result in _objects(annotation.get("result")):
                control = next((each for each in CONTROLS if each == result.get("type")), None)
                if control is not None and isinstance(result.get("from_name"), str):
                    to_name = result.get("to_name") if isinstance(result.get("to_name"), str) else None
                    return ToolNames(result["from_name"], to_name, control, _is_nested(control, result.get("value")))
    return None


def _is_nested(control: Control, value: object) -> bool:
    """Whether what was chosen is paths, as in a taxonomy, and in choices that allow it."""
    chosen = value.get(control) if isinstance(value, Mapping) else None
    return control == "taxonomy" or (isinstance(chosen, list) and any(isinstance(each, list) for each in chosen))


def _find_question(values: Mapping[str, object]) -> ToolNames | None:
    """Return what a record of Argilla calls its question."""
    for name in values:
        if name.endswith((_SUGGESTION, _RESPONSES)):
            return ToolNames(name.rpartition(".")[0])
    for response in _objects(values.get("responses")):
        answered = response.get("values")
        if isinstance(answered, Mapping) and answered:
            return ToolNames(str(next(iter(answered))))
    for kind in ("responses", "suggestions"):
        asked = values.get(kind)
        if isinstance(asked, Mapping) and asked:
            return ToolNames(str(next(iter(asked))))
    return None


def _label_studio(context: ToolContext) -> JsonShape:
    from_name, to_name = context.names.from_name or _FROM_NAME, context.names.to_name or _TO_NAME
    control, is_nested = context.names.control, context.names.is_nested

    def shape(record: Record, gained: Gained) -> Mapping[str, object]:
        values = record.values
        is_task = isinstance(values.get("data"), Mapping)
        task = dict(values) if is_task else {"data": _with_text(record)}
        kept = [each for each in _objects(task.get("predictions")) if each.get("model_version") != context.reference]
        if isinstance(gained, Prediction) and not gained.abstained:
            paths = [label.split(BETWEEN_LEVELS) for label in gained.given]
            chosen = {control: paths if is_nested else list(gained.given)}
            result = {"from_name": from_name, "to_name": to_name, "type": control, "value": chosen}
            results = [result] if gained.given else []
            kept.append({"model_version": context.reference, "score": _score(gained), "result": results})
        return {**task, "predictions": kept}

    return shape


def _argilla(context: ToolContext) -> JsonShape:
    question = context.names.from_name or _FROM_NAME

    def shape(record: Record, gained: Gained) -> Mapping[str, object]:
        values, told = record.values, _suggestion(context, gained)
        if _is_flat(values):
            own = {f"{question}{_SUGGESTION}{name}": None for name in ("", ".score", ".agent")}
            told_flat = {f"{question}{_SUGGESTION}{'.' if name else ''}{name}": value for name, value in told.items()}
            return {**values, **own, **told_flat}
        if not isinstance(values.get("fields"), Mapping):
            beside = {name: value for name, value in values.items() if value != record.text}
            values = {"fields": {"text": record.text}, "metadata": beside}
        before = values.get("suggestions")
        named = {("value" if name == "" else name): value for name, value in told.items()}
        if isinstance(before, list):
            listed = [each for each in _objects(before) if each.get("question_name") != question]
            return {**values, "suggestions": [*listed, *([{"question_name": question, **named}] if named else [])]}
        others = before if isinstance(before, Mapping) else {}
        suggestions = {name: each for name, each in others.items() if name != question}
        return {**values, "suggestions": {**suggestions, **({question: named} if named else {})}}

    return shape


def _suggestion(context: ToolContext, gained: Gained) -> dict[str, object]:
    """Return a suggestion of Argilla, its value without a name; empty where there is none."""
    if not isinstance(gained, Prediction) or gained.abstained:
        return {}
    if context.kind == "multi_label":
        scores = [_rounded(gained.scores.get(label, 0.0)) for label in gained.given]
        return {"": list(gained.given), "score": scores, "agent": context.reference}
    return {"": gained.label, "score": _score(gained), "agent": context.reference}


def _is_flat(values: Mapping[str, object]) -> bool:
    """Whether a record of Argilla has its fields and questions beside each other."""
    return any(name.endswith((_SUGGESTION, _RESPONSES)) for name in values)


def _doccano(context: ToolContext) -> JsonShape:
    def shape(record: Record, gained: Gained) -> Mapping[str, object]:
        values = _with_text(record)
        key = next((name for name in _LABEL_KEYS if name in values), _LABEL_KEYS[0])
        told = _told(context, gained)
        if values.get(key):
            return {**values, **told}
        given = gained.given if isinstance(gained, Prediction) else ()
        return {**values, key: list(given), **told}

    return shape


def _prodigy(context: ToolContext) -> JsonShape:
    options = [{"id": label, "text": label} for label in context.labels]

    def shape(record: Record, gained: Gained) -> Mapping[str, object]:
        values = record.values
        is_task = any(name in values for name in ("answer", "_input_hash", "options", "meta"))
        if is_task:
            task = dict(values)
        else:
            others = {name: value for name, value in values.items() if value != record.text}
            task = {"text": record.text, **({"meta": others} if others else {})}
        meta = task.get("meta")
        told = {**(meta if isinstance(meta, Mapping) else {}), **_told(context, gained)}
        if task.get("answer"):
            return {**task, "meta": told}
        task.pop(_TASK_HASH, None)
        given = list(gained.given) if isinstance(gained, Prediction) else []
        if "label" in task and context.kind == "single_label":
            return {**task, "label": given[0] if given else task["label"], "meta": told}
        own = _objects(task.get("options"))
        accept = [_id_among(own, label) for label in given]
        return {**task, "options": task.get("options") or options, "accept": accept, "meta": told}

    return shape


def _id_among(options: Sequence[Mapping[str, Any]], label: str) -> object:
    """Return by which id a task of Prodigy knows a label."""
    return next((each.get("id", label) for each in options if label in (each.get("id"), each.get("text"))), label)


def _told(context: ToolContext, gained: Gained) -> dict[str, object]:
    """Return what a tool without predictions shows of one beside its record."""
    if not isinstance(gained, Prediction):
        return {"note": gained.words}
    several = context.kind == "multi_label"
    label = {"predicted_labels": gained.labels} if several else {"predicted_label": gained.label}
    return {**label, "score": _score(gained), "model": context.reference}


def _with_text(record: Record) -> dict[str, object]:
    """Return a row's columns, with its text under the key at which tools look for it."""
    values = dict(record.values)
    return values if "text" in values else {"text": record.text, **values}


def _score(prediction: Prediction) -> float:
    return _rounded(max(prediction.scores.values()))


def _rounded(score: float) -> float:
    return round(score, SCORE_DECIMALS)


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


_FINDERS: Final[Mapping[str, Callable[[Mapping[str, object]], ToolNames | None]]] = {
    "argilla": _find_question,
    "label_studio": _find_choices,
}
_SHAPES: Final[Mapping[ToolResultFormat, Callable[[ToolContext], JsonShape]]] = {
    "argilla": _argilla,
    "doccano": _doccano,
    "label_studio": _label_studio,
    "prodigy": _prodigy,
}
