import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import tqdm.auto

from windrow.display import progress
from windrow.display.progress import in_notebook, told_both, training_bar
from windrow.domain.job import Progress

NOTEBOOK = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
TERMINAL = SimpleNamespace(get_ipython=SimpleNamespace)
SCRIPT = SimpleNamespace(get_ipython=lambda: None)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What bars draw, each change of them."""
    written = io.StringIO()

    class Bar(tqdm.auto.tqdm):  # type: ignore[misc, unused-ignore]
        def __init__(self, **more: Any) -> None:
            super().__init__(**{**more, "file": written, "mininterval": 0, "ncols": 100})

    monkeypatch.setattr(progress, "_load_tqdm", lambda: Bar)
    return written


@pytest.mark.parametrize(("module", "found"), [(NOTEBOOK, True), (TERMINAL, False), (SCRIPT, False), (None, False)])
def test_a_notebook_is_where_ipython_has_a_kernel(module: object, found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert in_notebook() is found


@pytest.mark.parametrize(
    ("module", "wanted", "is_drawn"),
    [
        (NOTEBOOK, None, True),
        (NOTEBOOK, False, False),
        (NOTEBOOK, True, True),
        (SCRIPT, None, False),
        (SCRIPT, True, True),
        (SCRIPT, False, False),
    ],
)
def test_a_bar_is_drawn_in_a_notebook_unless_it_is_said_otherwise(
    module: object, wanted: bool | None, is_drawn: bool, drawn: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "IPython", module)
    with training_bar(wanted) as show:
        assert (show is not None) is is_drawn
    assert bool(drawn.getvalue()) is is_drawn


def test_a_bar_says_the_stage_the_step_the_loss_and_the_time_that_is_left(drawn: io.StringIO) -> None:
    with training_bar(True) as show:
        assert show is not None
        show(Progress("encoding"))
        show(Progress("training", 1, 4, 1.5, 12.3))
        show(Progress("training", 3, 4, 0.25, 4.0))
        show(Progress("saving"))
    text = drawn.getvalue()
    for part in (
        "Encoding the texts",
        "Training the encoder:  25%",
        "1/4",
        "loss 1.500, about 12 s left",
        "75%",
        "Saving",
    ):
        assert part in text


def test_without_tqdm_there_is_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with training_bar(True) as show:
        assert show is None


def test_with_tqdm_its_own_choice_for_the_place_is_taken() -> None:
    assert progress._load_tqdm() is tqdm.auto.tqdm


def test_several_listeners_are_told() -> None:
    heard: list[tuple[str, Progress]] = []
    tell = told_both(lambda news: heard.append(("a", news)), lambda news: heard.append(("b", news)))
    tell(Progress("saving"))
    assert heard == [("a", Progress("saving")), ("b", Progress("saving"))]
