"""Everything that can be wrong with a data directory, each done by hand to a sound one."""

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tests.fakes.files import BreakingFiles, Killed, MemoryFiles
from tests.storage.examples import ROW_EXAMPLES, ROWS_SHA256, artifact, blobs, new_revision, open_names, sealed
from tests.storage.model import Server, contents
from windrow.domain.dataset import rows_as_jsonl
from windrow.domain.integrity import Severity
from windrow.encoders.graph_cache import GRAPH_VERSION, find_graph_problem
from windrow.storage.artifact import ARTIFACT, ROWS, SUFFIXES, artifact_to_bytes, rows_to_blob
from windrow.storage.catalog import Catalog, NewRevision
from windrow.storage.files import LocalFiles
from windrow.storage.format import FORMAT
from windrow.storage.lock import DirectoryLock
from windrow.storage.revision import BlobRef, ClassifierState, entry_from_json

Break = Callable[[Path], str]
OF_A_NEWER_FORMAT = b'{\n  "format": 99,\n  "sha256": "%s",\n  "news": true\n}\n' % (b"0" * 64)
UNNEEDED = f"{'c' * 64}.safetensors"


def sound_draft(name: str = "tickets", seed: int = 0) -> NewRevision:
    """Return a training whose record is true of its rows."""
    made = new_revision(name, contents=blobs(seed))
    return replace(made, record=replace(made.record, training_data_sha256=ROWS_SHA256))


def entry_of(root: Path, name: str = "tickets", number: int = 2) -> ClassifierState:
    value = entry_from_json(name, number, (root / f"classifiers/{name}/{number:06d}.json").read_bytes())
    assert isinstance(value, ClassifierState)
    return value


def blob_of(root: Path, role: str = ARTIFACT, number: int = 2) -> str:
    return f"classifiers/tickets/blobs/{entry_of(root, number=number).blobs[role].file_name}"


def put(root: Path, place: str, content: bytes = b"?") -> str:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return place


def put_blob(root: Path, role: str, content: bytes, name: str = "odd", **changes: Any) -> str:
    """Train a classifier of which one blob is ``content``, digest and all, and return the blob's place."""
    made = sound_draft(name)
    entry = Catalog(open_names(LocalFiles(root))).publish(
        replace(made, record=replace(made.record, **changes), blobs={**made.blobs, role: content})
    )
    return f"classifiers/{name}/blobs/{entry.blobs[role].file_name}"


def make_folder(root: Path, place: str) -> str:
    (root / place).mkdir(parents=True)
    return place


def rewrite(root: Path, place: str, content: bytes) -> str:
    assert (root / place).read_bytes() != content
    return put(root, place, content)


def remove(root: Path, place: str) -> str:
    (root / place).unlink()
    return place


def link(root: Path, place: str, to: str) -> str:
    (root / place).symlink_to(to)
    return place


def take_in(root: Path, name: str) -> None:
    """Put a sound classifier in place without asking Windrow."""
    elsewhere = root.parent / "elsewhere"
    Server(LocalFiles(elsewhere)).fit(name, 1)
    shutil.copytree(elsewhere / "classifiers" / name, root / "classifiers" / name)


def interrupted(root: Path, act: Callable[[Server], object], step: int) -> bool:
    """Do something, dying before the put or removal of a given number, and say whether it came to that."""
    local = LocalFiles(root)
    files = BreakingFiles(cast(MemoryFiles, local), step, Killed(), is_done=False)
    try:
        act(Server(files, DirectoryLock(root)))
    except Killed:
        return True
    return False


def misplace(root: Path) -> str:
    shutil.copytree(root / "classifiers/bystander", root / "classifiers/other")
    return "classifiers/other/000001.json"


def newer(root: Path) -> str:
    place = "classifiers/tickets/000003.json"
    return rewrite(root, place, (root / place).read_bytes().replace(b'"format": %d' % FORMAT, b'"format": 99'))


def change(root: Path, place: str, old: bytes, new: bytes, *, seal: bool = False) -> str:
    changed = (root / place).read_bytes().replace(old, new, 1)
    return rewrite(root, place, sealed(changed) if seal else changed)


