"""The gradient is that of the loss, in whatever parts the rows are computed."""

from dataclasses import replace

import numpy as np
import pytest

from windrow.arrays import Ids, Labels
from windrow.learning import linear_loss
from windrow.learning.linear_loss import LinearLoss, softmax_loss
from windrow.learning.preconditioning import AnyFloats

ROWS, LABELS, WIDTH = 9, 3, 4
RANDOM = np.random.default_rng(6)
FEATURES = RANDOM.normal(size=(ROWS, WIDTH))
IDS, SETS = np.arange(ROWS) % LABELS, RANDOM.random((ROWS, LABELS)) < 0.5
PRIOR = RANDOM.normal(size=(ROWS, LABELS))
TABLE = RANDOM.normal(size=(LABELS, WIDTH + 1))


def mean_loss(labels: Labels, prior: bool, bias: bool) -> LinearLoss:
    return LinearLoss(FEATURES, labels, 0.3, PRIOR if prior else None, is_bias_penalised=bias)


@pytest.mark.parametrize("labels", [IDS, SETS], ids=["ids", "sets"])
@pytest.mark.parametrize(("prior", "bias"), [(False, False), (True, True)])
def test_the_gradient_is_the_change_of_the_loss(labels: Labels, prior: bool, bias: bool) -> None:
    loss = mean_loss(labels, prior, bias)
    _, gradient = loss.value_and_gradient(TABLE)
    for place in np.ndindex(TABLE.shape):
        step = np.zeros_like(TABLE)
        step[place] = 1e-6
        change = loss.value_and_gradient(TABLE + step)[0] - loss.value_and_gradient(TABLE - step)[0]
        assert gradient[place] == pytest.approx(change / 2e-6, abs=1e-8)


@pytest.mark.parametrize("labels", [IDS, SETS], ids=["ids", "sets"])
def test_the_loss_is_the_mean_log_loss_and_half_the_penalised_squares(labels: Labels) -> None:
    logits = FEATURES @ TABLE[:, :-1].T + TABLE[:, -1]
    if labels is IDS:
        own = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(ROWS), IDS]
    else:
        own = np.log1p(np.exp(np.where(SETS, -logits, logits))).sum(axis=1)
    value, _ = mean_loss(labels, False, False).value_and_gradient(TABLE)
    assert value == pytest.approx(own.mean() + 0.15 * np.square(TABLE[:, :-1]).sum())
    with_bias, _ = mean_loss(labels, False, True).value_and_gradient(TABLE)
    assert with_bias - value == pytest.approx(0.15 * np.square(TABLE[:, -1]).sum())


def test_of_two_labels_the_second_one_says_it_all() -> None:
    loss = LinearLoss(FEATURES, IDS % 2, 0.0)
    both = np.concatenate([np.zeros((1, WIDTH + 1)), TABLE[:1]])
    (value, gradient), (of_both, gradient_of_both) = map(loss.value_and_gradient, (TABLE[:1], both))
    assert value == pytest.approx(of_both)
    np.testing.assert_allclose(gradient, gradient_of_both[1:])


@pytest.mark.parametrize("labels", [IDS, SETS], ids=["ids", "sets"])
def test_rows_are_computed_in_parts_without_a_change(labels: Labels, monkeypatch: pytest.MonkeyPatch) -> None:
    loss = mean_loss(labels, True, True)
    value, gradient = loss.value_and_gradient(TABLE)
    monkeypatch.setattr(linear_loss, "_MAX_CELLS", 2 * LABELS)
    in_parts, gradient_in_parts = loss.value_and_gradient(TABLE)
    assert in_parts == pytest.approx(value)
    np.testing.assert_allclose(gradient_in_parts, gradient)


def test_features_decide_the_type_and_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    features = FEATURES.astype(np.float32)
    types: list[str] = []

    def remember(logits: AnyFloats, label_ids: Ids) -> tuple[float, AnyFloats]:
        types.append(logits.dtype.name)
        return softmax_loss(logits, label_ids)

    monkeypatch.setattr(linear_loss, "softmax_loss", remember)
    loss = replace(mean_loss(IDS, False, False), features=features)
    value, gradient = loss.value_and_gradient(TABLE)
    assert value == pytest.approx(mean_loss(IDS, False, False).value_and_gradient(TABLE)[0], rel=1e-6)
    assert (types, gradient.dtype.name) == (["float32", "float64"], "float64")
    np.testing.assert_array_equal(features, FEATURES.astype(np.float32))
