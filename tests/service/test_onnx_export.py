"""An export to ONNX answers as Windrow does, in a process that has nothing but onnxruntime, tokenizers and numpy."""

import errno
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.service.examples import Open, fake_service
from tests.service.test_training_for_real import REQUEST, ROWS
from windrow.domain.archive import ExportRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.errors import ClassifierNotFound, InvalidBaseModel, InvalidParameter, StorageFull
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.threshold import SetThresholdRequest
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.runner import ProcessRunner
from windrow.service import onnx_export
from windrow.service.service import Service

pytestmark = pytest.mark.slow

SEVERAL = tuple(
    MultiLabelRow(row.text, (row.label, "urgent") if number % 3 == 0 else (row.label,))
    for number, row in enumerate(ROWS)
)
DESCRIPTIONS = {"billing": "money, invoices, receipts", "bug": "errors and crashes", "account": "logins and addresses"}
# Of each: with and without an adapter, with thresholds, several labels, without a row, and with too few rows to learn.
REQUESTS = (
    replace(REQUEST, model_name="adapted"),
    replace(REQUEST, model_name="head", num_iterations=0),
    replace(REQUEST, model_name="abstaining", num_iterations=0),
    FitRequest("several", SEVERAL, num_iterations=0),
    FitRequest("several_adapted", SEVERAL, num_iterations=2),
    FitRequest("several_abstaining", SEVERAL, num_iterations=0),
    FitRequest("described", (), label_descriptions=DESCRIPTIONS),
)
SOURCE = (
    "my card was charged twice please send the receipt for May error 17 on screen white window crash login address "
    "colleague access search nothing found ÄÖÜ naïve 漢字 🦄 ? ! , . [MASK] don't https://example.org/?a=1 1180 €"
)


def texts() -> list[str]:
    """Return 600 texts, of one word to more than the encoder reads."""
    generator = random.Random(7)
    lengths = [generator.choice((1, 2, 5, 9, 20)) for _ in range(588)] + [120, 250, 260, 400] * 3
    return [" ".join(generator.choices(SOURCE.split(), k=length)) for length in lengths]