def flip(root: Path, place: str) -> str:
    content = (root / place).read_bytes()
    return rewrite(root, place, content[:-1] + bytes([content[-1] ^ 1]))


def without_artifact(root: Path) -> str:
    made = sound_draft("odd")
    Catalog(open_names(LocalFiles(root))).publish(replace(made, blobs={ROWS: made.blobs[ROWS]}))
    return "classifiers/odd/000001.json"


def same_name(root: Path, name: str, place: str) -> str:
    take_in(root, name)
    return place


def pipe(root: Path, place: str) -> str:
    os.mkfifo(root / place)
    return place


THREE_LABELS: dict[str, Any] = {
    "labels": ("a", "b", "c"),
    "rows_per_label": {"a": 1, "b": 1, "c": 1},
    "num_examples": 3,
}
PACKED = rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))
DAMAGE: dict[str, tuple[str, Break]] = {
    "a number that is no JSON": (
        "record_unreadable",
        lambda root: rewrite(root, "classifiers/tickets/000002.json", b"{"),
    ),
    "a number cut off": ("record_unreadable", lambda root: rewrite(root, "classifiers/gone/000002.json", b"")),
    "a number that tells of a purge": (
        "record_unreadable",
        lambda root: rewrite(root, "classifiers/trimmed/000006.json", b"{}"),
    ),
    "a number of a newer format": ("record_newer_format", newer),
    "a number with another byte": (
        "record_altered",
        lambda root: change(root, "classifiers/tickets/000001.json", b'"temperature": 1', b'"temperature": 2'),
    ),
    "an alias's number with another byte": (
        "record_altered",
        lambda root: change(root, "aliases/answer/000001.json", b'"promoted"', b'"Promoted"'),
    ),
    "a number with a digest that was put in by hand, and what Windrow does not write": (
        "record_unreadable",
        lambda root: change(root, "classifiers/tickets/000001.json", b"Z", b".000Z", seal=True),
    ),
    "a number of another name": ("record_misplaced", misplace),
    "an alias's number that is no JSON": (
        "record_unreadable",
        lambda root: rewrite(root, "aliases/answer/000002.json", b"[]"),
    ),
    "a lost number": ("number_missing", lambda root: remove(root, "classifiers/tickets/000002.json")),
    "a lost number of an alias": ("number_missing", lambda root: remove(root, "aliases/former/000001.json")),
    "a lost blob": ("blob_missing", lambda root: remove(root, blob_of(root))),
    "a lost blob of a deleted classifier": (
        "blob_missing",
        lambda root: remove(root, f"classifiers/gone/blobs/{entry_of(root, 'gone', 1).blobs[ROWS].file_name}"),
    ),
    "a blob cut off": ("blob_altered", lambda root: rewrite(root, blob_of(root), b"")),
    "a blob with another byte": ("blob_altered", lambda root: flip(root, blob_of(root, ROWS))),
    "an artifact that is none": ("artifact_unusable", lambda root: put_blob(root, ARTIFACT, b"{}")),
    "an artifact for other labels": (
        "artifact_unusable",
        lambda root: put_blob(root, ARTIFACT, artifact_to_bytes(artifact()), **THREE_LABELS),
    ),
    "a record without an artifact": ("artifact_missing", without_artifact),
    "rows that are no gzip": ("rows_unusable", lambda root: put_blob(root, ROWS, b"rows")),
    "rows cut off": ("rows_unusable", lambda root: put_blob(root, ROWS, PACKED[:-4])),
    "rows with something after them": ("rows_unusable", lambda root: put_blob(root, ROWS, PACKED + b"0")),
    "rows in two parts": ("rows_unusable", lambda root: put_blob(root, ROWS, PACKED + gzip.compress(b""))),
    "other rows": ("rows_unusable", lambda root: put_blob(root, ROWS, rows_to_blob(rows_as_jsonl(ROW_EXAMPLES[1:])))),
    "names that differ in case only": (
        "names_alike",
        lambda root: same_name(root, "Tickets", "classifiers/tickets"),
    ),
    "a classifier with an alias's name": ("name_shared", lambda root: same_name(root, "answer", "aliases/answer")),
    "a name that breaks the grammar": ("name_invalid", lambda root: make_folder(root, "classifiers/my tickets")),
    "an alias that breaks the grammar": ("name_invalid", lambda root: make_folder(root, "aliases/-x")),
    "a link among the classifiers": ("link", lambda root: link(root, "classifiers/linked", "tickets")),
    "a link beside the numbers": ("link", lambda root: link(root, "classifiers/tickets/000004.json", "000001.json")),
    "a link among the blobs": ("link", lambda root: link(root, "classifiers/gone/blobs/x", "/etc/passwd")),
    "a link aside": ("link", lambda root: link(root, f".aside/{'0' * 32}", "/etc/passwd")),
    "graphs with another byte": ("graphs_altered", lambda root: broken_graphs(root)),  # noqa: PLW0108 - below
    "a folder in a number's place": (
        "special_file",
        lambda root: make_folder(root, "classifiers/tickets/000004.json"),
    ),
    "a pipe": ("special_file", lambda root: pipe(root, "classifiers/tickets/000004.json")),
}
GARBAGE: dict[str, tuple[str, Break]] = {
    "a file aside": ("aside_file", lambda root: put(root, f".aside/{'0' * 32}")),
    "a blob that nobody needs": ("blob_unreferenced", lambda root: put(root, f"classifiers/gone/blobs/{UNNEEDED}")),
    "a revision whose purge did not begin": ("purge_unfinished", lambda root: half_purged_revision(root, 2)),
    "a revision whose purge lacks its end": ("purge_unfinished", lambda root: half_purged_revision(root, 3)),
    "a name whose purge did not begin": ("purge_unfinished", lambda root: half_purged(root, 2)),
    "a name whose purge is half done": ("purge_unfinished", lambda root: half_purged(root, 5)),
    "a name whose purge lacks its end": ("purge_unfinished", lambda root: half_purged(root, 7)),
    "rows whose erasure lacks its end": ("erasure_unfinished", lambda root: half_erased(root, 3)),
    "a training without its record": ("folder_without_record", lambda root: half_published(root, 3)),
    "a training with one blob": ("folder_without_record", lambda root: half_published(root, 2)),
    "an empty classifier": ("empty_folder", lambda root: make_folder(root, "classifiers/halves")),
    "an empty folder of blobs": (
        "empty_folder",
        lambda root: str(Path(make_folder(root, "classifiers/halves/blobs")).parent),
    ),
    "an empty alias": ("empty_folder", lambda root: make_folder(root, "aliases/halves")),
    "a job that nobody can read": (
        "job_unreadable",
        lambda root: put(root, "jobs/019a1c5e4b2f-7d0c41/000001.json"),
    ),
    "a count that nobody can read": (
        "use_unreadable",
        lambda root: put(root, "usage/2025-09-22/0a1b2c3d4e5f-000001.json"),
    ),
    "a base model half removed": (
        "base_model_leftover",
        lambda root: str(Path(put(root, "base_models/.removed-1/model")).parent),
    ),
    "graphs half removed": (
        "base_model_leftover",
        lambda root: str(Path(put(root, "base_models/graphs/.removed-1/graph")).parent),
    ),
    "graphs half built": (
        "base_model_leftover",
        lambda root: str(Path(put(root, "base_models/graphs/.building-1/graph")).parent),
    ),
}
NOTICES: dict[str, tuple[str, Break]] = {
    "a job that a newer Windrow wrote": (
        "job_newer_format",
        lambda root: put(root, "jobs/019a1c5e4b2f-7d0c41/000001.json", OF_A_NEWER_FORMAT),
    ),
    "a count that a newer Windrow wrote": (
        "use_newer_format",
        lambda root: put(root, "usage/2025-09-22/0a1b2c3d4e5f-000001.json", OF_A_NEWER_FORMAT),
    ),
    "an alias of a deleted classifier": (
        "alias_dangling",
        lambda root: dangle(root, lambda server: server.delete("tickets", force=True)),
    ),
    "an alias of a purged revision": (
        "alias_dangling",
        lambda root: dangle(root, lambda server: server.purge_revision("tickets", 1, force=True)),
    ),
    "a copy in a copy": ("foreign_file", lambda root: make_folder(root, "windrow-data")),
    "a file beside the folders": ("foreign_file", lambda root: put(root, "server.log")),
    "a file among the classifiers": ("foreign_file", lambda root: put(root, "classifiers/README")),
    "a copy in progress": ("foreign_file", lambda root: make_folder(root, "classifiers/.copy")),
    "a file beside the numbers": ("foreign_file", lambda root: put(root, "classifiers/tickets/000001.json~")),
    "a number zero": ("foreign_file", lambda root: put(root, "classifiers/tickets/000000.json")),
    "a folder beside the numbers": ("foreign_file", lambda root: make_folder(root, "classifiers/tickets/old")),
    "a file among the blobs": ("foreign_file", lambda root: put(root, "classifiers/tickets/blobs/x.safetensors")),
    "a folder beside an alias's numbers": ("foreign_file", lambda root: make_folder(root, "aliases/answer/blobs")),
    "a file aside that is not Windrow's": ("foreign_file", lambda root: put(root, ".aside/note")),
    "an empty name with a file in it": ("foreign_file", lambda root: put(root, "classifiers/halves/x")),
}
ALL: dict[str, tuple[Severity, str, Break]] = {
    **{case: ("damage", *rest) for case, rest in DAMAGE.items()},
    **{case: ("garbage", *rest) for case, rest in GARBAGE.items()},
    **{case: ("notice", *rest) for case, rest in NOTICES.items()},
}


