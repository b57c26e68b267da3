"""The steps from older formats to the newest one: from parsed documents to parsed documents.

Each step is written once and stays as it is; the golden folders in the tests prove it.
"""

from typing import Any

from windrow.domain.words import literal

Plain = dict[str, Any]

_BASE_MODEL = {"id": "base_model", "digest": "base_model_digest", "revision": "base_model_revision"}
# Codes of errors that have another name since.
_CODES = {
    "abandoned": "client_closed_request",
    "archive_invalid": "invalid_archive",
    "artifact_invalid": "invalid_artifact",
    "base_model_invalid": "invalid_base_model",
    "rows_not_kept": "training_data_not_kept",
}


def from_format_1(document: Plain) -> Plain:
    """Return a document of format 1, without its number, as format 2 has it.

    Format 1 had names of its own for what the API calls otherwise, and nested what is flat since.

    Raises:
        KeyError: It lacks a member.
        ValueError: It has one that format 2 has elsewhere.
        TypeError: A member is of another type.
    """
    if "job" in document:
        return {**document, "job": _job(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": _entry(document["entry"])}
    if "said" in document:
        return _joined(_without(document, "said"), _renamed(document["said"], by="author"))
    return _entry(document) if "record" in document else document


def _entry(old: Plain) -> Plain:
    test, threshold = old["test"], old["threshold"]
    said = {
        "test": None if test is None else _renamed(test, data_sha256="test_data_sha256"),
        "threshold_changes": [] if threshold is None else [_threshold_change(threshold)],
        "origin": old["origin"],
    }
    kept = _without(old, "record", "notes", "test", "threshold", "origin")
    return _joined(kept, {"record": _joined(_record(old["record"]), old["notes"], said)})


def _threshold_change(old: Plain) -> Plain:
    """Return a threshold that an evaluation had set as the first change of one."""
    known = {"abstain_below", "target_precision", "correct", "answered", "total", "data_sha256", "measured_at"}
    if unknown := old.keys() - known:
        raise ValueError(f"{min(unknown)} is no member of a threshold")
    precision, counts = old["target_precision"], [old[name] for name in ("correct", "answered", "total")]
    old["data_sha256"].encode()  # what was no text was no threshold
    if {type(each) for each in counts} != {int} or precision is True:
        raise TypeError("its threshold has members of other types")
    correct, answered, total = counts
    if not 0 <= correct <= answered <= total < 2**53 or answered < 1 or not 0 <= precision <= 1:
        raise ValueError("its threshold is none")
    reason = f"Set by an evaluation for {precision:.1%} right answers: {correct} of {answered} were, {total} test rows."
    after = {"abstain_below": old["abstain_below"]}
    return {"author": "", "reason": reason, "at": old["measured_at"], "before": None, "after": after}


def _record(old: Plain) -> Plain:
    summary, rows = old["summary"], old["rows_per_label"]
    majority = max(rows.values()) / max(1, sum(rows.values()))
    report = _joined(old["data"], {"estimate": summary["estimate"], "majority_accuracy": majority})
    flat = _without(old, "base_model", "recipe", "summary", "data")
    new = _renamed(flat, data_sha256="training_data_sha256", training_time_s="training_time_seconds")
    base_model = {_BASE_MODEL.get(name, f"base_model.{name}"): value for name, value in old["base_model"].items()}
    reports = {**_without(summary, "estimate"), **_reports(summary)}
    return _joined(new, old["recipe"], base_model, reports, {"report": report})


def _reports(summary: Plain) -> Plain:
    """Return what a training says about its head, its adapter and its scores."""
    adapter = summary["adapter"]
    if adapter is not None:
        if not isinstance(adapter["candidates"], list):  # an empty text or object would pass as one
            raise TypeError("candidates is no array")
        candidates = [_renamed(each, strength="scale") for each in adapter["candidates"]]
        adapter = {**_renamed(adapter, strength="scale", passes="epochs"), "candidates": candidates}
    return {
        "head": _renamed(summary["head"], strength="c"),
        "adapter": adapter,
        "scores": _renamed(summary["scores"], likeness="similarity", likeness_deviation="similarity_std"),
    }


def _job(old: Plain) -> Plain:
    new = _joined(_renamed(_without(old, "recipe"), data_sha256="training_data_sha256"), old["recipe"])
    if (problem := old["problem"]) is not None:
        told = {"code": _CODES.get(problem["code"], problem["code"]), "template": literal(problem["detail"])}
        new["problem"] = _joined(_without(problem, "code", "detail"), told)
    return new


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
        raise ValueError(f"{min(new)} is no member of format 1")
    return {names.get(name, name): value for name, value in old.items()}
