"""Train an encoder's top layers with the supervised contrastive loss, in torch."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from windrow.arrays import PROJECTIONS, Floats, Ids, Labels, TokenStates, token_indices
from windrow.domain.job import OnStep
from windrow.learning.layers import PackedTexts, pack_texts, pooled, token_states
from windrow.learning.plan import MAX_MICRO_BATCH_TOKENS, STEP_PARTS, LayerConfig, Plan
from windrow.learning.trained_weights import TrainedWeights

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ContrastiveInputs:
    """The inputs of a contrastive training.

    Args:
        texts: Each text's states below the adapted layers.
        labels: Each text's label, or its label set.
        weights: The encoder's tensors by canonical name, those of the adapted layers at least.
        layers: The adapted layers, and how they compute.
        plan: The steps.
    """

    texts: TokenStates
    labels: Labels
    weights: Mapping[str, Floats]
    layers: LayerConfig
    plan: Plan


@dataclass(frozen=True, slots=True)
class ContrastiveResult:
    """The result of a contrastive training.

    Args:
        changes: The weight change of each projection, shape [in, out], by name (``layers.0.query``).
        losses: The loss of each step that was done.
    """

    changes: dict[str, Floats]
    losses: tuple[float, ...]


def train_layers(
    inputs: ContrastiveInputs, on_step: OnStep, max_seconds: float | None = None, num_parts: int = STEP_PARTS
) -> ContrastiveResult:
    """Train the projections of the last layers in full; biases and layer norms stay (training them gained nothing).

    Args:
        inputs: Texts, tensors and plan.
        on_step: Called after each step with its number from 1, the number of steps, and its loss.
        max_seconds: No step begins that would probably end later than this after the call.
        num_parts: The parts of a step that are computed at the same time, as far as there are threads. They decide the
            order of the sums, and which thread is ahead does not.

    Source: docs/adr/0009.
    """
    started = time.monotonic()
    weights = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in inputs.weights.items()}
    frozen, trained_layers = _split(inputs.layers, inputs.plan.schedule.layers)
    texts = _states_after(frozen, inputs.texts, weights)
    names = [f"layers.{layer}.{name}" for layer in trained_layers.layers for name in PROJECTIONS]
    trained = TrainedWeights({f"{name}.weight": weights[f"{name}.weight"] for name in names}, inputs.layers.precision)
    labels = torch.from_numpy(inputs.labels)
    losses: list[float] = []
    first_step = time.monotonic()
    with training_threads(min(num_parts, torch.get_num_threads())) as pool:
        for number, (chosen, rate) in enumerate(
            zip(inputs.plan.steps, inputs.plan.learning_rates, strict=True), start=1
        ):
            now = time.monotonic()
            step_s = (now - first_step) / max(len(losses), 1)
            if max_seconds is not None and losses and now - started + step_s > max_seconds:
                break
            micro_batches = _micro_batches(texts, chosen, num_parts)
            parts = [
                [pack_texts(texts, each, trained_layers.pooling) for each in micro_batches[part::num_parts]]
                for part in range(min(num_parts, len(micro_batches)))
            ]
            step = _Step(parts, labels, weights, trained_layers, inputs.plan.schedule.temperature)
            losses.append(step.take(trained, rate, pool))
            on_step(number, len(inputs.plan.steps), losses[-1])
    changes = trained.changes()
    return ContrastiveResult({name: changes[f"{name}.weight"].numpy() for name in names}, tuple(losses))


@contextmanager
def training_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Share torch's threads between threads that train at the same time.

    An error in the ``with`` block cancels what has not begun, and waits for what has.

    Args:
        count: The number of threads; each computes with its part of torch's own.
    """
    threads = torch.get_num_threads()
    try:
        # The number of threads is each thread's own, but torch's libraries share one.
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(max(1, threads // count),)) as pool:
            try:
                yield pool
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        torch.set_num_threads(threads)


def contrastive_loss(embeddings: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss over all pairs of embeddings.

    Two embeddings of the same label are positives of each other. With label sets, they are so by a weight: how far
    their sets agree. An embedding without positives serves only as a negative for the others.

    Args:
        embeddings: Unit vectors, shape [n, width].
        labels: Each one's label, shape [n], integers; or its label set, shape [n, labels], bool.
        temperature: Divides the cosines; a smaller one weights near neighbours more.

    Source: Khosla et al., Supervised Contrastive Learning, arXiv 2004.11362, equation 2.
    """
    itself = torch.eye(len(labels), dtype=torch.bool)
    cosines = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    log_probs = cosines - torch.logsumexp(cosines, dim=1, keepdim=True)
    if labels.ndim == 2:
        weights = jaccard_similarities(labels).masked_fill(itself, 0).to(log_probs.dtype)
        sums, total_weights = (log_probs.masked_fill(itself, 0) * weights).sum(dim=1), weights.sum(dim=1)
    else:
        positives = (labels[:, None] == labels[None]) & ~itself
        sums, total_weights = log_probs.masked_fill(~positives, 0).sum(dim=1), positives.sum(dim=1)
    has_positives = total_weights > 0
    if not bool(has_positives.any()):
        # No embedding has a positive: the loss is zero, and still part of the autograd graph.
        return embeddings.sum() * 0
    means = sums[has_positives] / total_weights[has_positives]
    return -means.mean()


def jaccard_similarities(sets: Tensor) -> Tensor:
    """Return how far each two label sets agree: the share of the labels of either that both have, in [0, 1].

    Two empty sets do not agree: that none of the labels fits makes texts no more alike.

    Args:
        sets: Shape [n, labels], bool.

    Returns:
        Shape [n, n], float32.
    """
    members = sets.to(torch.float32)
    shared, sizes = members @ members.T, members.sum(dim=1)
    return shared / (sizes[:, None] + sizes[None] - shared).clamp(min=1)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step's texts, in parts that are computed at the same time.

    Args:
        parts: The micro-batches of each part, at least one.
        labels: Of all texts.
        weights: The encoder's tensors by canonical name.
        layers: The trained layers, and how they compute.
        temperature: The loss's.
    """

    parts: Sequence[Sequence[PackedTexts]]
    labels: Tensor
    weights: Mapping[str, Tensor]
    layers: LayerConfig
    temperature: float

    def take(self, trained: TrainedWeights, rate: float, pool: ThreadPoolExecutor) -> float:
        """Compute the loss over all pairs, and train the weights by its gradients.

        Micro-batches bound the memory. Source: Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory
        Limited Setup, arXiv 2101.06983 (gradient caching): the loss is differentiated with respect to the embeddings,
        then each micro-batch is encoded once more to carry the gradient on. Where every part is a single micro-batch,
        each is encoded once.

        Args:
            trained: The weights.
            rate: The learning rate.
            pool: Computes the parts.

        Returns:
            The loss before the step.
        """
        is_kept = all(len(part) == 1 for part in self.parts)
        micro_batches = [micro_batch for part in self.parts for micro_batch in part]

        def encode(part: int) -> list[Tensor]:
            with torch.set_grad_enabled(is_kept):
                return [self._pooled(each, trained, part) for each in self.parts[part]]

        encoded = [each for part in _run(pool, encode, range(len(self.parts))) for each in part]
        embeddings = torch.cat([each.detach() for each in encoded]).requires_grad_()
        own = torch.cat([self.labels[micro_batch.order] for micro_batch in micro_batches])
        loss = contrastive_loss(embeddings, own, self.temperature)
        loss.backward()  # type: ignore[no-untyped-call]
        assert embeddings.grad is not None
        gradients = iter(torch.split(embeddings.grad, [len(micro_batch.order) for micro_batch in micro_batches]))
        of_parts = [[next(gradients) for _ in part] for part in self.parts]
        trained.begin_step(rate, [len(part) for part in self.parts])

        def carry_on(part: int) -> None:
            for micro_batch, gradient in zip(self.parts[part], of_parts[part], strict=True):
                output = encoded[part] if is_kept else self._pooled(micro_batch, trained, part)
                output.backward(gradient)  # type: ignore[no-untyped-call]
            trained.end_part()

        _run(pool, carry_on, range(len(self.parts)))
        return float(loss.detach())

    def _pooled(self, micro_batch: PackedTexts, trained: TrainedWeights, part: int) -> Tensor:
        return pooled(micro_batch, {**self.weights, **trained.operands(part)}, self.layers)


def _run(pool: ThreadPoolExecutor, task: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Run a task for each item at the same time; a single one in this thread."""
    own = list(items)
    return list(map(task, own) if len(own) == 1 else pool.map(task, own))


def _micro_batches(texts: TokenStates, chosen: Ids, parts: int = 1) -> list[Ids]:
    """Split a step's texts into micro-batches that fit in memory, similar lengths together.

    Args:
        texts: All texts.
        chosen: Those of the step.
        parts: How many micro-batches are in memory at the same time. With several, all have nearly as many tokens, and
            each part gets as many of them, unless a long text takes the room of two.
    """
    order = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
    ends = np.cumsum(texts.lengths[order], dtype=np.int64)
    size = MAX_MICRO_BATCH_TOKENS
    if parts > 1:
        rounds = math.ceil(int(ends[-1]) / MAX_MICRO_BATCH_TOKENS)
        size = math.ceil((int(ends[-1]) + 1) / (rounds * parts))
    return np.split(order, np.flatnonzero(np.diff(ends // size)) + 1)


def _split(layers: LayerConfig, trained: int) -> tuple[LayerConfig, LayerConfig]:
    """Return the frozen layers, and the last ``trained`` ones."""
    border = max(0, len(layers.layers) - trained)
    return replace(layers, layers=layers.layers[:border]), replace(layers, layers=layers.layers[border:])


@torch.no_grad()
def _states_after(frozen: LayerConfig, texts: TokenStates, weights: Mapping[str, Tensor]) -> TokenStates:
    """Return the texts' states after the frozen layers."""
    if not frozen.layers:
        return texts
    reached = np.empty_like(texts.packed)
    for micro_batch in _micro_batches(texts, np.arange(len(texts.lengths))):
        packed = pack_texts(texts, micro_batch, frozen.pooling)
        reached[token_indices(texts.lengths, packed.order)] = token_states(packed, weights, frozen).numpy()
    return TokenStates(reached, texts.lengths)