def broken_graphs(root: Path) -> str:
    place = f"base_models/graphs/{'a' * 32}-v{GRAPH_VERSION}"
    files = {"trunk.onnx": b"trunk", "top.onnx": b"top", "adapted_top.onnx": b"adapted", "tensors.bin": b"tensors"}
    for name, content in files.items():
        put(root, f"{place}/{name}", content)
    described = {
        name: {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    put(root, f"{place}/digests.json", json.dumps(described).encode())
    assert find_graph_problem(root / place) is None
    flip(root, f"{place}/tensors.bin")
    return place


def publish_halves(root: Path) -> None:
    for seed in (1, 4):  # which share their rows
        Server(LocalFiles(root)).fit("halves", seed)


def half_purged_revision(root: Path, step: int) -> str:
    publish_halves(root)
    assert interrupted(root, lambda server: server.purge_revision("halves", 1), step)
    return "classifiers/halves/000001.json"


def half_purged(root: Path, step: int) -> str:
    publish_halves(root)
    assert interrupted(root, lambda server: server.purge("halves"), step)
    return "classifiers/halves"


def half_erased(root: Path, step: int) -> str:
    publish_halves(root)
    assert interrupted(root, lambda server: server.erase("halves", 1), step)
    return f"classifiers/halves/blobs/{BlobRef.of(contents(1)[ROWS], SUFFIXES[ROWS]).file_name}"


def half_published(root: Path, step: int) -> str:
    assert interrupted(root, lambda server: server.fit("halves", 1), step)
    return "classifiers/halves"


def dangle(root: Path, act: Callable[[Server], object]) -> str:
    act(Server(LocalFiles(root)))
    return "aliases/answer"


def fill(server: Server) -> None:
    """Make something of everything, and nothing wrong."""
    server.fit("tickets", 1)
    server.fit("tickets", 2)
    server.describe("tickets", "about tickets")
    server.fit("gone", 3)
    server.delete("gone")
    server.fit("bystander", 3)
    server.fit("trimmed", 4)
    server.fit("trimmed", 5)
    server.purge_revision("trimmed", 1)
    server.delete("trimmed")
    server.fit("trimmed", 6)
    server.purge_revision("trimmed", 2)  # and with it the file that told of the first purge
    server.promote("answer", "tickets")
    server.promote("answer", "tickets@1")
    server.promote("former", "bystander")
    server.remove("former")
