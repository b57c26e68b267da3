"""What a training process does before its tasks."""

import pytest

from windrow.execution import worker


@pytest.mark.parametrize(("missing", "is_told"), [("torch", False), ("sympy", True)])
def test_a_module_that_is_missing_is_told_unless_it_is_torch_which_an_installation_may_lack(
    missing: str, is_told: bool, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(worker, "_load_torch", fail)
    worker._load_torch_if_installed()
    assert (f"No module named {missing!r}" in capfd.readouterr().err) is is_told
