"""Load an encoder's weights under the same names for every model family."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from windrow.arrays import PROJECTIONS, Floats
from windrow.domain.errors import InvalidBaseModel
from windrow.domain.figures import counted
from windrow.encoders.folder import RELATIVE_BUCKETS, EncoderFolder, Family
from windrow.encoders.layout import projection_shape

_BERT_LAYER = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attention_out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "expand": "intermediate.dense",
    "contract": "output.dense",
    "output_norm": "output.LayerNorm",
}
_MPNET_LAYER = _BERT_LAYER | {
    "query": "attention.attn.q",
    "key": "attention.attn.k",
    "value": "attention.attn.v",
    "attention_out": "attention.attn.o",
    "attention_norm": "attention.LayerNorm",
}
_DISTILBERT_LAYER = {
    "query": "attention.q_lin",
    "key": "attention.k_lin",
    "value": "attention.v_lin",
    "attention_out": "attention.out_lin",
    "attention_norm": "sa_layer_norm",
    "expand": "ffn.lin1",
    "contract": "ffn.lin2",
    "output_norm": "output_layer_norm",
}
_LAYERS: Mapping[Family, tuple[str, Mapping[str, str]]] = {
    "bert": ("encoder.layer", _BERT_LAYER),
    "roberta": ("encoder.layer", _BERT_LAYER),
    "mpnet": ("encoder.layer", _MPNET_LAYER),
    "distilbert": ("transformer.layer", _DISTILBERT_LAYER),
}
_WORDS = "embeddings.word_embeddings.weight"
_NUMBERS = {"F32", "F16", "BF16"}
# Distances beyond this share a bucket. Source: transformers, MPNetEncoder.relative_position_bucket.
_FAR_DISTANCE = 128


def load_weights(folder: EncoderFolder) -> dict[str, Floats]:
    """Load every tensor that the features depend on.

    Returns:
        float32 arrays: ``word`` [vocabulary, hidden]; ``position`` [max_tokens or more, hidden], where a text's first
        token takes row 0 and the token type is added in; ``embeddings_norm.{weight,bias}`` [hidden]; for each layer
        ``layers.{i}.{projection}.weight`` [in, out] and ``.bias`` [out] of the six projections;
        ``layers.{i}.{attention_norm,output_norm}.{weight,bias}`` [hidden]; and for MPNet
        ``bias_by_distance`` [heads, 2 * max_tokens - 1]: what attention adds for a key so many places after its query,
        the middle column being 0 places.
        The projections are transposed views, so they are not contiguous.

    Raises:
        InvalidBaseModel: The file cannot be read, or a tensor is missing or of another shape than config.json says.
    """
    weights = _read(folder, _sources(folder))
    weights["position"] = weights["position"][folder.position_offset :]
    if "segment" in weights:
        # BERT and RoBERTa add a vector for the segment (token type); a text alone is segment 0 throughout.
        weights["position"] = weights["position"] + weights.pop("segment")[0]
    for name in weights:
        if name.startswith("layers.") and weights[name].ndim == 2:
            weights[name] = weights[name].T
    _check_shapes(folder, weights)
    if "relative_bias" in weights:
        reach = folder.max_tokens - 1
        by_distance = weights.pop("relative_bias")[_buckets(np.arange(-reach, reach + 1))].T
        weights["bias_by_distance"] = np.ascontiguousarray(by_distance)
    return weights


def _sources(folder: EncoderFolder) -> dict[str, str]:
    """Return the name in the file for each of our names."""
    sources = {"word": _WORDS, "position": "embeddings.position_embeddings.weight"}
    if folder.family in ("bert", "roberta"):
        sources["segment"] = "embeddings.token_type_embeddings.weight"
    if folder.family == "mpnet":
        sources["relative_bias"] = "encoder.relative_attention_bias.weight"
    prefix, parts = _LAYERS[folder.family]
    pairs = {"embeddings_norm": "embeddings.LayerNorm"} | {
        f"layers.{layer}.{ours}": f"{prefix}.{layer}.{theirs}"
        for layer in range(folder.layers)
        for ours, theirs in parts.items()
    }
    for ours, theirs in pairs.items():
        sources |= {f"{ours}.{kind}": f"{theirs}.{kind}" for kind in ("weight", "bias")}
    return sources


def _read(folder: EncoderFolder, sources: Mapping[str, str]) -> dict[str, Floats]:
    try:
        with safe_open(folder.weights_path, framework="np") as file:
            names = set(file.keys())
            # Some files put the model's own name before every tensor: "bert.", "roberta." …
            prefix = next((name.removesuffix(_WORDS) for name in sorted(names) if name.endswith(_WORDS)), "")
            if missing := sorted(set(sources.values()) - {name.removeprefix(prefix) for name in names}):
                raise _invalid(folder, f"lacks {counted(len(missing), 'tensor')}, the first of them {missing[0]}")
            formats = {str(file.get_slice(prefix + source).get_dtype()) for source in sources.values()}
            if not formats <= _NUMBERS:
                raise _invalid(folder, f"holds numbers of the kind {', '.join(sorted(formats - _NUMBERS))}")
            if "BF16" in formats:
                import ml_dtypes  # noqa: F401 - importing it teaches NumPy what bfloat16 is
            return {
                ours: file.get_tensor(prefix + theirs).astype(np.float32, copy=False)
                for ours, theirs in sources.items()
            }
    except (OSError, SafetensorError) as error:
        raise _invalid(folder, f"cannot be read ({error})") from error


def _check_shapes(folder: EncoderFolder, weights: Mapping[str, Floats]) -> None:
    hidden = folder.hidden_size
    for name, tensor in weights.items():
        part = name.removesuffix(".weight").removesuffix(".bias").rpartition(".")[2]
        expected: tuple[int, ...] = (hidden,)
        if part in PROJECTIONS:
            shape = projection_shape(folder, part)
            expected = shape if name.endswith(".weight") else shape[1:]
        elif part == "word":
            expected = (folder.vocabulary, hidden)
        elif part == "position":
            expected = (max(len(tensor), folder.max_tokens), hidden)
        elif part == "relative_bias":
            expected = (RELATIVE_BUCKETS, folder.heads)
        if tensor.shape != expected:
            raise _invalid(folder, f"holds {name} with shape {tensor.shape} where config.json asks for {expected}")


def _buckets(distances: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the row of MPNet's table for each distance, the place looked at less the place looked from.

    Source: transformers, ``MPNetEncoder.relative_position_bucket``, in float32 as there.
    """
    half = RELATIVE_BUCKETS // 2
    exact = half // 2
    steps = np.abs(distances)
    fraction = np.log(np.maximum(steps, 1).astype(np.float32) / np.float32(exact)) / np.float32(
        np.log(_FAR_DISTANCE / exact)
    )
    far = exact + (fraction * np.float32(half - exact)).astype(np.int64)
    return half * (distances > 0) + np.where(steps < exact, steps, np.minimum(far, half - 1))


def _invalid(folder: EncoderFolder, problem: str) -> InvalidBaseModel:
    return InvalidBaseModel(
        "The weights {file} {why}. Copy the model again, or choose another one.",
        {"file": str(folder.weights_path), "why": problem},
    )
