"""Sentence-transformers folders with few, random weights: one for each family, made by the reference libraries."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

POSITIONS = 200
_WORDS = [
    "reset",
    "my",
    "password",
    "i",
    "was",
    "charged",
    "twice",
    "two",
    "words",
    "word",
    "how",
    "do",
    "and",
    "of",
    "漢",
    "字",
    "🦄",
    "not",
    "here",
    "[",
    "]",
    "!",
    "?",
]
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_BERT_SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
_ROBERTA_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
_SIZES = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 48}


@dataclass(frozen=True)
class Kind:
    """A family, as transformers names its classes, and a way of pooling."""

    name: str
    specials: list[str]
    pooling: str = "mean"
    extra_positions: int = 0
    pieces: Literal["wordpiece", "unigram"] = "wordpiece"


KINDS = {
    "bert": Kind("Bert", _BERT_SPECIALS),
    "bert-cls": Kind("Bert", _BERT_SPECIALS, pooling="cls"),
    "distilbert": Kind("DistilBert", _BERT_SPECIALS),
    "mpnet": Kind("MPNet", _ROBERTA_SPECIALS, extra_positions=2),
    "roberta": Kind("Roberta", _ROBERTA_SPECIALS, extra_positions=2),
    "xlm-roberta": Kind("XLMRoberta", _ROBERTA_SPECIALS, extra_positions=2),
    # As paraphrase-multilingual-MiniLM-L12-v2 and multilingual-e5-small are, and as multilingual-e5-base is.
    "multilingual-bert": Kind("Bert", _ROBERTA_SPECIALS, pieces="unigram"),
    "multilingual-xlm-roberta": Kind("XLMRoberta", _ROBERTA_SPECIALS, extra_positions=2, pieces="unigram"),
}


def write_tiny_folder(path: Path, kind_name: str = "bert", **changes: object) -> Path:
    """Write a whole folder; ``changes`` go into the model's config."""
    # Not above: transformers takes longer to import than most files of tests to run.
    import torch
    import transformers
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    kind = KINDS[kind_name]
    tokenizer = _tokenizer(kind)
    torch.manual_seed(7)
    sizes: dict[str, object] = {
        **_SIZES,
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": POSITIONS + kind.extra_positions,
        "pad_token_id": tokenizer.token_to_id(_named(kind)["pad_token"]),
    }
    if kind_name == "distilbert":
        renamed = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"}
        sizes = {renamed.get(name, name): size for name, size in sizes.items()} | {"hidden_dim": 48}
        del sizes["intermediate_size"]
    config = getattr(transformers, f"{kind.name}Config")(**(sizes | changes))
    model = getattr(transformers, f"{kind.name}Model")(config)
    with torch.no_grad():
        for parameter in model.parameters():  # far from the usual start, so that no mistake hides behind a zero
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (parameter == 1))
    model.save_pretrained(path)
    wrapped = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **_named(kind))  # type: ignore[no-untyped-call]
    wrapped.save_pretrained(path)
    _write(path / "modules.json", _modules())
    _write(path / "sentence_bert_config.json", {"max_seq_length": POSITIONS, "do_lower_case": False})
    _write(path / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **_pooling(kind.pooling)})
    return path


def edit_json(path: Path, **changes: object) -> None:
    """Change entries of a JSON object; ``None`` removes one."""
    content = json.loads(path.read_text()) if path.exists() else {}
    content |= changes
    _write(path, {name: value for name, value in content.items() if value is not None})


def _tokenizer(kind: Kind) -> Tokenizer:
    tokenizer = _unigram() if kind.pieces == "unigram" else _wordpiece(kind)
    first, last = _named(kind)["cls_token"], _named(kind)["sep_token"]
    ids = [(token, tokenizer.token_to_id(token)) for token in (first, last)]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ids)
    return tokenizer


def _unigram() -> Tokenizer:
    """Return a tokenizer as SentencePiece's unigram models are written for the library ``tokenizers``."""
    words = [f"\u2581{word}" for word in (*_WORDS, "query", "passage", "rechnung", "passwort")]
    pieces = dict.fromkeys([*_ROBERTA_SPECIALS, *words, "\u2581", ":", *_LETTERS, *"äöüß"])
    scores = [(piece, -float(number % 7) - len(pieces) / (len(piece) + 1)) for number, piece in enumerate(pieces)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=_ROBERTA_SPECIALS.index("<unk>")))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    return tokenizer


def _wordpiece(kind: Kind) -> Tokenizer:
    # A letter may also be a word: numbered twice, it would leave the last piece without a row in the model.
    pieces = dict.fromkeys([*kind.specials, *_WORDS, *_LETTERS, *(f"##{letter}" for letter in _LETTERS)])
    tokenizer = Tokenizer(
        models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token=_named(kind)["unk_token"])
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def _named(kind: Kind) -> dict[str, str]:
    roles = ("pad_token", "unk_token", "cls_token", "sep_token")
    order = kind.specials if kind.specials is _BERT_SPECIALS else ["<pad>", "<unk>", "<s>", "</s>"]
    return dict(zip(roles, order, strict=True))


def _modules() -> list[dict[str, object]]:
    names = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
    return [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{name}"}
        for number, (name, path) in enumerate(names.items())
    ]


def _pooling(mode: str) -> dict[str, bool]:
    return {"pooling_mode_cls_token": mode == "cls", "pooling_mode_mean_tokens": mode == "mean"}


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def nest(path: Path, nested: Path) -> Path:
    """Copy a folder so that its transformer lies in a folder of its own, as older ones have it; return the new one."""
    shutil.copytree(path, nested / "0_Transformer")
    shutil.move(nested / "0_Transformer" / "1_Pooling", nested / "1_Pooling")
    modules = (path / "modules.json").read_text().replace('"path": ""', '"path": "0_Transformer"')
    (nested / "modules.json").write_text(modules)
    return nested
