"""The steps from older formats to the newest one: from parsed documents to parsed documents.

Each step is written once and stays as it is; the golden folders in the tests prove it.
"""

from typing import Any

from windrow.domain.words import literal

Plain = dict[str, Any]


def from_format_1(document: Plain) -> Plain:
    """Return a document of format 1, without its number, as format 2 has it.

    Format 1 had names of its own for what the API calls otherwise, and nested what is flat since.

    Raises:
        KeyError: It lacks a member.
    """
    if "job" in document:
        return {"owner": document["owner"], "job": _job(document["job"])}
    if document.get("kind") == "export":
        return {**document, "entry": _entry(document["entry"])}
    if "said" in document:
        rest = {name: value for name, value in document.items() if name != "said"}
        return {**rest, **document["said"]}
    return _entry(document) if "record" in document else document


def _entry(old: Plain) -> Plain:
    notes, test, threshold = old["notes"], old["test"], old["threshold"]
    more = {"description": notes["description"], "tags": notes["tags"], "origin": old["origin"]}
    more["test"] = None if test is None else _renamed(test, data_sha256="test_data_sha256")
    more["threshold"] = None if threshold is None else _renamed(threshold, data_sha256="test_data_sha256")
    kept = {name: old[name] for name in ("kind", "at", "blobs", "purged", "buried")}
    return {**kept, "record": {**_record(old["record"]), **more}}


def _record(old: Plain) -> Plain:
    summary, rows, base_model = old["summary"], old["rows_per_label"], old["base_model"]
    report = {**old["data"], "estimate": summary["estimate"]}
    report["majority_accuracy"] = max(rows.values()) / max(1, sum(rows.values()))
    parts = ("base_model", "recipe", "summary", "data")
    flat = {name: value for name, value in old.items() if name not in parts}
    new = _renamed(flat, data_sha256="training_data_sha256", training_time_s="training_time_seconds")
    named = {"base_model": base_model["id"], "base_model_digest": base_model["digest"]}
    told = {name: summary[name] for name in ("head", "adapter", "scores", "versions")}
    return {**new, **old["recipe"], **named, "base_model_revision": base_model["revision"], **told, "report": report}


def _job(old: Plain) -> Plain:
    rest = {name: value for name, value in old.items() if name != "recipe"}
    new = {**_renamed(rest, data_sha256="training_data_sha256"), **old["recipe"]}
    if old["problem"] is not None:
        problem = old["problem"]
        new["problem"] = {"code": problem["code"], "template": literal(problem["detail"]), "facts": problem["facts"]}
    return new


def _renamed(old: Plain, **names: str) -> Plain:
    return {names.get(name, name): value for name, value in old.items()}
