"""The loss is the published one, the steps reduce it, and neither memory nor repetition changes what they yield."""

import gc
import itertools
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.learning.serving import layers_of, tensors, weights_of
from windrow.arrays import PROJECTIONS, Ids, Precision, TokenStates
from windrow.domain.recipe import Recipe
from windrow.encoders.folder import EncoderFolder
from windrow.learning import contrastive, trained_weights
from windrow.learning.contrastive import (
    ContrastiveInputs,
    ContrastiveResult,
    contrastive_loss,
    jaccard_similarities,
    train_layers,
    training_threads,
)
from windrow.learning.layers import pack_texts, token_states
from windrow.learning.plan import FULL_BATCH, plan_steps
from windrow.learning.trained_weights import TrainedWeights

pytestmark = pytest.mark.slow

LENGTHS = (2, 9, 4, 30, 3, 3, 17, 8, 5, 12, 6, 1)
LABELS = (0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2)


def some_texts(lengths: tuple[int, ...] = LENGTHS, seed: int = 5) -> TokenStates:
    packed = np.random.default_rng(seed).standard_normal((sum(lengths), 32)).astype(np.float32)
    return TokenStates(packed, np.array(lengths, np.int32))


@pytest.fixture(scope="module")
def inputs(tiny_folder: EncoderFolder) -> ContrastiveInputs:
    return lesson_on(tiny_folder, some_texts(), np.array(LABELS))


def lesson_on(folder: EncoderFolder, texts: TokenStates, label_ids: Ids, num_iterations: int = 20) -> ContrastiveInputs:
    plan = plan_steps(label_ids, texts.lengths.astype(np.int64), Recipe(num_iterations=num_iterations))
    return ContrastiveInputs(texts, label_ids, weights_of(folder), layers_of(folder), plan)


def train(inputs: ContrastiveInputs, max_seconds: float | None = None) -> ContrastiveResult:
    return train_layers(inputs, lambda *_: None, max_seconds)


def assert_equal_bits(first: ContrastiveResult, second: ContrastiveResult) -> None:
    assert first.losses == second.losses
    assert first.changes.keys() == second.changes.keys()
    for name, change in first.changes.items():
        assert change.tobytes() == second.changes[name].tobytes(), name


def unit_points(count: int, seed: int = 0) -> Tensor:
    embeddings = torch.from_numpy(np.random.default_rng(seed).standard_normal((count, 5)))
    return torch.nn.functional.normalize(embeddings, dim=1)


def loss_by_loop(embeddings: Tensor, labels: list[int], temperature: float) -> float:
    losses = []
    for anchor, label in enumerate(labels):
        others = [other for other in range(len(labels)) if other != anchor]
        num_positives = [other for other in others if labels[other] == label]
        if not num_positives:
            continue
        nearness = {other: math.exp(float(embeddings[anchor] @ embeddings[other]) / temperature) for other in others}
        shares = [math.log(nearness[positives] / sum(nearness.values())) for positives in num_positives]
        losses.append(-sum(shares) / len(shares))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.05, 0.2, 1.0])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 0, 2, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0]])
def test_the_loss_is_the_published_one(labels: list[int], temperature: float) -> None:
    embeddings = unit_points(len(labels))
    loss = contrastive_loss(embeddings, torch.tensor(labels), temperature)
    assert float(loss) == pytest.approx(loss_by_loop(embeddings, labels, temperature), rel=1e-9)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0]])
def test_without_any_partner_the_loss_is_0_and_pulls_nowhere(labels: list[int]) -> None:
    embeddings = unit_points(len(labels)).requires_grad_()
    loss = contrastive_loss(embeddings, torch.tensor(labels), 0.2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert embeddings.grad is not None and not embeddings.grad.any()


def single_label_loss(embeddings: Tensor, label_ids: Tensor, temperature: float) -> Tensor:
    """Return the loss of embeddings of one label each, in the operations that saved classifiers were trained with."""
    itself = torch.eye(len(label_ids), dtype=torch.bool)
    cosines = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    log_probs = cosines - torch.logsumexp(cosines, dim=1, keepdim=True)
    positives = (label_ids[:, None] == label_ids[None]) & ~itself
    num_positives = positives.sum(dim=1)
    has = num_positives > 0
    return -(log_probs.masked_fill(~positives, 0).sum(dim=1)[has] / num_positives[has]).mean()


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 0, 2, 1, 0, 0], list(LABELS)])
def test_the_loss_of_one_label_a_text_keeps_its_bits_and_its_gradients(labels: list[int]) -> None:
    losses = []
    for loss_of in (contrastive_loss, single_label_loss):
        embeddings = unit_points(len(labels)).float().requires_grad_()
        loss = loss_of(embeddings, torch.tensor(labels), 0.2)
        loss.backward()  # type: ignore[no-untyped-call]
        assert embeddings.grad is not None
        losses.append((float(loss.detach()), embeddings.grad.numpy().tobytes()))
    assert losses[0] == losses[1]


