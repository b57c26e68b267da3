"""Settings: every setting from its variable, and clear words for what cannot be read."""

from dataclasses import fields
from pathlib import Path

import pytest

from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter
from windrow.domain.prediction import PredictLimits
from windrow.domain.secret import Secret
from windrow.settings import Settings, read_api_key, read_settings, variable_name


def test_without_variables_every_setting_has_its_default() -> None:
    assert read_settings({"PATH": "/bin"}) == Settings()


@pytest.mark.parametrize(
    ("setting", "text", "value"),
    [
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "8000", 8000),
        ("data_dir", "/srv/windrow", Path("/srv/windrow")),
        ("log_format", "json", "json"),
        ("max_rows", "2", 2),
        ("offline", "Yes", True),
        ("keep_training_data", "off", False),
        ("allowed_base_models", " a/b, c/d ,", ("a/b", "c/d")),
        ("allowed_base_models", f"a/b@{'0f' * 20},*", (f"a/b@{'0f' * 20}", "*")),
        ("max_concurrent_fits", "3", 3),
        ("runner", "ray", "ray"),
        ("runner", " ray://head.example:10001", "ray://head.example:10001"),
        ("runner", "ray://[::1]:10001", "ray://[::1]:10001"),
        ("fit_threads", "4", 4),
        ("max_fit_memory_bytes", "0", 0),
        ("max_fit_memory_bytes", "1000000000", 1_000_000_000),
        ("retention_days", "0", 0),
        ("retention_days", "36500", 36_500),
        ("max_queued_requests", "1", 1),
        ("embedding_cache_bytes", "0", 0),
        ("pinned_classifiers", "tickets, tone_v3", ("tickets", "tone_v3")),
        ("pinned_classifiers", "", ()),
        (
            "cors_origins",
            "https://App.example/, http://127.0.0.1:8080",
            ("https://app.example", "http://127.0.0.1:8080"),
        ),
        ("trusted_proxies", "10.0.0.7, fd00::/8", ("10.0.0.7", "fd00::/8")),
        ("root_path", "/ai/windrow/", "/ai/windrow"),
        ("root_path", "/", ""),
        ("docs", "off", False),
        ("console", "false", False),
    ],
)
def test_a_variable_sets_its_setting(setting: str, text: str, value: object) -> None:
    assert getattr(read_settings({variable_name(setting): text}), setting) == value


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("port", "http"),
        ("port", "-1"),
        ("retention_days", "-1"),
        ("retention_days", "36501"),
        ("max_rows", "1"),
        ("max_concurrent_fits", "0"),
        ("runner", "spark"),
        ("runner", "ray://head.example"),
        ("runner", "head.example:6379"),
        ("fit_threads", "-1"),
        ("max_fit_memory_bytes", "999999999"),
        ("max_queued_requests", "0"),
        ("max_texts", "0"),
        ("max_model_names", "-1"),
        ("embedding_cache_bytes", "-1"),
        ("offline", "maybe"),
        ("allowed_base_models", "a/b@main"),
        ("allowed_base_models", "a/b@"),
        ("allowed_base_models", f"a/b@{'0F' * 20}"),
        ("log_format", "xml"),
        ("max_body_bytes", ""),
        ("cors_origins", "*"),
        ("cors_origins", "null"),
        ("cors_origins", "https://app.example/page"),
        ("cors_origins", "app.example"),
        ("trusted_proxies", "*"),
        ("trusted_proxies", "proxy"),
        ("trusted_proxies", "10.0.0.7/8"),
        ("root_path", "windrow"),
        ("root_path", "/a//b"),
        ("root_path", "/a/../b"),
        ("root_path", "/a b"),
        ("root_path", "/v1"),
        ("root_path", "/docs/windrow"),
        ("root_path", "/console"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(setting: str, text: str) -> None:
    with pytest.raises(InvalidParameter, match=variable_name(setting)):
        read_settings({variable_name(setting): text})


def test_a_mistyped_variable_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidParameter, match="WINDROW_DATA_DIR"):
        read_settings({"WINDROW_DATADIR": "x"})


