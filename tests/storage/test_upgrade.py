"""Documents of older formats: nothing is read but what they may say, and that with equal values.

The values are compared in ``test_artifact_golden``.
"""

import json

import pytest

from tests.storage.mutants import GOLDEN, documents, mutants
from windrow.domain.errors import InvalidArtifact
from windrow.storage.format import Mismatch
from windrow.storage.revision import entry_from_json
from windrow.storage.upgrade import from_format_1

OLD = GOLDEN / "format-1"
READERS = documents(1)


@pytest.mark.parametrize("name", list(READERS))
def test_what_format_1_never_said_is_refused(name: str) -> None:
    data, look = READERS[name]
    look(data)
    look(json.dumps(json.loads(data)).encode())
    whole, accepted = json.loads(data), []
    # The names of format 2 are none of format 1.
    later = ("reason", "description", "base_model_digest", "report", "training_data_sha256", "sha256")
    newer = ((name, json.dumps({**whole, name: "a"}).encode()) for name in later)
    for done, mutant in (*mutants(data), *newer):
        try:
            look(mutant)
        except (InvalidArtifact, Mismatch):
            continue
        accepted.append(done)
    assert accepted == []


def test_every_kind_of_document_is_among_them() -> None:
    kinds = {json.loads(data).get("kind", "job") for data, _ in READERS.values()}
    assert kinds == {
        *("trained", "imported", "described", "measured", "restored", "trimmed", "deleted", "purged"),
        *("promoted", "rolled_back", "removed", "job", "export"),
    }


@pytest.mark.parametrize("depth", [200, 900, 990, 2_000, 100_000])
def test_however_deep_a_document_is_it_is_refused(depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    for document in (deep, b'{"format": 1, "kind": "deleted", "at": %b}' % deep):
        with pytest.raises(InvalidArtifact):
            entry_from_json("tickets", 1, document)


def test_the_share_of_the_most_frequent_label_is_added() -> None:
    plain = json.loads((OLD / "classifiers/tickets/000002.json").read_bytes())
    plain["record"]["rows_per_label"] = {"billing": 3, "bug": 1}
    assert from_format_1(plain)["record"]["report"]["majority_accuracy"] == 0.75


def test_a_number_beyond_all_bounds_is_refused() -> None:
    plain = json.loads((OLD / "classifiers/tickets/000002.json").read_bytes())
    plain["record"]["rows_per_label"] = {"billing": 10**400, "bug": 1 - 10**400}
    with pytest.raises(InvalidArtifact):
        entry_from_json("tickets", 2, json.dumps(plain).encode())
