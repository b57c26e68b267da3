"""Adapters as encoders take them: joined only if they fit, and mixed so that each text keeps its own."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.encoders.adapters import adapter_for, changes_for
from windrow.arrays import Halves
from windrow.domain.errors import InvalidArtifact
from windrow.encoders.adapters import pack_adapter, stack_adapters
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import adapted_projections


def test_each_projection_has_its_change_at_its_offset(tiny_folder: EncoderFolder) -> None:
    changes = changes_for(tiny_folder, rank=3)
    adapter = pack_adapter(tiny_folder, changes)
    inputs = outputs = 0
    for name, (rows, columns) in adapted_projections(tiny_folder):
        np.testing.assert_array_equal(adapter.down[:, inputs : inputs + rows], changes[f"{name}.down"].T)
        np.testing.assert_array_equal(adapter.up[:, outputs : outputs + columns], changes[f"{name}.up"])
        inputs, outputs = inputs + rows, outputs + columns
    assert adapter.down.shape == (3, inputs)
    assert adapter.up.shape == (3, outputs)
    assert adapter.size_bytes == 2 * 3 * (inputs + outputs)


def test_projections_without_a_change_get_zeros(tiny_folder: EncoderFolder) -> None:
    changes = {name: value for name, value in changes_for(tiny_folder, rank=2).items() if ".query." in name}
    adapter = pack_adapter(tiny_folder, changes)
    assert adapter.rank == 2
    assert np.count_nonzero(adapter.down) == sum(np.count_nonzero(v) for n, v in changes.items() if n.endswith("down"))
    assert np.count_nonzero(adapter.up) == sum(np.count_nonzero(v) for n, v in changes.items() if n.endswith("up"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda a: a.pop("layers.1.query.up"), "lacks layers.1.query.up"),
        (lambda a: a.update(extra=np.zeros(1, np.float16)), "has extra"),
        (lambda a: a.update({"layers.99.query.down": np.zeros((1, 1), np.float16)}), "has layers.99.query.down"),
        (lambda a: a.update({"layers.1.query.up": np.zeros((5, 32), np.float16)}), "layers.1.query.up as float16"),
        (lambda a: a.update({"layers.3.key.down": np.zeros((32, 4))}), "layers.3.key.down as float64"),
    ],
)
def test_changes_that_do_not_fit_are_refused(
    change: Callable[[dict[str, Halves]], object], problem: str, tiny_folder: EncoderFolder
) -> None:
    changes = changes_for(tiny_folder, rank=4)
    change(changes)
    with pytest.raises(InvalidArtifact, match=rf"{problem}.*Train the classifier again"):
        pack_adapter(tiny_folder, changes)


def test_each_adapter_of_a_batch_is_there_once_and_each_token_takes_its_own(tiny_folder: EncoderFolder) -> None:
    first, second, none = (adapter_for(tiny_folder, rank, seed=rank) for rank in (2, 3, 0))
    down, up, mask = stack_adapters([second, none, first, second], np.array([1, 2, 1, 2]))
    np.testing.assert_array_equal(down, np.concatenate([second.down, first.down]))
    np.testing.assert_array_equal(up, np.concatenate([second.up, first.up]))
    seconds, nothing, firsts = [1, 1, 1, 0, 0], [0] * 5, [0, 0, 0, 1, 1]
    assert mask.tolist() == [seconds, nothing, nothing, firsts, seconds, seconds]


def test_a_lone_adapter_is_not_copied(tiny_folder: EncoderFolder) -> None:
    adapter = adapter_for(tiny_folder, rank=2)
    down, up, mask = stack_adapters([adapter, adapter], np.array([1, 1]))
    assert down is adapter.down
    assert up is adapter.up
    assert mask.tolist() == [[1, 1], [1, 1]]