@pytest.mark.parametrize("service", ["WINDROW", "WINDROW_API", "WINDROW_DATA_DIR_2"])
def test_what_kubernetes_sets_beside_a_service_is_no_setting(service: str) -> None:
    links = {
        f"{service}_SERVICE_HOST": "10.0.0.1",
        f"{service}_SERVICE_PORT": "14345",
        f"{service}_SERVICE_PORT_HTTP": "14345",
        f"{service}_PORT": "tcp://10.0.0.1:14345",
        f"{service}_PORT_14345_TCP": "tcp://10.0.0.1:14345",
        f"{service}_PORT_14345_TCP_ADDR": "10.0.0.1",
        f"{service}_PORT_14345_TCP_PORT": "14345",
        f"{service}_PORT_14345_TCP_PROTO": "tcp",
    }
    assert read_settings(links) == Settings()
    with pytest.raises(InvalidParameter, match="WINDROW_API_PROT is no setting"):
        read_settings({**links, "WINDROW_API_PROT": "8000"})


def test_what_looks_like_a_service_without_its_host_is_a_misspelt_setting() -> None:
    with pytest.raises(InvalidParameter, match="WINDROW_HTTP_PORT is no setting"):
        read_settings({"WINDROW_HTTP_PORT": "8000"})


def test_each_place_in_an_object_store_has_a_folder_of_its_own_on_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def folder(address: str, **more: str) -> Path:
        variables = {"WINDROW_DATA_DIR": address, **more}
        return read_settings(variables).local_dir

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    addresses = ("s3://shop/windrow", "s3://shop/windrow2", "s3://shop", "gs://shop/windrow")
    folders = [folder(each) for each in addresses]
    assert len({*folders}) == 4
    assert {each.parent for each in folders} == {tmp_path / "windrow"}
    assert folder("s3://shop/windrow/") == folders[0]
    assert folder("s3://shop", WINDROW_CACHE_DIR="/cache").parent == Path("/cache")
    assert folder("/srv/windrow", WINDROW_CACHE_DIR="/cache") == Path("/srv/windrow")


def test_a_user_without_a_home_is_told_to_name_a_folder_for_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    settings = read_settings({"WINDROW_DATA_DIR": "s3://shop"})
    with pytest.raises(InvalidParameter, match="WINDROW_CACHE_DIR"):
        _ = settings.local_dir


def test_the_limits_are_those_of_the_settings() -> None:
    settings = Settings(max_rows=5, max_labels=4, max_text_chars=3, max_texts=2, max_model_names=1)
    assert settings.limits == DataLimits(max_rows=5, max_labels=4, max_text_chars=3)
    assert settings.predict_limits == PredictLimits(max_texts=2, max_model_names=1, max_text_chars=3)


def test_each_setting_says_what_it_is() -> None:
    assert all(each.metadata["doc"].endswith(".") for each in fields(Settings))


KEY = "wdr_unit-test-key"


@pytest.mark.parametrize("path", [KEY, f"/run/secrets/{KEY}"])
def test_a_key_in_the_place_of_its_file_is_not_repeated(path: str) -> None:
    with pytest.raises(InvalidParameter, match="WINDROW_API_KEY_FILE") as caught:
        read_api_key(None, {"WINDROW_API_KEY_FILE": path})
    assert KEY not in caught.value.detail + str(caught.value.facts)


def test_no_setting_shows_the_key() -> None:
    settings = read_settings({"WINDROW_API_KEY": KEY})
    assert settings.api_key == Secret(KEY)
    assert KEY not in repr(settings)
    with pytest.raises(InvalidParameter) as caught:
        read_settings({"WINDROW_API_KEY": KEY, "WINDROW_API_KEYS": KEY})
    assert KEY not in caught.value.detail


def test_a_file_that_is_named_comes_before_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\r\n")
    assert read_api_key(file, {"WINDROW_API_KEY": "wdr_other"}) == Secret(KEY)
    assert read_api_key(None, {"WINDROW_API_KEY": "", "WINDROW_API_KEY_FILE": ""}) is None


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hunter2", b"wdr_a\nwdr_b"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(InvalidParameter, match="--api-key-file") as caught:
        read_api_key(file, {})
    assert "hunter2" not in caught.value.detail
