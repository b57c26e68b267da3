"""Of the Hugging Face cache, only models are seen, and only the one that is named is removed."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub.utils import _shared_blobs

from tests.encoders.hub import Hub
from windrow.encoders.hub_cache import cached_models, remove_cached_model, revision_of, sweep_cache
from windrow.encoders.removal import size_bytes

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    (source / "config.json").write_text("{}")
    (source / "below" / "model.safetensors").write_bytes(b"weights")
    return source


def ids() -> list[str]:
    return [repo.repo_id for repo in cached_models()]


def test_models_are_seen_and_nothing_else(hub: Hub, source: Path) -> None:
    hub.put("acme/b", source, ONE)
    hub.put("acme/a", source, TWO)
    hub.put("acme/rows", source, ONE, kind="datasets")
    broken = hub.put("acme/broken", source, ONE)
    shutil.rmtree(broken / "blobs")
    (hub.path / "models--acme--file").write_text("")
    assert ids() == ["acme/a", "acme/b"]


def test_the_revision_of_a_commit_is_found_without_a_branch_and_the_main_one_by_its_branch_alone(
    hub: Hub, source: Path
) -> None:
    hub.put("acme/a", source, ONE)
    hub.put("acme/a", source, TWO, ref=None)
    hub.put("acme/pinned", source, ONE, ref=None)
    a, pinned = cached_models()
    found = [revision_of(a, None), revision_of(a, TWO), revision_of(pinned, ONE)]
    assert [each and each.commit_hash for each in found] == [ONE, TWO, ONE]
    assert (revision_of(pinned, None), revision_of(pinned, TWO)) == (None, None)


def test_no_cache_holds_no_models(hub: Hub) -> None:
    assert ids() == []
    assert remove_cached_model("acme/a") == 0
    sweep_cache()


def test_a_file_in_the_place_of_the_cache_holds_no_models(hub: Hub) -> None:
    hub.path.write_text("")
    assert ids() == []


def test_all_revisions_of_one_model_are_removed_and_their_size_is_returned(hub: Hub, source: Path) -> None:
    hub.put("acme/a", source, ONE, ref="former")
    (source / "config.json").write_text('{"newer": 1}')
    hub.put("acme/a", source, TWO)
    hub.put("acme/b", source, ONE)
    assert remove_cached_model("acme/a") == len('weights{}{"newer": 1}')
    assert ids() == ["acme/b"]
    assert remove_cached_model("acme/a") == 0
    assert [path.name for path in hub.path.iterdir()] == ["models--acme--b"]


def test_a_copy_of_a_repository_with_the_same_revisions_stays(hub: Hub, source: Path) -> None:
    for owner in "abcdefgh":
        hub.put(f"{owner}/same", source, ONE)
    for owner in "hgfedcb":
        remove_cached_model(f"{owner}/same")
    assert ids() == ["a/same"]


def test_files_that_repositories_share_go_with_the_last_of_them(hub: Hub, source: Path) -> None:
    content_hash = "ab" * 32
    for owner in ("acme", "other"):
        blob = hub.put(f"{owner}/a", source, ONE) / "blobs"
        weights = next(path for path in blob.iterdir() if path.read_bytes() == b"weights")
        assert _shared_blobs.publish_blob_to_shared_store(
            blob_path=str(weights), xet_hash=content_hash, cache_dir=hub.path, expected_size=len(b"weights")
        )
    shared = _shared_blobs.shared_blob_path(hub.path, content_hash)
    assert remove_cached_model("acme/a") == len("{}")
    assert shared.read_bytes() == b"weights"
    assert remove_cached_model("other/a") == len("weights{}")
    assert not shared.exists()


def test_what_a_dead_process_left_is_no_model_and_is_swept(hub: Hub, source: Path) -> None:
    hub.put("acme/a", source, ONE)
    left = hub.put(".removed/0123", source, TWO)
    assert ids() == [".removed/0123", "acme/a"]
    sweep_cache()
    assert not left.exists()
    assert size_bytes(hub.path / "models--acme--a") > 0