@pytest.fixture(scope="module")
def trained(bundled: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = fake_service(tmp_path_factory.mktemp("data"), {DEFAULT_BASE_MODEL: bundled}, ProcessRunner(1))
    service.start()
    for request in REQUESTS:
        service.fit(request)
    service.set_threshold(SetThresholdRequest(model_name="abstaining", abstain_below=0.5))
    limits: dict[str, Any] = {"abstain_below": 0.6, "label_thresholds": {"urgent": 0.31}}
    service.set_threshold(SetThresholdRequest(model_name="several_abstaining", **limits))
    yield service
    service.close()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with those that the program needs and no other."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("numpy", "onnxruntime", "tokenizers"):
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.submodule_search_locations
        for place in Path(spec.submodule_search_locations[0]).parent.glob(f"{name}*"):
            if place.name in (name, f"{name}.libs"):
                (folder / place.name).symlink_to(place)
    return folder


def exported(service: Service, name: str) -> bytes:
    export = service.export(ExportRequest(name, to="onnx"))
    content = b"".join(export.chunks)
    assert (export.file_name, export.size_bytes) == (f"{name}.onnx.zip", len(content))
    return content


def unpacked(service: Service, name: str, path: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(exported(service, name))).extractall(path)
    return path / f"{name}-onnx"


def run_bare(bare: Path, program: list[str], sent: str = "") -> str:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(bare), "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-S", "-s", *program]
    done = subprocess.run(command, input=sent, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask_outside(bare: Path, folder: Path, asked: list[str], batch_size: int = 32) -> list[dict[str, Any]]:
    """Return what the exported program answers."""
    code = (
        f"import sys, json; sys.path.insert(0, {str(folder)!r}); from predict import predict\n"
        f"print(json.dumps(list(predict(json.load(sys.stdin), {batch_size}))))\n"
        "try: import windrow\nexcept ImportError: pass\nelse: raise SystemExit('windrow is there')\n"
    )
    answers: list[dict[str, Any]] = json.loads(run_bare(bare, ["-c", code], json.dumps(asked)))
    return answers


def given(answer: Prediction) -> object:
    if answer.kind == "single_label":
        return answer.label
    return None if answer.labels is None else list(answer.labels)


@pytest.mark.parametrize("name", [request.model_name for request in REQUESTS])
def test_the_exported_program_answers_as_windrow_does(name: str, trained: Service, bare: Path, tmp_path: Path) -> None:
    asked = texts()
    inside = trained.predict(PredictRequest(model_name=name, texts=tuple(asked)))
    outside = ask_outside(bare, unpacked(trained, name, tmp_path), asked)
    key = "labels" if inside[0].kind == "multi_label" else "label"
    assert [answer[key] for answer in outside] == [given(answer) for answer in inside]
    differences = [
        abs(score - answer["scores"][label])
        for here, answer in zip(inside, outside, strict=True)
        for label, score in here.scores.items()
    ]
    assert max(differences) < 1e-4
    assert any(answer.truncated for answer in inside)
    assert len({str(given(answer)) for answer in inside}) > 1


def test_a_batch_of_any_size_gives_the_same(trained: Service, bare: Path, tmp_path: Path) -> None:
    folder, asked = unpacked(trained, "adapted", tmp_path), texts()[::20]
    together, alone = ask_outside(bare, folder, asked, len(asked)), ask_outside(bare, folder, asked, 1)
    assert [answer["label"] for answer in together] == [answer["label"] for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)


def test_the_program_takes_texts_as_arguments_and_as_lines(trained: Service, bare: Path, tmp_path: Path) -> None:
    program = str(unpacked(trained, "head", tmp_path) / "predict.py")
    by_arguments = run_bare(bare, [program, "error 17", "send the receipt"])
    assert by_arguments == run_bare(bare, [program], "error 17\nsend the receipt\n")
    assert [json.loads(line)["label"] for line in by_arguments.splitlines()] == ["bug", "billing"]


def test_the_same_classifier_gives_the_same_bytes(trained: Service) -> None:
    assert exported(trained, "adapted") == exported(trained, "adapted")


def test_the_folder_says_what_it_is_and_holds_no_training_text(trained: Service, tmp_path: Path) -> None:
    folder = unpacked(trained, "several_abstaining", tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "config.json",
        "labels.json",
        "model.onnx",
        "model.onnx.data",
        "predict.py",
        "tokenizer.json",
    ]
    labels = json.loads((folder / "labels.json").read_text())
    assert (labels["labels"], labels["abstain_below"]) == (["account", "billing", "bug", "urgent"], 0.6)
    assert labels["thresholds"]["urgent"] == 0.31
    config = json.loads((folder / "config.json").read_text())
    assert (config["kind"], config["max_tokens"], config["prompt"]) == ("multi_label", 256, "")
    page = (folder / "README.md").read_text()
    assert "names the licence `apache-2.0`" in page
    assert DEFAULT_BASE_MODEL in page
    assert len((folder / "predict.py").read_text().splitlines()) <= 33
    whole = b"".join(path.read_bytes() for path in folder.iterdir())
    assert not [row.text for row in ROWS if row.text.encode() in whole]


def test_what_nobody_takes_is_let_go_of_and_a_full_disk_is_told(
    trained: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = trained.export(ExportRequest("head", to="onnx"))
    assert next(export.chunks)
    export.close()
    assert list(export.chunks) == []

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(onnx_export, "TemporaryFile", fail)
    with pytest.raises(StorageFull, match="TMPDIR"):
        trained.export(ExportRequest("head", to="onnx"))


def test_training_data_does_not_go_along(trained: Service) -> None:
    with pytest.raises(InvalidParameter, match="holds no training data"):
        trained.export(ExportRequest("head", include_training_data=True, to="onnx"))


def test_what_does_not_exist_is_refused_and_a_base_model_that_is_gone_too(opened: Open) -> None:
    service = opened()
    with pytest.raises(ClassifierNotFound):
        service.export(ExportRequest("nothing_v1", to="onnx"))
    service.fit(FitRequest("tickets_v1", ROWS, num_iterations=0))
    with pytest.raises(InvalidBaseModel):  # this service's encoder has no files
        service.export(ExportRequest("tickets_v1", to="onnx"))
