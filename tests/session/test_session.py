import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pytest

import windrow
from tests.domain.test_shown import REPLIES
from windrow.domain.errors import (
    AliasNotFound,
    BaseModelInUse,
    ClassifierExists,
    ClassifierInUse,
    ClassifierNotFound,
    InvalidParameter,
    InvalidTestData,
    InvalidTrainingData,
    JobNotFound,
    KeyExists,
    KeyNotFound,
    PromotionRefused,
    ShuttingDown,
    WindrowError,
)
from windrow.domain.job import Progress
from windrow.domain.words import PYTHON
from windrow.operations import Operations
from windrow.session.reply_warnings import WindrowWarning
from windrow.session.session import Client, Session, open_session

TEXTS = ["money back", "my money please", "cannot sign in", "sign in fails"]
LABELS = ["refund", "refund", "login", "login"]

# So few rows as here are always warned about; tests/session/test_reply_warnings.py is about that.
pytestmark = pytest.mark.filterwarnings("ignore::windrow.session.reply_warnings.WindrowWarning")


def _public(owner: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(owner, inspect.isroutine) if not name.startswith("_")}


def test_each_verb_of_the_product_has_a_method() -> None:
    verbs = {PYTHON.verb(verb) for verb in _public(Operations)}
    assert _public(Session) == verbs | {"explain", "fit_file", "predict_files", "predict_with", "close"}


def test_a_session_closes_once_what_it_was_opened_on() -> None:
    closed: list[int] = []
    with Session(cast(Operations, object()), lambda: closed.append(1)) as session:
        assert closed == []
    session.close()
    assert closed == [1]


def test_a_session_gives_the_operations_underneath_and_says_what_it_is() -> None:
    operations = cast(Operations, object())
    assert Session(operations).operations is operations
    assert repr(Session(operations)) == "windrow.session over object"


def test_a_client_is_a_session_that_connects_when_it_is_first_used() -> None:
    with windrow.Client("http://me:secret@127.0.0.1:9", timeout_s=5, retries=0) as client:
        assert isinstance(client, Session)
        assert repr(client) == "windrow.Client('http://127.0.0.1:9')"
        with pytest.raises(WindrowError):
            client.usage()


def test_a_directory_is_opened_with_the_settings_that_are_given(tmp_path: Path) -> None:
    with windrow.open(tmp_path / "data", max_texts=2, pinned_classifiers=["a", "b"], offline=True) as session:
        assert str(tmp_path / "data") in repr(session)
        assert session.models().models == ()
        assert session.operations.dependencies.settings.pinned_classifiers == ("a", "b")  # type: ignore[attr-defined]


def test_the_environment_says_what_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDROW_MAX_ROWS", "9")
    monkeypatch.setenv("WINDROW_MAX_TEXTS", "9")
    with open_session(tmp_path, max_texts=2) as session:
        settings = session.operations.dependencies.settings  # type: ignore[attr-defined]
    assert (settings.max_rows, settings.max_texts, settings.data_dir) == (9, 2, tmp_path)


def test_a_setting_that_is_unknown_or_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"'max_concurrent_fit'\. Did you mean 'max_concurrent_fits'"):
        open_session(tmp_path, max_concurrent_fit=2)
    with pytest.raises(InvalidParameter, match="max_concurrent_fits=0 cannot be used: at least 1 expected"):
        open_session(tmp_path, max_concurrent_fits=0)


@pytest.mark.slow
def test_the_package_offers_its_names_and_loads_none_before_it_is_used() -> None:
    assert set(windrow.__all__) <= set(dir(windrow))
    assert (windrow.Client, windrow.Session, windrow.open) == (Client, Session, open_session)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        windrow.nothing  # noqa: B018
    code = "import windrow, sys; print([m for m in sys.modules if m.startswith('windrow.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_methods_return_has_its_name_in_the_package() -> None:
    replies = {each.__name__: each for each in REPLIES if each.__module__.startswith("windrow.domain.")}
    assert len(replies) > 50
    assert {name: getattr(windrow, name, None) for name in replies} == replies
    assert set(replies) <= set(windrow.__all__)


@pytest.mark.slow
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


def names(session: Session, **options: object) -> list[str]:
    return [each.name for each in session.models(**options).models]  # type: ignore[arg-type]


def test_a_fit_takes_its_rows_recipe_and_notes(session: Session) -> None:
    result = session.fit(
        "tickets_v2",
        pd.DataFrame({"text": TEXTS, "label": LABELS}),
        num_iterations=0,
        seed=7,
        description="by hand",
        tags=["b", "a"],
    )
    made = session.show("tickets_v2")
    assert (result.num_examples, made.num_iterations, made.seed) == (4, 0, 7)
    assert (result.description, result.tags, result.next_name) == ("by hand", ("a", "b"), "tickets_v3")


