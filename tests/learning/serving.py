"""The same layers twice: in torch as training has them, and in the graph that serves."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from windrow.arrays import Floats, TokenStates
from windrow.encoders.adapters import LowRankChanges
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import top_layers
from windrow.encoders.weights import load_weights
from windrow.learning.layers import pack_texts, pooled
from windrow.learning.plan import LayerConfig


def layers_of(folder: EncoderFolder) -> LayerConfig:
    """Return the layers that an adapter may change."""
    return LayerConfig(tuple(top_layers(folder)), folder.heads, folder.layer_norm_epsilon, folder.pooling)


def weights_of(folder: EncoderFolder, changes: LowRankChanges | None = None) -> dict[str, Floats]:
    """Return an encoder's weights, with an adapter's changes added to them."""
    weights = load_weights(folder)
    wide = {name: tensor.astype(np.float32) for name, tensor in (changes or {}).items()}
    for name in {name.rpartition(".")[0] for name in wide}:
        weights[f"{name}.weight"] = weights[f"{name}.weight"] + wide[f"{name}.down"] @ wide[f"{name}.up"]
    return weights


def tensors(weights: Mapping[str, Floats]) -> dict[str, Tensor]:
    """Return weights as torch wants them."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in weights.items()}


def pooled_as_trained(texts: TokenStates, folder: EncoderFolder, changes: LowRankChanges | None = None) -> Floats:
    """Return what training makes of the texts, in their order: the last layer, shape [n, hidden]."""
    packed = pack_texts(texts, np.arange(len(texts.lengths)), folder.pooling)
    points = np.empty((len(texts.lengths), folder.hidden_size), np.float32)
    with torch.no_grad():
        points[packed.order] = pooled(packed, tensors(weights_of(folder, changes)), layers_of(folder)).numpy()
    return points
