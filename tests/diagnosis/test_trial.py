"""A trial trains, predicts and measures for real, and leaves nothing behind."""

import tempfile
from pathlib import Path

import pytest

from windrow.diagnosis import processor
from windrow.diagnosis.trial import check_trial
from windrow.settings import Settings

pytestmark = pytest.mark.slow


def test_a_trial_trains_and_predicts_and_says_how_fast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(processor, "_MIN_S", 0.05)
    # What a server is set to must not keep a trial from being made.
    settings = Settings(data_dir=tmp_path / "data", min_free_bytes=10**18, runner="ray://10.0.0.1:10001")
    trial, speed = check_trial(settings)
    assert (trial.name, trial.state) == ("trial", "ok"), trial.detail
    assert "rightly" in trial.detail
    assert (speed.name, "tokens a second" in speed.detail) == ("speed", True)
    assert list(tmp_path.iterdir()) == []


def test_a_trial_without_torch_trains_the_head_alone_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_MIN_S", 0.05)
    monkeypatch.setattr("windrow.diagnosis.trial.find_spec", {}.get)
    trial, _ = check_trial(Settings(data_dir=tmp_path / "data"))
    assert (trial.name, trial.state) == ("trial", "warning"), trial.detail
    assert "torch is not installed" in trial.detail
