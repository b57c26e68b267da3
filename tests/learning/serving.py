"""The same layers twice: in torch as training has them, and in the graph that serves."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import Floats, top_layers
from windrow.encoders.session import Adapter
from windrow.encoders.weights import load_weights
from windrow.learning.layers import pack_texts, pooled
from windrow.learning.texts import LayerPlan, TokenStates


def layers_of(folder: EncoderFolder) -> LayerPlan:
    """Return the layers that an adapter may change."""
    return LayerPlan(tuple(top_layers(folder)), folder.heads, folder.layer_norm_epsilon, folder.pooling)


def weights_of(folder: EncoderFolder, adapter: Adapter | None = None) -> dict[str, Floats]:
    """Return an encoder's weights, with an adapter added to them."""
    weights = load_weights(folder)
    for name in {name.rpartition(".")[0] for name in adapter or {}}:
        assert adapter is not None
        weights[f"{name}.weight"] = weights[f"{name}.weight"] + adapter[f"{name}.down"] @ adapter[f"{name}.up"]
    return weights


def tensors(weights: Mapping[str, Floats]) -> dict[str, Tensor]:
    """Return weights as torch wants them."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in weights.items()}


def pooled_as_trained(texts: TokenStates, folder: EncoderFolder, adapter: Adapter | None = None) -> Floats:
    """Return what training makes of the texts, in their order: the last layer, shape [n, hidden]."""
    packed = pack_texts(texts, np.arange(len(texts.lengths)), folder.pooling)
    points = np.empty((len(texts.lengths), folder.hidden_size), np.float32)
    with torch.no_grad():
        points[packed.order] = pooled(packed, tensors(weights_of(folder, adapter)), layers_of(folder)).numpy()
    return points
