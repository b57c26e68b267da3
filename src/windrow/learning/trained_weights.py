"""Keep the weights of a contrastive training, and change them by AdamW while gradients are computed, in torch."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from windrow.arrays import Precision

_BETAS = (0.9, 0.98)
_EPSILON = 1e-8


class TrainedWeights:
    """The weights that a training changes.

    A step's texts may be computed in parts, each in a thread of its own: all but :meth:`begin_step` and :meth:`changes`
    may run in several threads at the same time. A weight is changed soon after the last part has computed its gradient,
    while both are in the processor's caches; until then, the gradients of parts that are ahead are kept. Sums are taken
    in the order of the parts, whichever is ahead.

    Args:
        start: The weights before the training, which stay as they are, by name.
        precision: That of the operands of matrix products.
    """

    def __init__(self, start: Mapping[str, Tensor], precision: Precision) -> None:
        is_rounded = precision == "bfloat16"
        self._weights = {name: _Weight(tensor, is_rounded=is_rounded) for name, tensor in start.items()}
        self._rate = 0.0
        self._lock = threading.Lock()
        # Weights with all of their gradients: the part that is ahead has no weight to change otherwise.
        self._ready: deque[_Weight] = deque()

    def operands(self, part: int) -> dict[str, Tensor]:
        """Return what a part of a step computes with, by name; the backward pass of what comes of it trains them."""
        return {name: self._leaf(weight, part) for name, weight in self._weights.items()}

    def begin_step(self, rate: float, micro_batches: Sequence[int]) -> None:
        """Begin the backward passes of a step.

        Args:
            rate: The learning rate.
            micro_batches: The number of micro-batches of each part, at least 1.
        """
        self._rate = rate
        for weight in self._weights.values():
            weight.expect(micro_batches)

    def end_part(self) -> None:
        """Change the weights that are left, after the last backward pass of a part."""
        while (weight := self._next_ready()) is not None:
            weight.train(self._rate)

    def changes(self) -> dict[str, Tensor]:
        """Return what the training has changed, by name. The weights are void afterwards."""
        return {name: weight.change() for name, weight in self._weights.items()}

    def _leaf(self, weight: "_Weight", part: int) -> Tensor:
        # Each part has leaves of its own on the same memory, and so gradients of its own.
        leaf = weight.operand.detach().requires_grad_()
        leaf.register_post_accumulate_grad_hook(partial(self._add, weight, part))  # type: ignore[no-untyped-call]
        return leaf

    def _add(self, weight: "_Weight", part: int, leaf: Tensor) -> None:
        assert leaf.grad is not None
        gradient, leaf.grad = leaf.grad.float(), None
        with self._lock:
            # What was ready before this one comes first: no part should do all of it.
            ready = self._ready.popleft() if self._ready else None
            if weight.add(part, gradient):
                self._ready.append(weight)
        if ready is None and weight.parts == 1:
            ready = self._next_ready()
        if ready is not None:
            ready.train(self._rate)

    def _next_ready(self) -> "_Weight | None":
        with self._lock:
            return self._ready.popleft() if self._ready else None


class _Weight:
    """A weight, and what AdamW keeps of it.

    Args:
        start: The weight before the training.
        is_rounded: Whether matrix products take it in bfloat16.
    """

    __slots__ = ("_gradients", "_left", "_start", "_state", "_trained", "operand")

    def __init__(self, start: Tensor, *, is_rounded: bool) -> None:
        self._start = start
        self._trained = None if is_rounded else start.clone()
        self.operand = start.bfloat16() if self._trained is None else self._trained
        self._state: tuple[Tensor, Tensor, Tensor] | None = None
        self._left: list[int] = []
        self._gradients: list[Tensor | None] = []

    @property
    def parts(self) -> int:
        """The parts of the step."""
        return len(self._left)

    def expect(self, micro_batches: Sequence[int]) -> None:
        """Expect a gradient of each micro-batch of each part."""
        self._left = list(micro_batches)
        self._gradients = [None] * len(micro_batches)

    def add(self, part: int, gradient: Tensor) -> bool:
        """Add the gradient of a micro-batch, and return whether it was the step's last one."""
        earlier = self._gradients[part]
        self._gradients[part] = gradient if earlier is None else earlier.add_(gradient)
        self._left[part] -= 1
        return not any(self._left)

    @torch.no_grad()
    def train(self, rate: float) -> None:
        """Take a step; every part has used the weight as it was."""
        gradient, *others = [each for each in self._gradients if each is not None]
        self._gradients = []
        for other in others:
            gradient.add_(other)
        if self._trained is None:
            self._trained = self._start.clone()
        if self._state is None:
            self._state = torch.zeros_like(self._start), torch.zeros_like(self._start), torch.zeros(())
        mean, variance, step = self._state
        adamw(
            [self._trained],
            [gradient],
            [mean],
            [variance],
            [],
            [step],
            fused=True,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=rate,
            weight_decay=0.0,
            eps=_EPSILON,
            maximize=False,
        )
        if self.operand is not self._trained:
            self.operand.copy_(self._trained)

    def change(self) -> Tensor:
        """Return the trained weight less the one before, in its place."""
        return torch.zeros_like(self._start) if self._trained is None else self._trained.sub_(self._start)
