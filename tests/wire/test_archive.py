"""The JSON shapes of an import, and its parameters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import record
from tests.wire.strategies import any_classifier, there_and_back
from windrow.domain.archive import Imported, ImportRequest
from windrow.domain.classifier import Classifier, Notes
from windrow.domain.errors import InvalidParameter
from windrow.wire.archive import ImportReply, read_import

CLASSIFIER = Classifier(record(), Notes(), None, None, None, 1_234, keeps_rows=False)


@settings(deadline=None)
@given(st.builds(Imported, any_classifier))
def test_an_import_survives_the_way_out_and_back(imported: Imported) -> None:
    assert there_and_back(ImportReply, imported) == imported


def test_a_dry_run_is_not_called_an_import() -> None:
    assert ImportReply.of(Imported(CLASSIFIER, (), is_saved=True)).status == "imported"
    assert ImportReply.of(Imported(CLASSIFIER, (), is_saved=False)).status == "dry_run"


def test_an_import_overwrites_and_renames_only_where_it_says_so() -> None:
    assert read_import({}) == ImportRequest()
    query = {"model_name": "a", "overwrite": "true", "dry_run": "1"}
    assert read_import(query) == ImportRequest("a", overwrite=True, dry_run=True)


def test_an_empty_name_is_none_that_could_be_kept() -> None:
    assert read_import({"model_name": ""}).model_name == ""


@pytest.mark.parametrize("name", ["overwrite", "dry_run"])
def test_a_flag_that_is_neither_true_nor_false_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"{name}=true"):
        read_import({name: "yes"})
