"""Documents of older formats: nothing is read but what they may say, and that with equal values.

The values are compared in ``test_artifact_golden``.
"""

import json

import pytest

from tests.storage.examples import sealed
from tests.storage.mutants import GOLDEN, documents, mutants
from windrow.domain.errors import InvalidArtifact
from windrow.storage.format import Mismatch
from windrow.storage.revision import alias_from_json, entry_from_json
from windrow.storage.upgrade import from_format_1

OLD = GOLDEN / "format-1"
READERS = {(number, name): each for number in (1, 2, 3, 4, 5, 6) for name, each in documents(number).items()}
# Names of the format that follows, which are none of this one.
LATER = {
    1: ("reason", "description", "base_model_digest", "report", "training_data_sha256", "sha256"),
    2: ("author", "threshold_changes", "c", "scale", "epochs", "similarity"),
    3: ("key_name",),
    4: ("extends", "taken_over_rows", "replaced_rows"),
    5: ("files",),
    6: ("label_descriptions", "label_thresholds", "source", "micro_f1"),
}


def in_form(number: int, data: bytes) -> bytes:
    """Return a document with a digest that is true, where its format has one."""
    return data if number == 1 else sealed(data)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "name"), list(READERS))
def test_what_an_older_format_never_said_is_refused(number: int, name: str) -> None:
    data, look = READERS[number, name]
    look(data)
    look(in_form(number, json.dumps(json.loads(data), indent=2).encode()))
    whole, accepted = json.loads(data), []
    newer = ((name, json.dumps({**whole, name: "a"}, indent=2).encode()) for name in LATER[number])
    for done, mutant in (*mutants(data), *newer):
        try:
            look(in_form(number, mutant))
        except (InvalidArtifact, Mismatch):
            continue
        accepted.append(done)
    assert accepted == []


def test_every_kind_of_document_is_among_them() -> None:
    kinds = {number: set[str]() for number in (1, 2, 3, 4, 5, 6)}
    for (number, _), (data, _) in READERS.items():
        kinds[number].add(json.loads(data).get("kind", "job"))
    assert kinds[1] == {
        *("trained", "imported", "described", "measured", "restored", "trimmed", "deleted", "purged"),
        *("promoted", "rolled_back", "removed", "job", "export"),
    }
    assert kinds[2] == kinds[1] | {"copied"}
    assert kinds[6] == kinds[5] == kinds[4] == kinds[3] == kinds[2] | {"threshold_set"}


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


def test_a_document_of_format_2_that_was_altered_is_told() -> None:
    data = (GOLDEN / "format-2/aliases/live/000001.json").read_bytes()
    with pytest.raises(InvalidArtifact, match="was altered"):
        alias_from_json("live", 1, data.replace(b"tickets", b"tickles"))


def test_a_number_beyond_all_bounds_is_refused() -> None:
    plain = json.loads((OLD / "classifiers/tickets/000002.json").read_bytes())
    plain["record"]["rows_per_label"] = {"billing": 10**400, "bug": 1 - 10**400}
    with pytest.raises(InvalidArtifact):
        entry_from_json("tickets", 2, json.dumps(plain).encode())
