"""The JSON shape of a training done again, to and from the domain."""

from hypothesis import given, settings

from tests.wire.strategies import any_reproduction, there_and_back
from windrow.domain.reproduction import EnvironmentChange, Reproduction
from windrow.wire.reproduction import ReproduceReply


@settings(deadline=None)
@given(any_reproduction)
def test_a_reproduction_survives_the_way_out_and_back(reproduction: Reproduction) -> None:
    assert there_and_back(ReproduceReply, reproduction) == reproduction


def test_what_changed_is_shown_as_it_was_then_and_is_now() -> None:
    change = EnvironmentChange("torch", "2.12.0", None)
    reproduction = Reproduction("a", 1, "different", None, 0.5, 1, 8, (change,), ("Read this.",), 0.4)
    shown = ReproduceReply.of(reproduction).model_dump()
    assert (shown["verdict"], shown["largest_weight_difference"], shown["notes"]) == ("different", None, ["Read this."])
    assert shown["changes"] == [{"name": "torch", "then": "2.12.0", "now": None}]
