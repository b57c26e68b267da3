"""Graphs appear whole or not at all, also when two processes build them at once."""

import errno
import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from windrow.arrays import Floats
from windrow.domain.errors import StorageFailed, StorageFull
from windrow.encoders import graph
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_cache import GRAPH_VERSION, find_or_build_graphs, graph_folders

FILES = ["adapted_top.onnx", "tensors.bin", "top.onnx", "trunk.onnx"]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_graphs_are_kept_by_digest_and_built_once(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    kept = find_or_build_graphs(tiny_folder, tmp_path)
    assert (
        kept.relative_to(tmp_path).as_posix()
        == f"base_models/graphs/{tiny_folder.base_model.digest[:32]}-v{GRAPH_VERSION}"
    )
    assert names(kept) == FILES
    before = {path.name: path.stat().st_ino for path in kept.iterdir()}
    assert find_or_build_graphs(tiny_folder, tmp_path) == kept
    assert {path.name: path.stat().st_ino for path in kept.iterdir()} == before


def test_an_encoders_graphs_are_found_again_those_of_other_versions_too(tmp_path: Path) -> None:
    graphs = tmp_path / "base_models" / "graphs"
    for name in (f"{'a' * 32}-v1", f"{'a' * 32}-v{GRAPH_VERSION}", f"{'b' * 32}-v1", ".building-0123"):
        (graphs / name).mkdir(parents=True)
    assert graph_folders("a" * 64, tmp_path) == (graphs / f"{'a' * 32}-v1", graphs / f"{'a' * 32}-v{GRAPH_VERSION}")
    assert graph_folders("c" * 64, tmp_path) == graph_folders("", tmp_path) == ()


@pytest.mark.slow
def test_processes_that_race_end_with_one_complete_directory(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = list(pool.map(find_or_build_graphs, [tiny_folder] * 4, [tmp_path] * 4))
    assert len(set(answers)) == 1
    assert names(answers[0].parent) == [answers[0].name]
    assert names(answers[0]) == FILES


@pytest.mark.slow
def test_the_loser_of_a_race_takes_what_the_winner_built(
    tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = graph.write_graphs
    kept = find_or_build_graphs(tiny_folder, tmp_path / "other").name

    def write_while_another_wins(folder: EncoderFolder, weights: Mapping[str, Floats], directory: Path) -> None:
        write(folder, weights, directory)
        winner = tmp_path / "base_models" / "graphs" / kept
        winner.mkdir()
        (winner / "trunk.onnx").write_text("the winner's")

    monkeypatch.setattr(graph, "write_graphs", write_while_another_wins)
    taken = find_or_build_graphs(tiny_folder, tmp_path)
    assert names(taken.parent) == [kept]
    assert (taken / "trunk.onnx").read_text() == "the winner's"


def test_a_half_written_directory_is_never_used(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    left = tmp_path / "base_models" / "graphs" / ".building-0123"
    left.mkdir(parents=True)
    (left / "trunk.onnx").write_text("half")
    assert names(find_or_build_graphs(tiny_folder, tmp_path)) == FILES


@pytest.mark.parametrize(("number", "expected"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageFailed)])
def test_a_disk_that_fails_leaves_nothing_behind(
    number: int, expected: type[Exception], tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(expected, match="try again"):
            find_or_build_graphs(tiny_folder, tmp_path)
    assert names(tmp_path / "base_models" / "graphs") == []
    assert names(find_or_build_graphs(tiny_folder, tmp_path)) == FILES


def test_a_data_directory_that_is_a_file_is_refused(tiny_folder: EncoderFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="Make it writable"):
        find_or_build_graphs(tiny_folder, tmp_path / "file")
