"""Train an encoder's top layers with the supervised contrastive loss, in torch."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from windrow.arrays import PROJECTIONS, Floats, Ids, Labels, TokenStates, token_indices
from windrow.domain.job import OnStep
from windrow.learning.layers import PackedTexts, pack_texts, pooled, token_states
from windrow.learning.plan import MAX_MICRO_BATCH_TOKENS, LayerConfig, Plan

_BETAS = (0.9, 0.98)

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


def train_layers(inputs: ContrastiveInputs, on_step: OnStep, max_seconds: float | None = None) -> ContrastiveResult:
    """Train the projections of the last layers in full; biases and layer norms stay (training them gained nothing).

    Args:
        inputs: Texts, tensors and plan.
        on_step: Called after each step with its number from 1, the number of steps, and its loss.
        max_seconds: No step begins that would probably end later than this after the call.

    Source: docs/adr/0009.
    """
    started = time.monotonic()
    weights = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in inputs.weights.items()}
    frozen, trained_layers = _split(inputs.layers, inputs.plan.schedule.layers)
    texts = _states_after(frozen, inputs.texts, weights)
    names = [f"layers.{layer}.{name}" for layer in trained_layers.layers for name in PROJECTIONS]
    trained = {f"{name}.weight": weights[f"{name}.weight"].clone().requires_grad_() for name in names}
    optimizer = torch.optim.AdamW(trained.values(), betas=_BETAS, weight_decay=0.0, fused=True)
    labels = torch.from_numpy(inputs.labels)
    losses: list[float] = []
    first_step = time.monotonic()
    for number, (chosen, rate) in enumerate(zip(inputs.plan.steps, inputs.plan.learning_rates, strict=True), start=1):
        now = time.monotonic()
        step_s = (now - first_step) / max(len(losses), 1)
        if max_seconds is not None and losses and now - started + step_s > max_seconds:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate
        micro_batches = [pack_texts(texts, each, trained_layers.pooling) for each in _micro_batches(texts, chosen)]
        optimizer.zero_grad()
        loss = _backward(micro_batches, labels, weights | trained, trained_layers, inputs.plan.schedule.temperature)
        optimizer.step()
        losses.append(loss)
        on_step(number, len(inputs.plan.steps), loss)
    changes = {name: (trained[f"{name}.weight"].detach() - weights[f"{name}.weight"]).numpy() for name in names}
    return ContrastiveResult(changes, tuple(losses))


def run_in_threads(trainings: Sequence[Callable[[], Result]], at_once: int) -> list[Result]:
    """Run trainings at the same time, each with its part of torch's threads, and return their results in order.

    Args:
        trainings: Call :func:`train_layers`.
        at_once: How many run at the same time.
    """
    threads = torch.get_num_threads()
    try:
        # The number of threads is each thread's own, but torch's libraries share one.
        with ThreadPoolExecutor(
            at_once, initializer=torch.set_num_threads, initargs=(max(1, threads // at_once),)
        ) as pool:
            return list(pool.map(lambda training: training(), trainings))
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


def _backward(
    micro_batches: Sequence[PackedTexts],
    labels: Tensor,
    weights: Mapping[str, Tensor],
    layers: LayerConfig,
    temperature: float,
) -> float:
    """Compute the gradients of a step's loss over all pairs, in micro-batches to bound the memory.

    Source: Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, arXiv 2101.06983
    (gradient caching): the loss is differentiated with respect to the embeddings, then each micro-batch is encoded once
    more to carry the gradient on.
    """
    own = torch.cat([labels[micro_batch.order] for micro_batch in micro_batches])
    if len(micro_batches) == 1:
        loss = contrastive_loss(pooled(micro_batches[0], weights, layers), own, temperature)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())
    with torch.no_grad():
        embeddings = torch.cat([pooled(micro_batch, weights, layers) for micro_batch in micro_batches])
    embeddings.requires_grad_()
    loss = contrastive_loss(embeddings, own, temperature)
    loss.backward()  # type: ignore[no-untyped-call]
    assert embeddings.grad is not None
    gradients = torch.split(embeddings.grad, [len(micro_batch.order) for micro_batch in micro_batches])
    for micro_batch, gradient in zip(micro_batches, gradients, strict=True):
        pooled(micro_batch, weights, layers).backward(gradient)  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _micro_batches(texts: TokenStates, chosen: Ids) -> list[Ids]:
    """Split a step's texts into micro-batches that fit in memory, similar lengths together."""
    order = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
    micro_batch_of = np.cumsum(texts.lengths[order], dtype=np.int64) // MAX_MICRO_BATCH_TOKENS
    return np.split(order, np.flatnonzero(np.diff(micro_batch_of)) + 1)


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
