"""The JSON shapes of deletions, and their parameters."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.strategies import count, there_and_back
from windrow.domain.classifier import Deletion
from windrow.wire.deletion import DELETE_ALL, Deleted, DeletedMany


@settings(deadline=None)
@given(st.builds(Deletion, st.tuples(st.text()), count, st.booleans(), st.just(())))
def test_the_deletion_of_one_survives_the_way_out_and_back(deletion: Deletion) -> None:
    assert there_and_back(Deleted, deletion) == deletion


@settings(deadline=None)
@given(st.builds(Deletion), st.booleans())
def test_the_deletion_of_many_survives_the_way_out_and_back(deletion: Deletion, dry_run: bool) -> None:
    shown = DeletedMany.of(deletion, dry_run)
    assert shown.status == ("dry_run" if dry_run else "deleted")
    assert DeletedMany.model_validate_json(shown.model_dump_json()).to_domain() == deletion


def test_the_example_that_the_documentation_fills_in_deletes_nothing() -> None:
    filled = {parameter.name: parameter.example for parameter in DELETE_ALL if parameter.example is not None}
    assert filled == {"prefix": "cv_fold_", "dry_run": True}