def test_a_name_is_kept_from_being_overwritten(session: Session) -> None:
    with pytest.raises(ClassifierExists, match="pass overwrite=True to add a revision"):
        session.fit("tickets_v1", TEXTS, LABELS, overwrite=False)


def test_a_fit_extends_a_classifier_by_what_is_given(session: Session) -> None:
    made = session.fit("tickets_v2", [(TEXTS[0], LABELS[-1])], extends="tickets@latest", num_iterations=0)
    assert (made.extends, made.taken_over_rows, made.replaced_rows) == ("tickets_v1@1", len(TEXTS) - 1, 1)
    assert session.estimate_fit("tickets_v3", [], extends="tickets_v2").rows_per_label == made.rows_per_label
    with pytest.raises(ClassifierNotFound):
        session.start_fit("tickets_v3", [], extends="tickets_v9")


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        (TEXTS, [["refund", "urgent"], ["refund"], ["login"], []]),
        (TEXTS, [{"refund", "urgent"}, {"refund"}, {"login"}, set()]),
        (TEXTS, pd.DataFrame({"login": [0, 0, 1, 0], "refund": [1, 1, 0, 0], "urgent": [1, 0, 0, 0]})),
        (list(zip(TEXTS, [["refund", "urgent"], ["refund"], ["login"], []], strict=True)), None),
    ],
)
def test_a_fit_takes_any_number_of_labels_each(session: Session, texts: Any, labels: Any) -> None:
    made = session.fit("mails_v1", texts, labels, num_iterations=0)
    assert (made.kind, made.rows_per_label) == ("multi_label", {"login": 1, "refund": 2, "urgent": 1})
    assert session.estimate_fit("mails_v2", texts, labels).kind == "multi_label"
    with pytest.raises(
        InvalidTrainingData, match=r"^training_data\[0\]\.label does not fit the kept rows of mails_v1@1"
    ):
        session.fit("mails_v2", TEXTS[:1], LABELS[:1], extends="mails_v1")


def test_labels_are_described_without_rows_and_beside_them(session: Session) -> None:
    meanings = {label: f"Texts about {label}" for label in set(LABELS)}
    with pytest.warns(WindrowWarning, match="no labelled row"):
        made = session.fit("tickets_v2", [], label_descriptions=meanings)
    assert (made.source, made.num_examples, dict(made.label_descriptions)) == ("zero_shot", 0, meanings)
    assert session.predict("tickets_v2", f"texts about {LABELS[0]}").label == LABELS[0]
    learned = session.fit("tickets_v2", TEXTS, LABELS, label_descriptions=meanings, num_iterations=0)
    assert (learned.source, dict(learned.label_descriptions)) == ("examples", meanings)
    with pytest.raises(InvalidParameter, match="label_descriptions describes 1 label that no row has"):
        session.fit("tickets_v3", TEXTS, LABELS, label_descriptions={"none": "of them"})
    wrong: Any = {LABELS[0]: 7}
    with pytest.raises(InvalidParameter, match="must be a string"):
        session.fit("tickets_v3", TEXTS, LABELS, label_descriptions=wrong)


def test_a_fit_tells_how_far_it_is(session: Session) -> None:
    seen: list[Progress] = []
    session.fit("tickets_v2", TEXTS, LABELS, on_progress=seen.append, num_iterations=0)
    assert any(progress.stage == "encoding" for progress in seen)


def test_a_started_fit_is_followed_to_its_end_and_listed(session: Session) -> None:
    job = session.start_fit("tickets_v2", TEXTS, LABELS, num_iterations=0)
    *_, last = session.follow_job(job.id)
    assert (last.state, last.model_name) == ("succeeded", "tickets_v2")
    assert session.job(job.id) == last
    assert session.jobs(limit=1)[0].id == job.id
    with pytest.raises(JobNotFound):
        session.cancel_job("nonsense")


def test_an_estimate_begins_nothing(session: Session) -> None:
    assert session.estimate_fit("tickets_v2", TEXTS, LABELS).num_examples == 4
    assert names(session) == ["tickets_v1"]


