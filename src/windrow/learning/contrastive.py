"""Contrastive training: moves an encoder's maps so that texts of one label come closer and others part."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from windrow.arrays import MAPS, Floats, Ids, TokenStates, token_indices
from windrow.domain.job import OnStep
from windrow.learning.layers import PackedTexts, pack_texts, pooled, token_states
from windrow.learning.plan import MAX_PART_TOKENS, LayerPlan, Plan

_BETAS = (0.9, 0.98)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a contrastive training works on.

    Args:
        texts: Each text's states below the adapted layers.
        label_ids: Each text's label, shape [n].
        weights: The encoder's tensors by canonical name, those of the adapted layers at least.
        layers: The adapted layers, and how they compute.
        plan: The steps.
    """

    texts: TokenStates
    label_ids: Ids
    weights: Mapping[str, Floats]
    layers: LayerPlan
    plan: Plan


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a contrastive training yields.

    Args:
        changes: What it added to each map, shape [in, out], by name (``layers.0.query``).
        losses: The loss of each step that was done.
    """

    changes: dict[str, Floats]
    losses: tuple[float, ...]


def train_layers(lesson: Lesson, on_step: OnStep, max_seconds: float | None = None) -> Tuned:
    """Train the maps of the last layers in full; biases and layer norms stay (training them gained nothing).

    Args:
        lesson: Texts, tensors and plan.
        on_step: Called after each step with its number from 1, the number of steps, and its loss.
        max_seconds: No step is begun that would most likely end later than this after the call.

    Source: docs/adr/0009.
    """
    started = time.monotonic()
    weights = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in lesson.weights.items()}
    frozen, trained_layers = _split(lesson.layers, lesson.plan.manner.layers)
    texts = _states_after(frozen, lesson.texts, weights)
    names = [f"layers.{layer}.{part}" for layer in trained_layers.layers for part in MAPS]
    trained = {f"{name}.weight": weights[f"{name}.weight"].clone().requires_grad_() for name in names}
    optimizer = torch.optim.AdamW(trained.values(), betas=_BETAS, weight_decay=0.0, fused=True)
    label_ids = torch.from_numpy(lesson.label_ids)
    losses: list[float] = []
    first_step = time.monotonic()
    for number, (chosen, rate) in enumerate(zip(lesson.plan.steps, lesson.plan.rates, strict=True), start=1):
        now = time.monotonic()
        step_s = (now - first_step) / max(len(losses), 1)
        if max_seconds is not None and losses and now - started + step_s > max_seconds:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate
        parts = [pack_texts(texts, part, trained_layers.pooling) for part in _parts(texts, chosen)]
        optimizer.zero_grad()
        loss = _backward(parts, label_ids, weights | trained, trained_layers, lesson.plan.manner.temperature)
        optimizer.step()
        losses.append(loss)
        on_step(number, len(lesson.plan.steps), loss)
    changes = {name: (trained[f"{name}.weight"].detach() - weights[f"{name}.weight"]).numpy() for name in names}
    return Tuned(changes, tuple(losses))


def contrastive_loss(points: Tensor, label_ids: Tensor, temperature: float) -> Tensor:
    """Return the supervised contrastive loss over all pairs of points.

    Each point with others of its label should find them among all other points; a point without such a partner only
    stands in the others' way.

    Args:
        points: Unit vectors, shape [n, width].
        label_ids: Shape [n].
        temperature: Divides the cosines; smaller looks harder at near neighbours.

    Source: Khosla et al., Supervised Contrastive Learning, arXiv 2004.11362, equation 2.
    """
    itself = torch.eye(len(label_ids), dtype=torch.bool)
    cosines = (points @ points.T / temperature).masked_fill(itself, -torch.inf)
    log_shares = cosines - torch.logsumexp(cosines, dim=1, keepdim=True)
    partner = (label_ids[:, None] == label_ids[None]) & ~itself
    partners = partner.sum(dim=1)
    found = partners > 0
    if not bool(found.any()):
        # No label has two points: nothing can come closer. Zero, and still part of the graph that is differentiated.
        return points.sum() * 0
    means = log_shares.masked_fill(~partner, 0).sum(dim=1)[found] / partners[found]
    return -means.mean()


def _backward(
    parts: Sequence[PackedTexts],
    label_ids: Tensor,
    weights: Mapping[str, Tensor],
    layers: LayerPlan,
    temperature: float,
) -> float:
    """Differentiate the loss over all pairs of a step, whose texts may come in parts to bound the memory.

    Source: Gao et al., Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup, arXiv 2101.06983: the
    loss is differentiated down to the points, and each part is encoded once more to go on from there.
    """
    own = torch.cat([label_ids[part.order] for part in parts])
    if len(parts) == 1:
        loss = contrastive_loss(pooled(parts[0], weights, layers), own, temperature)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())
    with torch.no_grad():
        points = torch.cat([pooled(part, weights, layers) for part in parts])
    points.requires_grad_()
    loss = contrastive_loss(points, own, temperature)
    loss.backward()  # type: ignore[no-untyped-call]
    assert points.grad is not None
    slopes = torch.split(points.grad, [len(part.order) for part in parts])
    for part, slope in zip(parts, slopes, strict=True):
        pooled(part, weights, layers).backward(slope)  # type: ignore[no-untyped-call]
    return float(loss.detach())


def _parts(texts: TokenStates, chosen: Ids) -> list[Ids]:
    """Cut a step's texts into parts that fit in memory, similar lengths together."""
    order = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
    part_of = np.cumsum(texts.lengths[order], dtype=np.int64) // MAX_PART_TOKENS
    return np.split(order, np.flatnonzero(np.diff(part_of)) + 1)


def _split(layers: LayerPlan, trained: int) -> tuple[LayerPlan, LayerPlan]:
    """Return the layers that stay as they are, and the last ``trained`` ones."""
    border = max(0, len(layers.layers) - trained)
    return replace(layers, layers=layers.layers[:border]), replace(layers, layers=layers.layers[border:])


@torch.no_grad()
def _states_after(frozen: LayerPlan, texts: TokenStates, weights: Mapping[str, Tensor]) -> TokenStates:
    """Return the texts' states after layers that no step changes, computed once."""
    if not frozen.layers:
        return texts
    reached = np.empty_like(texts.packed)
    for part in _parts(texts, np.arange(len(texts.lengths))):
        packed = pack_texts(texts, part, frozen.pooling)
        reached[token_indices(texts.lengths, packed.order)] = token_states(packed, weights, frozen).numpy()
    return TokenStates(reached, texts.lengths)
