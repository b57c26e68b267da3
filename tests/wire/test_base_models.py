"""The JSON shapes of base models, to and from the domain."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.strategies import any_use, there_and_back
from windrow.domain.base_models import BaseModelUse, StoredBaseModel
from windrow.domain.recipe import BaseModel
from windrow.wire.base_models import BaseModelList


@settings(deadline=None)
@given(st.lists(any_use, max_size=3))
def test_base_models_survive_the_way_out_and_back(uses: list[BaseModelUse]) -> None:
    assert there_and_back(BaseModelList, tuple(uses)) == tuple(uses)


def test_a_base_model_is_shown_flat() -> None:
    model = StoredBaseModel(BaseModel("a/b", "f" * 64, "c0ffee"), "hub_cache", 90, 10, "It is incomplete.")
    [shown] = BaseModelList.of((BaseModelUse(model, 3, is_default=False),)).model_dump()["base_models"]
    assert shown == {
        "id": "a/b",
        "place": "hub_cache",
        "size_bytes": 90,
        "graph_bytes": 10,
        "digest": "f" * 64,
        "revision": "c0ffee",
        "problem": "It is incomplete.",
        "classifiers": 3,
        "is_default": False,
    }