def test_a_training_is_judged_and_repeated(session: Session) -> None:
    assert session.cross_validate(TEXTS, LABELS, folds=2, num_iterations=0).folds == 2
    meanings = {"refund": "money", "login": ""}
    assert session.cross_validate(TEXTS, LABELS, folds=2, num_iterations=0, label_descriptions=meanings).folds == 2
    with pytest.raises(InvalidParameter, match="label_descriptions describes 1 label that no row has"):
        session.cross_validate(TEXTS, LABELS, label_descriptions={"other": "no row"})
    assert session.reproduce("tickets_v1").verdict == "identical weights"


def test_classifiers_are_judged_by_rows_in_any_form(session: Session) -> None:
    report = session.evaluate("tickets_v1", ["money", "sign in"], ["refund", "login"], target_precision=0.9, save=False)
    assert (report.total, report.saved) == (2, False)
    session.fit("tickets_v2", TEXTS, LABELS, num_iterations=0, seed=1)
    comparison = session.compare(["tickets_v1", "tickets_v2"], [("money", "refund"), ("sign in", "login")])
    assert [each.model_name for each in comparison.models] == ["tickets_v1", "tickets_v2"]
    with pytest.raises(InvalidTestData, match=r"test_data\[0\].label is missing"):
        session.evaluate("tickets_v1", ["money"], [None])


def test_classifiers_are_listed_shown_and_described(session: Session) -> None:
    session.fit("other", [("a", "x"), ("b", "y")], num_iterations=0, tags=["new"])
    assert names(session) == ["other", "tickets_v1"]
    assert names(session, tag="new") == ["other"]
    page = session.models(limit=1, sort="-name")
    assert [each.name for each in page.models] == ["tickets_v1"]
    assert names(session, limit=1, sort="-name", cursor=page.next_cursor) == ["other"]
    assert session.describe("other", tags=["old"]).tags == ("old",)
    assert session.show("other").answers


def test_what_is_deleted_can_be_restored_until_it_is_purged(session: Session) -> None:
    assert session.delete("tickets_v1").model_name == "tickets_v1"
    assert names(session) == [] and names(session, deleted=True) == ["tickets_v1"]
    assert session.restore("tickets_v1").name == "tickets_v1"
    assert session.delete_all(prefix="tickets", dry_run=True).model_names == ("tickets_v1",)
    assert session.delete_all(prefix="tickets", purge=True).purged
    with pytest.raises(ClassifierNotFound):
        session.restore("tickets_v1")


def test_an_alias_is_promoted_rolled_back_and_removed_and_its_history_stays(session: Session) -> None:
    session.fit("tickets_v2", TEXTS, LABELS, num_iterations=0)
    assert session.promote("tickets", "tickets_v1", reason="first", author="Ada").author == "Ada"
    require = {"not_worse": True, "test_data": [("money back", "refund")]}
    assert session.promote("tickets", "tickets_v2", require=require).gate.passed
    with pytest.raises(ClassifierInUse, match="force=True"):
        session.delete("tickets_v2")
    assert session.rollback("tickets", reason="worse").points_to == "tickets_v1"
    assert [each.alias for each in session.aliases()] == ["tickets"]
    assert session.remove_alias("tickets").alias == "tickets"
    assert list(session.aliases()) == []
    assert [change.event for change in session.history("tickets")] == ["promoted", "promoted", "rolled_back", "removed"]
    with pytest.raises(AliasNotFound):
        session.history("nothing")


def test_a_promotion_is_refused_where_a_row_must_pass_and_does_not(session: Session) -> None:
    with pytest.raises(PromotionRefused):
        session.promote("tickets", "tickets_v1", require={"must_pass": [("money back", "login")]})


def test_base_models_usage_and_findings_are_told(session: Session) -> None:
    base_model = session.show("tickets_v1").base_model
    assert base_model in [each.id for each in session.base_models()]
    assert session.usage().total_bytes > 0
    assert session.fsck(repair=True).sound
    with pytest.raises(BaseModelInUse):
        session.remove_base_model(base_model)


def test_keys_are_created_listed_and_revoked(session: Session) -> None:
    created = session.create_key(name="shop", scopes=("read",), only=("tickets_*",), expires_in_days=3)
    assert created.key.startswith(created.hint)
    assert created.key not in repr(session.keys())
    found = session.keys()
    assert [(each.name, each.scopes, each.only) for each in found] == [("shop", ("read",), ("tickets_*",))]
    assert session.limit_key(name="shop", requests_per_day=5).requests_per_day == 5
    assert session.revoke_key("shop").revoked_at is not None
    with pytest.raises(KeyExists):
        session.create_key(name="shop", scopes=("read",))
    with pytest.raises(KeyNotFound):
        session.revoke_key("nobody")
