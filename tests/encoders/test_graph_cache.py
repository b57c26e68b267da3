"""Graphs appear whole or not at all, also when two processes build them at once."""

import errno
import json
import logging
import multiprocessing
import os
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.system_calls import fail_each
from tests.storage.examples import fast_folder
from windrow.arrays import Floats
from windrow.domain.errors import StorageFailed, StorageFull
from windrow.encoders import graph
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_cache import GRAPH_VERSION, find_graph_problem, find_or_build_graphs, graph_folders

FILES = ["adapted_top.onnx", "digests.json", "tensors.bin", "top.onnx", "trunk.onnx"]


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
    won: list[int] = []

    def write_while_another_wins(folder: EncoderFolder, weights: Mapping[str, Floats], directory: Path) -> None:
        write(folder, weights, directory)
        winner = tmp_path / "base_models" / "graphs" / kept
        shutil.copytree(tmp_path / "other" / winner.relative_to(tmp_path), winner)
        won.append((winner / "trunk.onnx").stat().st_ino)

    monkeypatch.setattr(graph, "write_graphs", write_while_another_wins)
    taken = find_or_build_graphs(tiny_folder, tmp_path)
    assert names(taken.parent) == [kept]
    assert (taken / "trunk.onnx").stat().st_ino == won[0]


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


def flip(path: Path, at: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def replace_by(path: Path, put: Callable[[Path], object]) -> None:
    path.unlink()
    put(path)


def replace_folder(folder: Path, put: Callable[[Path], object]) -> None:
    shutil.rmtree(folder)
    put(folder)


def name_fewer(graphs: Path) -> None:
    digests = json.loads((graphs / "digests.json").read_text())
    del digests["trunk.onnx"]
    (graphs / "digests.json").write_text(json.dumps(digests))


DAMAGE: dict[str, Callable[[Path], object]] = {
    **{f"a bit of {name}": lambda graphs, name=name: flip(graphs / name) for name in FILES},  # type: ignore[misc]
    "the last byte": lambda graphs: flip(graphs / "tensors.bin", -1),
    "cut off": lambda graphs: os.truncate(graphs / "tensors.bin", 100),
    "40 GB of nothing": lambda graphs: os.truncate(graphs / "tensors.bin", 40 * 10**9),
    "digests of 40 GB": lambda graphs: os.truncate(graphs / "digests.json", 40 * 10**9),
    "digests that nest": lambda graphs: (graphs / "digests.json").write_text("[" * 4_000),
    "digests of fewer files": name_fewer,
    "digests of another kind": lambda graphs: (graphs / "digests.json").write_text("[]"),
    "digests that are lost": lambda graphs: (graphs / "digests.json").unlink(),
    "a file that is lost": lambda graphs: (graphs / "top.onnx").unlink(),
    "a pipe": lambda graphs: replace_by(graphs / "tensors.bin", os.mkfifo),
    "a device": lambda graphs: replace_by(graphs / "tensors.bin", lambda path: path.symlink_to("/dev/zero")),
    "a folder": lambda graphs: replace_by(graphs / "top.onnx", Path.mkdir),
    "a file in the folder's place": lambda graphs: replace_folder(graphs, Path.touch),
    "a pipe in the folder's place": lambda graphs: replace_folder(graphs, os.mkfifo),
    "a link to nowhere": lambda graphs: replace_folder(graphs, lambda path: path.symlink_to("nowhere")),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_graphs_are_told_and_built_anew(
    damage: Callable[[Path], object], tiny_folder: EncoderFolder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graphs = find_or_build_graphs(tiny_folder, tmp_path)
    assert find_graph_problem(graphs) is None
    sound = {name: (graphs / name).read_bytes() for name in FILES}
    damage(graphs)
    assert find_graph_problem(graphs) is not None
    with caplog.at_level(logging.WARNING, "windrow.encoders"):
        assert find_or_build_graphs(tiny_folder, tmp_path) == graphs
    assert graphs.name in caplog.text
    assert {name: (graphs / name).read_bytes() for name in FILES} == sound
    assert names(graphs.parent) == [graphs.name]
    assert find_graph_problem(graphs) is None


def test_damaged_graphs_that_another_process_replaced_meanwhile_are_left_alone(
    tiny_folder: EncoderFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = find_or_build_graphs(tiny_folder, tmp_path)
    shutil.copytree(graphs, tmp_path / "sound")
    flip(graphs / "tensors.bin")
    write = graph.write_graphs

    def write_while_another_replaces(folder: EncoderFolder, weights: Mapping[str, Floats], directory: Path) -> None:
        write(folder, weights, directory)
        shutil.rmtree(graphs)
        (tmp_path / "sound").rename(graphs)

    monkeypatch.setattr(graph, "write_graphs", write_while_another_replaces)
    inode = (tmp_path / "sound" / "tensors.bin").stat().st_ino
    assert (find_or_build_graphs(tiny_folder, tmp_path) / "tensors.bin").stat().st_ino == inode
    assert names(graphs.parent) == [graphs.name]


@pytest.mark.slow
@pytest.mark.parametrize("before", ["nothing", "sound", "damaged"])
def test_whichever_system_call_fails_graphs_are_whole_or_missing_and_what_is_said_is_true(
    before: str, tiny_folder: EncoderFolder, tmp_path: Path
) -> None:
    kept = find_or_build_graphs(tiny_folder, tmp_path / "before").relative_to(tmp_path / "before")
    if before == "damaged":
        flip(tmp_path / "before" / kept / "tensors.bin")

    def prepare(folder: Path) -> None:
        if before == "nothing":
            folder.mkdir()
        else:
            shutil.copytree(tmp_path / "before", folder)

    said = set()
    with fast_folder() as parent:
        for number, folder, outcome in fail_each(
            Path(parent), lambda folder: find_or_build_graphs(tiny_folder, folder), prepare
        ):
            said.add(type(outcome))
            problem = find_graph_problem(folder / kept)
            if isinstance(outcome, StorageFailed | StorageFull):
                assert problem is None or before == "damaged" or not (folder / kept).exists(), number
            else:
                assert (outcome, problem) == (folder / kept, None), number
            assert find_or_build_graphs(tiny_folder, folder) == folder / kept
            shutil.rmtree(folder)
    # Where a sound graph cannot be read for once, it is built anew.
    assert said == {type(kept)} | (set() if before == "sound" else {StorageFailed})
