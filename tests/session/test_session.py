import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import windrow
from tests.fakes.operations import FakeOperations
from windrow.domain.errors import InvalidParameter, ShuttingDown, WindrowError
from windrow.operations import Operations
from windrow.session.session import Client, Session, open_session

# What the two call differently.
OTHER_NAMES = {
    "list_jobs": "jobs",
    "list_classifiers": "models",
    "list_aliases": "aliases",
    "alias_history": "history",
    "import_classifier": "import_file",
}


def _public(owner: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(owner, inspect.isfunction) if not name.startswith("_")}


def test_each_verb_of_the_product_has_a_method() -> None:
    verbs = {OTHER_NAMES.get(verb, verb) for verb in _public(Operations)}
    assert _public(Session) == verbs | {"explain", "predict_with", "close"}


def test_a_session_closes_once_what_it_was_opened_on() -> None:
    closed: list[int] = []
    with Session(FakeOperations(), lambda: closed.append(1)) as session:
        assert closed == []
    session.close()
    assert closed == [1]


def test_a_session_gives_the_operations_underneath_and_says_what_it_is(operations: FakeOperations) -> None:
    assert Session(operations).operations is operations
    assert "FakeOperations" in repr(Session(operations))


def test_a_client_is_a_session_that_connects_when_it_is_first_used() -> None:
    with windrow.Client("http://me:secret@127.0.0.1:9", timeout_s=5, retries=0) as client:
        assert isinstance(client, Session)
        assert repr(client) == "windrow.Client('http://127.0.0.1:9')"
        with pytest.raises(WindrowError):
            client.usage()


def test_a_directory_is_opened_with_the_settings_that_are_given(tmp_path: Path) -> None:
    with windrow.open(tmp_path / "data", max_texts=2, keep_loaded=["a", "b"], offline=True) as session:
        assert str(tmp_path / "data") in repr(session)
        assert session.models().classifiers == ()
        assert session.operations.settings.keep_loaded == ("a", "b")  # type: ignore[attr-defined]


def test_the_environment_says_what_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDROW_MAX_ROWS", "9")
    monkeypatch.setenv("WINDROW_MAX_TEXTS", "9")
    with open_session(tmp_path, max_texts=2) as session:
        settings = session.operations.settings  # type: ignore[attr-defined]
    assert (settings.max_rows, settings.max_texts, settings.data_dir) == (9, 2, tmp_path)


def test_a_setting_that_is_unknown_or_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"'max_fit'\. Did you mean 'max_fits'"):
        open_session(tmp_path, max_fit=2)
    with pytest.raises(InvalidParameter, match="max_fits=0 cannot be used: at least 1 expected"):
        open_session(tmp_path, max_fits=0)


def test_the_package_offers_its_names_and_loads_none_before_it_is_used() -> None:
    assert set(windrow.__all__) <= set(dir(windrow))
    assert (windrow.Client, windrow.Session, windrow.open) == (Client, Session, open_session)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        windrow.nothing  # noqa: B018
    code = "import windrow, sys; print([m for m in sys.modules if m.startswith('windrow.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_using_a_session_loads_no_library_of_tables() -> None:
    code = "import windrow, sys; windrow.Session; print({'pandas', 'polars', 'numpy', 'sklearn'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://ana:p@ss@host:1", "windrow.Client('http://host:1')"),
        ("https://ana@host/x/", "windrow.Client('https://host/x')"),
    ],
)
def test_what_a_client_is_shown_as_never_has_a_password(url: str, shown: str) -> None:
    with Client(url) as client:
        assert repr(client) == shown


def test_a_closed_session_says_that_it_is_closed(tmp_path: Path) -> None:
    session = open_session(tmp_path)
    session.close()
    session.close()
    for verb in (session.models, lambda: session.predict("tickets", "a text"), session.usage):
        with pytest.raises(ShuttingDown, match="This session is closed"):
            verb()
