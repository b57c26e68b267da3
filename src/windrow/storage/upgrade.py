"""The steps from older formats to the newest one: from parsed documents to parsed documents.

Each step is written once and stays as it is; the golden folders in the tests prove it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from windrow.domain.words import literal

Plain = dict[str, Any]

_THRESHOLD = {"abstain_below", "target_precision", "correct", "answered", "total", "test_data_sha256", "measured_at"}
# Codes of errors that format 3 calls otherwise.
_CODES = {
    "abandoned": "client_closed_request",
    "archive_invalid": "invalid_archive",
    "artifact_invalid": "invalid_artifact",
    "base_model_invalid": "invalid_base_model",
    "rows_not_kept": "training_data_not_kept",
}
# How far a job is, which servers of an object store tell each other.
_PROGRESS = {"stage", "step", "num_steps", "loss", "seconds_left"}
_BASE_MODEL = {"id": "base_model", "digest": "base_model_digest", "revision": "base_model_revision"}


def from_format_1(document: Plain) -> Plain:
    """Return a document of format 1, without its number, as format 2 has it.

    Format 1 had names of its own for what the API calls otherwise, and nested what is flat since.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 2 has elsewhere.
    """
    if "job" in document:
        return {**document, "job": _job(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": _entry(document["entry"])}
    if "said" in document:
        return _joined(_without(document, "said"), document["said"])
    return _entry(document) if "record" in document else document


def _entry(old: Plain) -> Plain:
    test, threshold = old["test"], old["threshold"]
    said = {
        "test": None if test is None else _renamed(test, data_sha256="test_data_sha256"),
        "threshold": None if threshold is None else _renamed(threshold, data_sha256="test_data_sha256"),
        "origin": old["origin"],
    }
    kept = _without(old, "record", "notes", "test", "threshold", "origin")
    return _joined(kept, {"record": _joined(_record(old["record"]), old["notes"], said)})


def _record(old: Plain) -> Plain:
    summary, rows = old["summary"], old["rows_per_label"]
    majority = max(rows.values()) / max(1, sum(rows.values()))
    report = _joined(old["data"], {"estimate": summary["estimate"], "majority_accuracy": majority})
    flat = _without(old, "base_model", "recipe", "summary", "data")
    new = _renamed(flat, data_sha256="training_data_sha256", training_time_s="training_time_seconds")
    base_model = {_BASE_MODEL.get(name, f"base_model.{name}"): value for name, value in old["base_model"].items()}
    return _joined(new, old["recipe"], base_model, _without(summary, "estimate"), {"report": report})


def _job(old: Plain) -> Plain:
    new = _joined(_renamed(_without(old, "recipe"), data_sha256="training_data_sha256"), old["recipe"])
    if (problem := old["problem"]) is not None:
        new["problem"] = _joined(_without(problem, "detail"), {"template": literal(problem["detail"])})
    return new


def from_format_2(document: Plain) -> Plain:
    """Return a document of format 2, without its number and digest, as format 3 has it.

    Format 3 renames some members as the API did, and keeps the changes of a threshold where format 2 kept the last
    threshold that an evaluation had set.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 2 has not.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _job_3(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": {**document["entry"], "record": _record_3(document["entry"]["record"])}}
    if "by" in document:
        return _renamed(document, by="author")
    return {**document, "record": _record_3(document["record"])} if "record" in document else document


def _record_3(old: Plain) -> Plain:
    adapter, threshold = old["adapter"], old["threshold"]
    if adapter is not None:
        if not isinstance(adapter["candidates"], list):  # an empty text or object would pass as one
            raise TypeError("candidates is no array")
        candidates = [_renamed(each, strength="scale") for each in adapter["candidates"]]
        adapter = {**_renamed(adapter, strength="scale", passes="epochs"), "candidates": candidates}
    changed = {
        "head": _renamed(old["head"], strength="c"),
        "adapter": adapter,
        "scores": _renamed(old["scores"], likeness="similarity", likeness_deviation="similarity_std"),
        "threshold_changes": [] if threshold is None else [_threshold_change(threshold)],
    }
    return _joined(_without(old, "head", "adapter", "scores", "threshold"), changed)


def _threshold_change(old: Plain) -> Plain:
    """Return a threshold that an evaluation had set as the first change of one."""
    if unknown := old.keys() - _THRESHOLD:
        raise ValueError(f"{min(unknown)} is no member of a threshold")
    precision, counts = old["target_precision"], [old[name] for name in ("correct", "answered", "total")]
    old["test_data_sha256"].encode()  # what was no text was no threshold
    if {type(each) for each in counts} != {int} or precision is True:
        raise TypeError("its threshold has members of other types")
    correct, answered, total = counts
    if not 0 <= correct <= answered <= total < 2**53 or answered < 1 or not 0 <= precision <= 1:
        raise ValueError("its threshold is none")
    reason = f"Set by an evaluation for {precision:.1%} right answers: {correct} of {answered} were, {total} test rows."
    after = {"abstain_below": old["abstain_below"]}
    return {"author": "", "reason": reason, "at": old["measured_at"], "before": None, "after": after}


def _job_3(old: Plain) -> Plain:
    problem = old["problem"]
    return (
        old
        if problem is None
        else {**old, "problem": {**problem, "code": _CODES.get(problem["code"], problem["code"])}}
    )


def from_format_3(document: Plain) -> Plain:
    """Return a document of format 3, without its number and digest, as format 4 has it.

    Format 4 says which API key acted, and which rows were erased; before, there was neither.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 3 has not.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _by_no_key(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": _state_4(document["entry"])}
    if "author" in document:
        return _joined(_by_no_key(document), {"purged": []})
    if document.get("kind") == "deleted":
        return _joined(document, {"erased": {}})
    return _state_4(document) if "record" in document else document


def _state_4(old: Plain) -> Plain:
    return _joined({**old, "record": _record_4(old["record"])}, {"erased": {}})


def _record_4(old: Plain) -> Plain:
    if not isinstance(old["threshold_changes"], list):  # an empty text or object would pass as one
        raise TypeError("threshold_changes is no array")
    return {**_by_no_key(old), "threshold_changes": [_by_no_key(each) for each in old["threshold_changes"]]}


def from_format_4(document: Plain) -> Plain:
    """Return a document of format 4, without its number and digest, as format 5 has it.

    Format 5 says which rows a training took over from another revision; before, there was no such thing.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 4 has not.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _extending_nothing(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": _state_5(document["entry"])}
    return _state_5(document) if "record" in document else document


def _state_5(old: Plain) -> Plain:
    return {**old, "record": _extending_nothing(old["record"])}


def _extending_nothing(old: Plain) -> Plain:
    return _joined(old, {"extends": None, "taken_over_rows": 0, "replaced_rows": 0})


def from_format_5(document: Plain) -> Plain:
    """Return a document of format 5, without its number and digest, as format 6 has it.

    Format 6 has jobs that classify files; before, each job was a training.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 5 has not.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _joined(document["job"], {"kind": "fit", "files": None})}
    if document.keys() == _PROGRESS:
        return _joined(document, {"shards": 0, "num_shards": 0})
    return document


def from_format_6(document: Plain) -> Plain:
    """Return a document of format 6, without its number and digest, as format 7 has it.

    Format 7 has classifiers that give any number of labels, descriptions of labels, and classifiers without rows.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 6 has not.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _joined(document["job"], {"label_descriptions": {}})}
    if document.get("kind") == "export":
        return {**document, "entry": _state_7(document["entry"])}
    return _state_7(document) if "record" in document else document


def _state_7(old: Plain) -> Plain:
    return {**old, "record": _record_7(old["record"])}


def _record_7(old: Plain) -> Plain:
    report, changes = old["report"], old["threshold_changes"]
    figures: Plain = {"micro_f1": None, "macro_f1": None}
    if not isinstance(changes, list):  # an empty text or object would pass as one
        raise TypeError("threshold_changes is no array")
    known = {
        "report": {**report, "estimate": _unless_none(report["estimate"], figures)},
        "test": _unless_none(old["test"], {"micro_f1": None}),
        "threshold_changes": [_threshold_change_7(each) for each in changes],
    }
    new = {
        "num_examples": sum(old["rows_per_label"].values()),
        "kind": "single_label",
        "source": "examples",
        "label_descriptions": {},
        "label_thresholds": {},
    }
    return {**_joined(old, new), **known}


def _threshold_change_7(old: Plain) -> Plain:
    new: Plain = {"label_thresholds": {}}
    return {**old, "before": _unless_none(old["before"], new), "after": _unless_none(old["after"], new)}


def _unless_none(old: Plain | None, new: Plain) -> Plain | None:
    return None if old is None else _joined(old, new)


def _by_no_key(old: Plain) -> Plain:
    return _joined(old, {"key_name": None})


def _joined(*parts: Plain) -> Plain:
    """Return the members of all parts; what no part should have stays, so that it is refused as unknown."""
    joined: Plain = {}
    for part in parts:
        if twice := joined.keys() & part.keys():
            raise ValueError(f"{min(twice)} stands in two places")
        joined.update(part)
    return joined


def _without(old: Plain, *names: str) -> Plain:
    return {name: value for name, value in old.items() if name not in names}


def _renamed(old: Plain, **names: str) -> Plain:
    if new := old.keys() & set(names.values()):
        raise ValueError(f"{min(new)} is no member of an older format")
    return {names.get(name, name): value for name, value in old.items()}


# The step from each older format to the one after it.
STEPS: Final[Mapping[int, Callable[[Plain], Plain]]] = {
    1: from_format_1,
    2: from_format_2,
    3: from_format_3,
    4: from_format_4,
    5: from_format_5,
    6: from_format_6,
}
