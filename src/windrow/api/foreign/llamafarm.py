"""LlamaFarm's classifiers as its clients send and read them: below ``/v1/ml/classifier`` and ``/v1/classifier``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from windrow.api.endpoints import DELETE, DESCRIBE, FIT, LIST_CLASSIFIERS, PREDICT, ROOT, SHOW, VERSION_ROOT
from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.reading import a_list, a_string, an_object, needed, refused
from windrow.codec.strict import short_key
from windrow.codec.validation import read_value
from windrow.codec.values import to_plain
from windrow.domain.classifier import (
    Classifier,
    DeleteRequest,
    DescribeRequest,
    FitRequest,
    FitResult,
    ModelRequest,
)
from windrow.domain.clock import utc_now
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import NotFound
from windrow.domain.listing import ListRequest
from windrow.domain.names import is_name
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.versions import read_version
from windrow.local_operations import LocalOperations

_ML_ROOT: Final = f"{VERSION_ROOT}/ml/classifier"
_LATEST: Final = "-latest"
_STAMP: Final = "%Y%m%d_%H%M%S"
_STAMPED: Final = re.compile(r"(?P<base>.+)_[0-9]{8}_[0-9]{6}")
_UNPROCESSABLE: Final = 422
_BAD_REQUEST: Final = 400
# What a fit of this format may say that means the same here.
_FIT_FIELDS: Final = ("base_model", "num_iterations", "batch_size", "description")
_UNUSED: Final[Mapping[str, str]] = {
    "epochs": "num_iterations says how long the encoder learns",
    "learning_rate": "the schedule of a training is fixed",
}


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as LlamaFarm writes it: a list of places for a body of another shape, or else a sentence."""
    status, code, told = problem["status"], problem.get("code", ""), problem.get("detail", "The request failed.")
    if code == "invalid_request":
        place = ["body", *problem.get("loc", ())]
        return _UNPROCESSABLE, {"detail": [{"loc": place, "msg": told, "type": "value_error"}], "code": code}
    return (_BAD_REQUEST if status == _UNPROCESSABLE else status), {"detail": told, "code": code}


LLAMAFARM: Final = Dialect("llamafarm", "LlamaFarm's classifiers, as its clients send and read them.", write_error)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A request to save what is saved already, and perhaps to describe it."""

    model_name: str
    description: str | None


def _model(received: Received) -> str:
    return a_string(needed(an_object(received.document, ()), "model", ()), ("model",))


def _read_fit(received: Received) -> FitRequest:
    body = an_object(received.document, ())
    name = a_string(needed(body, "model_name" if "model" not in body else "model", ()), ("model",))
    if _says_overwrite(body) is False:
        name = f"{name}_{utc_now():{_STAMP}}"
    given = {field: body[field] for field in _FIT_FIELDS if body.get(field) is not None}
    rows = _rows(needed(body, "training_data", ()))
    return read_value(FitRequest, {**given, "model_name": name, "training_data": rows})


def _says_overwrite(body: Mapping[str, Any]) -> bool:
    """Return whether a name gets a new revision; otherwise each training has a name of its own."""
    overwrite = body.get("overwrite", True)
    if not isinstance(overwrite, bool):
        raise refused(("overwrite",), "true or false is expected.")
    return overwrite


def _rows(data: object) -> object:
    """Return rows, which this format also sends as two columns."""
    if not isinstance(data, dict):
        return a_list(data, ("training_data",))
    texts, labels = (
        a_list(needed(data, name, ("training_data",)), ("training_data", name)) for name in ("texts", "labels")
    )
    if len(texts) != len(labels):
        problem = f"there are {len(texts)} texts and {len(labels)} labels. Send as many of one as of the other."
        raise refused(("training_data",), problem)
    return [
        {"text": text, ("labels" if isinstance(label, list) else "label"): label}
        for text, label in zip(texts, labels, strict=True)
    ]


def _warnings(received: Received) -> list[DataWarning]:
    """Return a warning for each member of a fit that has no meaning here."""
    known = {"model", "model_name", "training_data", "overwrite", *_FIT_FIELDS}
    return [
        DataWarning(
            "ignored_parameter",
            f"{short_key(name)} has no meaning here and was ignored"
            + (f": {_UNUSED[name]}." if name in _UNUSED else "."),
        )
        for name in received.document
        if name not in known
    ]


def _write_fit(received: Received, _request: Any, fitted: FitResult) -> ForeignReply:
    warnings = [to_plain(each) for each in (*fitted.warnings, *_warnings(received))]
    return ForeignReply(
        {
            "object": "fit_result",
            "model": fitted.model_name,
            "base_name": received.document["model"],
            "versioned_name": fitted.model_name,
            "overwrite": _says_overwrite(received.document),
            "base_model": fitted.base_model,
            "samples_fitted": fitted.num_examples,
            "num_classes": len(fitted.labels),
            "labels": list(fitted.labels),
            "training_time_ms": round(1000 * fitted.training_time_seconds, 1),
            "status": "fitted",
            "auto_saved": True,
            "saved_path": _path(fitted.model_name),
            "revision": fitted.revision,
            "warnings": warnings,
        }
    )


def _write_own_fit(received: Received, _request: Any, fitted: FitResult) -> ForeignReply:
    """Return Windrow's own reply to a request that names the classifier as Windrow does."""
    warnings = (*fitted.warnings, *_warnings(received))
    return ForeignReply(to_plain(replace(fitted, warnings=warnings)))