def test_sets_of_one_label_each_give_the_loss_of_their_labels() -> None:
    labels = torch.tensor([0, 1, 0, 2, 1, 0, 0])
    embeddings = unit_points(len(labels))
    loss = contrastive_loss(embeddings, torch.eye(3, dtype=torch.bool)[labels], 0.2)
    assert float(loss) == pytest.approx(float(contrastive_loss(embeddings, labels, 0.2)), rel=1e-9)


def test_label_sets_agree_by_the_share_of_their_labels_that_both_have_and_empty_ones_do_not() -> None:
    sets = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=torch.bool)
    expected = [
        [1, 1 / 2, 2 / 3, 0, 0, 0],
        [1 / 2, 1, 1 / 3, 0, 0, 0],
        [2 / 3, 1 / 3, 1, 1 / 3, 0, 0],
        [0, 0, 1 / 3, 1, 0, 0],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    torch.testing.assert_close(jaccard_similarities(sets), torch.tensor(expected, dtype=torch.float32))


def test_texts_whose_label_sets_agree_more_are_pulled_more() -> None:
    """Text 0 shares its whole set with text 1, and half of it with text 2; the last text has no labels."""
    sets = torch.tensor([[1, 1], [1, 1], [1, 0], [0, 0]], dtype=torch.bool)
    embeddings = unit_points(4)
    cosines = (embeddings @ embeddings.T / 0.2).tolist()
    log_probs = [
        [cosine - math.log(sum(math.exp(each) for place, each in enumerate(row) if place != one)) for cosine in row]
        for one, row in enumerate(cosines)
    ]
    by_hand = [
        (log_probs[0][1] + log_probs[0][2] / 2) / 1.5,
        (log_probs[1][0] + log_probs[1][2] / 2) / 1.5,
        (log_probs[2][0] / 2 + log_probs[2][1] / 2) / 1,
    ]
    assert float(contrastive_loss(embeddings, sets, 0.2)) == pytest.approx(-sum(by_hand) / 3, rel=1e-6)


def test_label_sets_without_a_common_label_pull_nowhere() -> None:
    embeddings = unit_points(3).requires_grad_()
    loss = contrastive_loss(embeddings, torch.tensor([[1, 0], [0, 1], [0, 0]], dtype=torch.bool), 0.2)
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert embeddings.grad is not None and not embeddings.grad.any()


def test_a_training_on_label_sets_lowers_their_loss(inputs: ContrastiveInputs) -> None:
    sets = np.eye(3, dtype=bool)[list(LABELS)]
    sets[::4, 2] = True
    sets[5] = False
    losses = train(replace(inputs, labels=sets)).losses
    assert losses[-1] < losses[0] - 0.05


def test_the_loss_falls_and_changes_every_map(inputs: ContrastiveInputs) -> None:
    told: list[tuple[int, int, float]] = []
    tuned = train_layers(inputs, lambda *step: told.append(step))
    assert tuned.losses[-1] < tuned.losses[0] - 0.1
    assert told == [(number, 3, loss) for number, loss in enumerate(tuned.losses, start=1)]
    assert tuned.changes.keys() == {f"layers.{layer}.{name}" for layer in range(4) for name in PROJECTIONS}
    assert all(np.isfinite(change).all() and change.any() for change in tuned.changes.values())


def test_the_same_lesson_gives_the_same_bits(inputs: ContrastiveInputs) -> None:
    assert_equal_bits(train(inputs), train(inputs))


def test_bfloat16_products_give_nearly_the_same_changes_and_equal_bits_each_time(inputs: ContrastiveInputs) -> None:
    halved = replace(inputs, layers=replace(inputs.layers, precision="bfloat16"))
    exact, rounded = train(inputs), train(halved)
    assert_equal_bits(rounded, train(halved))
    np.testing.assert_allclose(rounded.losses, exact.losses, rtol=0.02)
    for name, change in exact.changes.items():
        assert rounded.changes[name].dtype == np.float32
        assert (rounded.changes[name] != change).any()
        likeness = (
            (rounded.changes[name] * change).sum() / np.linalg.norm(rounded.changes[name]) / np.linalg.norm(change)
        )
        assert likeness > 0.9


@pytest.fixture
def with_threads() -> Iterator[Callable[[int], None]]:
    """Sets torch's number of threads for a test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("parts", [1, 2])
def test_a_step_in_micro_batches_is_the_step_in_one_piece(
    parts: int, inputs: ContrastiveInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = gradients(inputs, 1, monkeypatch)
    for most_tokens in (1, 16, 40, 4_096):
        monkeypatch.setattr(contrastive, "MAX_MICRO_BATCH_TOKENS", most_tokens)
        in_parts = gradients(inputs, parts, monkeypatch)
        assert in_parts.keys() == whole.keys()
        for key, gradient in whole.items():
            torch.testing.assert_close(in_parts[key], gradient, atol=1e-6, rtol=1e-3)


def gradients(inputs: ContrastiveInputs, num_parts: int, monkeypatch: pytest.MonkeyPatch) -> dict[bytes, Tensor]:
    """Return the loss of one step over all texts, and the gradient with which each projection is trained."""
    found: dict[bytes, Tensor] = {}

    def keep(weights: list[Tensor], gradients: list[Tensor], *_: object, **__: object) -> None:
        assert weights[0].numpy().tobytes() not in found
        found[weights[0].numpy().tobytes()] = gradients[0].clone()

    monkeypatch.setattr(trained_weights, "adamw", keep)
    weights = tensors(inputs.weights)
    names = [f"layers.{layer}.{name}.weight" for layer in range(4) for name in PROJECTIONS]
    trained = TrainedWeights({name: weights[name] for name in names}, "float32")
    micro_batches = [
        pack_texts(inputs.texts, micro_batch, "mean")
        for micro_batch in contrastive._micro_batches(inputs.texts, np.arange(len(inputs.labels)), num_parts)
    ]
    parts = [micro_batches[part::num_parts] for part in range(num_parts)]
    step = contrastive._Step(parts, torch.from_numpy(inputs.labels), weights, inputs.layers, 0.2)
    with training_threads(num_parts) as pool:
        loss = step.take(trained, 0.1, pool)
    assert len(found) == len(names)
    return found | {b"loss": torch.tensor(loss)}


def test_where_a_training_fails_those_that_have_not_begun_are_cancelled() -> None:
    is_told, begun = threading.Event(), threading.Event()

    def wait_to_be_told() -> None:
        begun.set()
        assert is_told.wait(10)

    futures: list[Future[None]] = []

    def fail_while_one_runs() -> None:
        with training_threads(1) as pool:
            futures.extend(pool.submit(wait_to_be_told) for _ in range(3))
            assert begun.wait(10)
            # What runs is waited for, and ends once the others are cancelled.
            futures[-1].add_done_callback(lambda _: is_told.set())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_one_runs()
    assert [(each.done(), each.cancelled()) for each in futures] == [(True, False), (True, True), (True, True)]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_threads_do_not_decide_the_bits_of_a_step_in_parts_which_is_nearly_one_in_one_piece(
    precision: Precision, inputs: ContrastiveInputs, with_threads: Callable[[int], None]
) -> None:
    own = replace(inputs, layers=replace(inputs.layers, precision=precision))
    by_one = train_layers(own, lambda *_: None, num_parts=1)
    with_threads(1)
    first = train(own)
    with_threads(2)
    for _ in range(5):
        assert_equal_bits(train(own), first)
    assert torch.get_num_threads() == 2
    np.testing.assert_allclose(first.losses, by_one.losses, rtol=1e-3)
    for name, change in by_one.changes.items():
        likeness = (first.changes[name] * change).sum() / np.linalg.norm(first.changes[name]) / np.linalg.norm(change)
        assert likeness > 0.99


def test_a_training_leaves_no_memory_behind(inputs: ContrastiveInputs) -> None:
    def count() -> int:
        return sum(isinstance(each, Tensor) for each in gc.get_objects())

    train(inputs)
    gc.collect()
    gc.disable()
    try:
        before = count()
        train(inputs)
        assert count() <= before
    finally:
        gc.enable()


@pytest.mark.parametrize("parts", [1, 2])
def test_micro_batches_hold_each_text_once_and_bound_the_tokens(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = some_texts(tuple(range(1, 41)))
    monkeypatch.setattr(contrastive, "MAX_MICRO_BATCH_TOKENS", 100)
    micro_batches = contrastive._micro_batches(texts, np.arange(40), parts)
    assert sorted(itertools.chain(*micro_batches)) == list(range(40))
    assert all(texts.lengths[micro_batch].sum() <= 100 / parts + 40 for micro_batch in micro_batches)


@pytest.mark.parametrize("lengths", [(1,), (3, 3), (1, 30), tuple(range(1, 41))])
def test_few_tokens_are_one_micro_batch_a_thread_of_about_as_many_tokens(lengths: tuple[int, ...]) -> None:
    texts = some_texts(lengths)
    sizes = [int(texts.lengths[each].sum()) for each in contrastive._micro_batches(texts, np.arange(len(lengths)), 2)]
    assert len(sizes) == min(2, len(lengths))
    assert max(sizes) - min(sizes) <= 2 * max(lengths)


def test_layers_below_the_trained_ones_stay_and_may_as_well_be_computed_before(inputs: ContrastiveInputs) -> None:
    upper = replace(inputs, plan=replace(inputs.plan, schedule=replace(FULL_BATCH, layers=2)))
    tuned = train(upper)
    assert {name.split(".")[1] for name in tuned.changes} == {"2", "3"}
    # The same, from states that something else brought through the lower two layers.
    packed = pack_texts(inputs.texts, np.arange(len(LENGTHS)), "mean")
    with torch.no_grad():
        reached = token_states(packed, tensors(inputs.weights), replace(inputs.layers, layers=(0, 1))).numpy()
    spans = np.split(reached, np.cumsum(inputs.texts.lengths[packed.order])[:-1])
    in_order = [spans[place] for place in np.argsort(packed.order)]
    states = TokenStates(np.concatenate(in_order), inputs.texts.lengths)
    directly = train(replace(upper, texts=states, layers=replace(inputs.layers, layers=(2, 3))))
    assert tuned.losses == pytest.approx(directly.losses, abs=1e-4)
    for name, change in tuned.changes.items():
        np.testing.assert_allclose(change, directly.changes[name], atol=1e-4)


def test_time_that_ran_out_leaves_at_least_one_step(inputs: ContrastiveInputs) -> None:
    tuned = train(inputs, max_seconds=1e-9)
    assert len(tuned.losses) == 1
    assert any(change.any() for change in tuned.changes.values())
    assert len(train(inputs, max_seconds=600).losses) == 3


def test_no_step_is_begun_that_would_end_too_late(inputs: ContrastiveInputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at this clock takes 10 s: a second step would end at 50 s, a third at 55 s."""
    clock = itertools.count(start=0, step=10)
    monkeypatch.setattr(contrastive.time, "monotonic", lambda: float(next(clock)))  # type: ignore[attr-defined]
    assert len(train(inputs, max_seconds=52).losses) == 2


def test_labels_of_one_text_each_change_nothing(tiny_folder: EncoderFolder) -> None:
    tuned = train(lesson_on(tiny_folder, some_texts(), np.arange(len(LENGTHS))))
    assert tuned.losses == (0.0,) * 3
    assert not any(change.any() for change in tuned.changes.values())


@pytest.mark.parametrize("labels", [(0, 0, 1, 1), (0, 1, 2, 3), (0, 0, 0, 1)])
def test_texts_that_are_all_alike_give_finite_numbers(labels: tuple[int, ...], tiny_folder: EncoderFolder) -> None:
    one = some_texts((6,))
    alike = TokenStates(np.concatenate([one.packed] * 4), np.repeat(one.lengths, 4))
    tuned = train(lesson_on(tiny_folder, alike, np.array(labels)))
    assert all(math.isfinite(loss) for loss in tuned.losses)
    assert all(np.isfinite(change).all() for change in tuned.changes.values())


def test_a_text_under_two_labels_gives_finite_numbers(tiny_folder: EncoderFolder) -> None:
    texts = some_texts().select(np.array([0, 0, 1, 2]))
    tuned = train(lesson_on(tiny_folder, texts, np.array([0, 1, 0, 1])))
    assert all(np.isfinite(change).all() for change in tuned.changes.values())


def test_no_step_changes_nothing(tiny_folder: EncoderFolder) -> None:
    tuned = train(lesson_on(tiny_folder, some_texts(), np.array(LABELS), num_iterations=0))
    assert tuned.losses == ()
    assert not any(change.any() for change in tuned.changes.values())


def test_the_encoders_own_weights_are_left_alone(inputs: ContrastiveInputs) -> None:
    before = {name: array.copy() for name, array in inputs.weights.items()}
    train(inputs)
    assert all(np.array_equal(before[name], array) for name, array in inputs.weights.items())
