"""The steps from older formats to the newest one: from parsed documents to parsed documents.

Each step is written once and stays as it is; the golden folders in the tests prove it.
"""

from typing import Any

from windrow.domain.words import literal

Plain = dict[str, Any]

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