def _path(name: str) -> str:
    """Return where a classifier is, below the data directory."""
    return f"classifiers/{name}"


def _read_predict(received: Received) -> PredictRequest:
    texts = needed(an_object(received.document, ()), "texts", ())
    return read_value(PredictRequest, {"model_name": _model(received), "texts": a_list(texts, ("texts",))})


def _complete_predict(operations: LocalOperations, request: PredictRequest) -> PredictRequest:
    return replace(request, model_name=_resolve(operations, request.model_name or ""))


def _complete_model(operations: LocalOperations, request: ModelRequest) -> ModelRequest:
    return ModelRequest(_resolve(operations, request.model_name))


def _resolve(operations: LocalOperations, name: str) -> str:
    """Return what ``tickets-latest`` means, unless something is called so.

    It is the newest of ``tickets_DATE_TIME``, else ``tickets`` itself, else the highest of ``tickets_v1``,
    ``tickets_v2`` and so on.
    """
    stem = name.removesuffix(_LATEST)
    if stem == name or not is_name(stem) or _exists(operations, name):
        return name
    names = [each.name for each in operations.list_classifiers(ListRequest(prefix=f"{stem}_")).models]
    if stamped := [each for each in names if (found := _STAMPED.fullmatch(each)) and found["base"] == stem]:
        return max(stamped)
    has_versions = any((version := read_version(each)) is not None and version.task == stem for each in names)
    return f"{stem}@latest" if has_versions and not _exists(operations, stem) else stem


def _exists(operations: LocalOperations, name: str) -> bool:
    try:
        operations.show(ModelRequest(name))
    except NotFound:
        return False
    return True


def _write_predict(received: Received, request: PredictRequest, predictions: tuple[Prediction, ...]) -> ForeignReply:
    data = [
        {"text": text, **_entry(prediction)}
        for text, prediction in zip(received.document["texts"], predictions, strict=True)
    ]
    model = predictions[0].model_name if predictions else request.model_name
    return ForeignReply({"object": "list", "data": data, "total_count": len(data), "model": model})


def _write_classify(_received: Received, request: PredictRequest, predictions: tuple[Prediction, ...]) -> ForeignReply:
    data = [{"index": number, **_entry(prediction)} for number, prediction in enumerate(predictions)]
    model = predictions[0].model_name if predictions else request.model_name
    return ForeignReply({"object": "list", "data": data, "model": model})


def _entry(prediction: Prediction) -> dict[str, object]:
    """Return an answer: of several labels the best one, with all of them beside it."""
    label = prediction.label if prediction.labels is None else next(iter(prediction.labels), None)
    score = max(prediction.scores.values()) if label is None else prediction.scores[label]
    scores = dict(prediction.scores)
    entry: dict[str, object] = {"label": label, "score": score, "all_scores": scores, "in_scope": prediction.in_scope}
    return entry if prediction.labels is None else {**entry, "labels": list(prediction.labels)}


def _write_loaded(_received: Received, _request: Any, found: Classifier) -> ForeignReply:
    return ForeignReply(_told_of("load_result", "loaded", found))


def _write_saved(_received: Received, _request: Any, found: Classifier) -> ForeignReply:
    return ForeignReply(_told_of("save_result", "saved", found))


def _told_of(kind: str, status: str, found: Classifier) -> dict[str, object]:
    return {
        "object": kind,
        "model": found.name,
        "path": _path(found.name),
        "is_fitted": True,
        "labels": list(found.labels),
        "num_classes": len(found.labels),
        "status": status,
        "revision": found.revision,
    }


def _read_save(received: Received) -> _Saved:
    description = received.document.get("description") if isinstance(received.document, dict) else None
    name = _model(received)
    return _Saved(name, None if description is None else a_string(description, ("description",)))


def _save(operations: LocalOperations, request: _Saved) -> Classifier:
    """Describe what was saved when it was trained."""
    if request.description is None:
        return operations.show(ModelRequest(request.model_name))
    return operations.describe(DescribeRequest(request.model_name, request.description))


