"""The encoder gives what sentence-transformers gives, for every family, with and without an adapter."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.encoders import reference
from tests.encoders.adapters import adapter_for, changes_for, merge
from tests.encoders.contract import TextEncoderContract
from tests.encoders.tiny import KINDS, edit_json, write_tiny_folder
from tests.fakes.encoder import FakeEncoder
from windrow.domain.errors import InvalidBaseModel
from windrow.encoders import onnx_encoder
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import compute_trunk_states, encode, features_from_states
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.graph_cache import find_or_build_graphs
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import OnnxEncoder, Parallelism, TextEncoder, load_encoder
from windrow.settings import read_environment

pytestmark = pytest.mark.slow

VARIED = [
    "a",
    "",
    " ",
    "How do I reset my password?",
    "The quick brown fox jumps over the lazy dog. " * 5,
    "word " * 253,
    "word " * 254,
    "word " * 600,
    "Ünïcödé, naïve café, Łódź, 漢字 かな 한국어",
    "🦄🔥 emoji 👩‍👩‍👧‍👦 family 🇪🇺",
    "control \x00\x01\x07\x1b[31m characters\r\n\ttabs\x7f",
    "مرحبا بالعالم שלום עולם \u202eright to left\u202c",
    "zero\u200bwidth\u200djoin\ufeffmark a\u0301\u0302\u0303",
    "[MASK] [CLS] [SEP] literal specials",
    "\ufffd\uffff \U0010ffff",
    "x" * 5000,
]
WORDS = ["reset my password", "i was charged twice !", "?", "word " * 150 + "here", "word " * 300, "漢字 🦄 not here"]


class TestOnnxEncoder(TextEncoderContract):
    @pytest.fixture
    def encoder(self, bundled: OnnxEncoder) -> TextEncoder:
        return bundled


class TestFakeEncoder(TextEncoderContract):
    @pytest.fixture
    def encoder(self) -> TextEncoder:
        return FakeEncoder()


def test_the_bundled_encoder_agrees_with_sentence_transformers(
    bundled: OnnxEncoder, bundled_folder: EncoderFolder
) -> None:
    ours = encode(bundled, VARIED).features[:, -bundled_folder.hidden_size :]
    cosines = (ours * reference.last_layer(bundled_folder.path, VARIED)).sum(axis=1)
    assert cosines.min() >= 0.99999


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_agrees_with_sentence_transformers(kind: str, tmp_path: Path) -> None:
    folder = read_encoder_folder(write_tiny_folder(tmp_path / "model", kind), "tests/tiny")
    ours = encode(load_encoder(folder, tmp_path, threads=1), WORDS).features
    np.testing.assert_allclose(ours[:, -folder.hidden_size :], reference.last_layer(folder.path, WORDS), atol=2e-5)
    np.testing.assert_allclose(ours, reference.last_three_layers(folder.path, WORDS), atol=2e-5)


def test_a_model_of_two_layers_gives_the_features_of_both(tmp_path: Path) -> None:
    folder = read_encoder_folder(write_tiny_folder(tmp_path / "model", num_hidden_layers=2), "tests/tiny")
    encoder = load_encoder(folder, tmp_path, threads=1)
    assert feature_size(encoder.folder) == 2 * folder.hidden_size
    theirs = reference.last_three_layers(folder.path, WORDS)[:, folder.hidden_size :]
    np.testing.assert_allclose(encode(encoder, WORDS).features, theirs, atol=2e-5)
    assert compute_trunk_states(encoder, encoder.tokenize(WORDS)).packed.shape[1] == folder.hidden_size


def test_a_text_is_truncated_beyond_the_last_token_that_fits(bundled: OnnxEncoder) -> None:
    assert encode(bundled, ["word " * 254, "word " * 255]).truncated.tolist() == [False, True]


def test_an_adapter_equals_weights_that_it_was_added_to(
    tiny: OnnxEncoder, tiny_folder: EncoderFolder, tmp_path: Path
) -> None:
    changes = changes_for(tiny_folder, rank=4)
    adapter = pack_adapter(tiny_folder, changes)
    merged = load_encoder(merge(tiny_folder, changes, tmp_path / "merged"), tmp_path, threads=1)
    adapted = encode(tiny, WORDS, adapter).features
    np.testing.assert_allclose(adapted, encode(merged, WORDS).features, atol=1e-5)
    assert np.abs(adapted - encode(tiny, WORDS).features).max() > 0.01
    np.testing.assert_allclose(
        features_from_states(tiny, compute_trunk_states(tiny, tiny.tokenize(WORDS)), adapter), adapted, atol=1e-5
    )


@pytest.mark.parametrize("parallelism", Parallelism)
def test_texts_with_different_adapters_and_with_none_share_a_batch(
    parallelism: Parallelism, tiny: OnnxEncoder, tiny_folder: EncoderFolder
) -> None:
    first, second = adapter_for(tiny_folder, 2, seed=1), adapter_for(tiny_folder, 3, seed=2)
    adapters = [first, None, second, first, None, second]
    batch = tiny.tokenize(WORDS)
    together = tiny.encode(batch, adapters, parallelism)
    apart = [
        tiny.encode([text], [adapter], Parallelism.ALL_CORES)[0] for text, adapter in zip(batch, adapters, strict=True)
    ]
    np.testing.assert_allclose(together, apart, atol=1e-5)
    assert (
        np.abs(together - tiny.encode(batch, [None] * len(batch), parallelism)).max(axis=1)[[0, 2, 3, 5]].min() > 0.01
    )


def test_an_adapter_of_rank_0_changes_nothing(tiny: OnnxEncoder, tiny_folder: EncoderFolder) -> None:
    empty = encode(tiny, WORDS, adapter_for(tiny_folder, rank=0)).features
    np.testing.assert_allclose(empty, encode(tiny, WORDS).features, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "multilingual-bert", "multilingual-xlm-roberta"])
def test_the_default_prompt_stands_before_every_text_as_in_sentence_transformers(kind: str, tmp_path: Path) -> None:
    path = write_tiny_folder(tmp_path / "model", kind)
    plain = encode(load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path, threads=1), WORDS).features
    config = path / "config_sentence_transformers.json"
    edit_json(config, prompts={"query": "how do : "}, default_prompt_name="query")
    folder = read_encoder_folder(path, "tests/tiny")
    ours = encode(load_encoder(folder, tmp_path, threads=1), WORDS).features
    np.testing.assert_allclose(ours[:, -folder.hidden_size :], reference.last_layer(path, WORDS), atol=2e-5)
    assert np.abs(ours - plain).max(axis=1).min() > 0.001


def test_an_e5_model_reads_each_text_as_a_query(tmp_path: Path) -> None:
    path = write_tiny_folder(tmp_path / "model", "multilingual-bert")
    e5 = load_encoder(read_encoder_folder(path, "intfloat/multilingual-e5-small"), tmp_path, threads=1)
    plain = load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path, threads=1)
    queries = encode(plain, [f"query: {word}" for word in WORDS])
    for texts in (WORDS, WORDS[:1]):  # one text is tokenized in another way than many
        np.testing.assert_allclose(encode(e5, texts).features, queries.features[: len(texts)], atol=1e-6)
    assert e5.folder.base_model.digest != plain.folder.base_model.digest


def test_a_folder_can_ask_for_lower_case(tmp_path: Path) -> None:
    path = write_tiny_folder(tmp_path / "model")
    edit_json(path / "tokenizer.json", normalizer={"type": "NFC"})
    cased = load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path, threads=1)
    assert not np.allclose(*encode(cased, ["Reset My PASSWORD", "reset my password"]).features)
    edit_json(path / "sentence_bert_config.json", do_lower_case=True)
    lower = load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path, threads=1)
    assert np.allclose(*encode(lower, ["Reset My PASSWORD", "reset my password"]).features)


def test_an_unreadable_tokenizer_is_refused(tmp_path: Path) -> None:
    path = write_tiny_folder(tmp_path / "model")
    (path / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidBaseModel, match=r"tokenizer\.json cannot be read"):
        load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path)


def test_a_tokenizer_that_adds_no_special_tokens_is_refused(path: Path, tmp_path: Path) -> None:
    edit_json(path / "tokenizer.json", post_processor=None)
    with pytest.raises(InvalidBaseModel, match="adds no special tokens"):
        load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path)


def test_a_tokenizer_that_knows_more_tokens_than_the_model_is_refused(tmp_path: Path) -> None:
    path = write_tiny_folder(tmp_path / "model", vocab_size=20)
    with pytest.raises(InvalidBaseModel, match="more tokens than the model"):
        load_encoder(read_encoder_folder(path, "tests/tiny"), tmp_path)


def test_a_graph_that_is_damaged_after_it_was_checked_is_refused_with_what_to_delete(
    tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = find_or_build_graphs(tiny_folder, tmp_path) / "top.onnx"
    graph.write_bytes(graph.read_bytes()[:100])
    monkeypatch.setattr(onnx_encoder, "find_or_build_graphs", lambda folder, data_dir: graph.parent)
    with pytest.raises(InvalidBaseModel, match=f"Delete the folder {graph.parent}"):
        load_encoder(tiny_folder, tmp_path)


def test_a_graph_that_is_damaged_after_the_others_were_loaded_is_not_opened(
    tiny_folder: EncoderFolder, tmp_path: Path
) -> None:
    encoder = load_encoder(tiny_folder, tmp_path, threads=2)
    tensors = find_or_build_graphs(tiny_folder, tmp_path) / "tensors.bin"
    spoilt = bytearray(tensors.read_bytes())
    spoilt[0] ^= 1
    tensors.rename(tmp_path / "kept")  # what is loaded goes on using it
    tensors.write_bytes(spoilt)
    (tokens,) = encoder.tokenize(["a"])
    adapter = adapter_for(tiny_folder, rank=2)
    for parallelism in Parallelism:
        with pytest.raises(InvalidBaseModel, match=r"\(tensors\.bin is not as it was written\)"):
            encoder.encode([tokens], [adapter], parallelism)
    before = [encoder.encode([tokens], [None], parallelism) for parallelism in Parallelism]
    assert before[0] == pytest.approx(before[1], abs=1e-5)
    (tmp_path / "kept").rename(tensors)
    after = [encoder.encode([tokens], [adapter], parallelism) for parallelism in Parallelism]
    assert after[0] == pytest.approx(after[1], abs=1e-5)


def test_loading_and_encoding_print_nothing(
    tiny_folder: EncoderFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    encode(load_encoder(tiny_folder, tmp_path), WORDS, adapter_for(tiny_folder, rank=2))
    assert capfd.readouterr() == ("", "")


def test_the_runtime_writes_down_nothing_about_who_runs_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    variables = {**read_environment(), "HOME": str(home)}
    for name in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME"):
        variables.pop(name, None)
    command = [
        sys.executable,
        "-m",
        "windrow",
        "classify",
        "a",
        "--labels",
        "b,c",
        "--data-dir",
        str(tmp_path / "data"),
    ]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path for path in home.rglob("*") if "microsoft" in path.name.lower()] == []