def _write_list(_received: Received, _request: Any, listing: Any) -> ForeignReply:
    newest_first = sorted(listing.models, key=lambda each: each.created_at, reverse=True)
    data = [_listed(each) for each in newest_first]
    return ForeignReply({"object": "list", "data": data, "models_dir": "classifiers", "total": len(data)})


def _listed(classifier: Classifier) -> dict[str, object]:
    stamped = _STAMPED.fullmatch(classifier.name)
    created: datetime = classifier.created_at.astimezone(UTC)
    return {
        "name": classifier.name,
        "base_name": classifier.name if stamped is None else stamped["base"],
        "path": _path(classifier.name),
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "modified": created.timestamp(),
        "is_versioned": stamped is not None,
        "labels": list(classifier.labels),
        "num_classes": len(classifier.labels),
        "description": classifier.description,
        "base_model": classifier.base_model,
        "num_examples": classifier.num_examples,
    }


def _write_deleted(_received: Received, request: DeleteRequest, _reply: Any) -> ForeignReply:
    name = request.model_name
    return ForeignReply(
        {"object": "delete_result", "model": name, "deleted": True, "status": "deleted", "model_name": name}
    )


def _names_model(members: Mapping[str, Any], *others: str) -> bool:
    return "model" in members and "model_name" not in members and all(name in members for name in others)


def _is_fit(members: Mapping[str, Any]) -> bool:
    return _names_model(members, "training_data")


def _is_own_fit(members: Mapping[str, Any]) -> bool:
    data = members.get("training_data")
    return "model_name" in members and "model" not in members and isinstance(data, dict) and "texts" in data


def _is_predict(members: Mapping[str, Any]) -> bool:
    return _names_model(members, "texts") and "labels" not in members


_FIT_ROW: Final = ForeignEndpoint(
    dialect=LLAMAFARM,
    method="POST",
    path=f"{_ML_ROOT}/fit",
    verb=FIT,
    read=_read_fit,
    write=_write_fit,
    summary="Train a classifier, as LlamaFarm's clients ask for it",
)
_PREDICT_ROW: Final = ForeignEndpoint(
    dialect=LLAMAFARM,
    method="POST",
    path=f"{_ML_ROOT}/predict",
    verb=PREDICT,
    read=_read_predict,
    complete=_complete_predict,
    write=_write_predict,
    summary="Ask a classifier, as LlamaFarm's clients do",
)
_LOAD_ROW: Final = ForeignEndpoint(
    dialect=LLAMAFARM,
    method="POST",
    path=f"{_ML_ROOT}/load",
    verb=replace(SHOW, or_scope="predict"),
    read=lambda received: ModelRequest(_model(received)),
    complete=_complete_model,
    write=_write_loaded,
    summary="Say that a classifier answers, which needs no loading here",
)
_SAVE_ROW: Final = ForeignEndpoint(
    dialect=LLAMAFARM,
    method="POST",
    path=f"{_ML_ROOT}/save",
    verb=DESCRIBE,
    read=_read_save,
    act=_save,
    write=_write_saved,
    summary="Say that a classifier is saved, and describe it",
)

ROWS: Final = (
    _FIT_ROW,
    _PREDICT_ROW,
    _LOAD_ROW,
    _SAVE_ROW,
    ForeignEndpoint(
        dialect=LLAMAFARM,
        method="GET",
        path=f"{_ML_ROOT}/models",
        verb=LIST_CLASSIFIERS,
        read=lambda _: ListRequest(),
        write=_write_list,
        summary="List the classifiers, the newest first, as LlamaFarm's clients read them",
    ),
    ForeignEndpoint(
        dialect=LLAMAFARM,
        method="DELETE",
        path=f"{_ML_ROOT}/models/{{model}}",
        verb=DELETE,
        read=lambda received: DeleteRequest(received.path["model"]),
        write=_write_deleted,
        summary="Delete a classifier; it can be restored",
    ),
    replace(_LOAD_ROW, path=f"{ROOT}/load"),
    replace(_SAVE_ROW, path=f"{ROOT}/save"),
    replace(_FIT_ROW, path=f"{ROOT}/fit", is_meant=_is_fit),
    replace(
        _FIT_ROW,
        path=f"{ROOT}/fit",
        is_meant=_is_own_fit,
        write=_write_own_fit,
        summary="Train a classifier on rows in two columns; Windrow's own reply",
    ),
    replace(_PREDICT_ROW, path=f"{ROOT}/predict", is_meant=_is_predict),
    replace(
        _PREDICT_ROW,
        path=f"{VERSION_ROOT}/classify",
        is_meant=_is_predict,
        write=_write_classify,
        summary="Ask a classifier, as LlamaFarm's runtime is asked for one of Hugging Face",
    ),
)
