"""Files of strangers that are small, and would be large once they are read."""

import gzip

import pytest

from tests.hostile.conftest import StartVictim
from tests.http.asking import MODELS, check_problem
from tests.storage.archives import BLOBS, Member, deflate, entry, export, files, zip_of
from windrow.storage.archive_format import MANIFEST
from windrow.storage.artifact import ROWS

pytestmark = pytest.mark.slow
MANY = 20_000_000
# The most memory that a refusal may take, beside what the file itself takes, unpacked.
MARGIN_BYTES = 100 * 2**20


def _with_rows(text: bytes) -> bytes:
    blobs = {**BLOBS, ROWS: gzip.compress(text)}
    return export(entry(blobs), blobs)


def _with_manifest(more: bytes) -> bytes:
    whole = files()
    whole[MANIFEST] = whole[MANIFEST].rstrip().removesuffix(b"}") + b', "more": ' + more + b"}"
    return zip_of(*(Member(name, content, deflate(content)) for name, content in whole.items()))


def _attacks() -> dict[str, tuple[bytes, str]]:
    return {
        "a line of lists": (_with_rows(b"[" + b"[]," * MANY + b"[]]\n"), "bad_rows"),
        "a line of lists in a row": (
            _with_rows(b'{"label":"a","text":[' + b"[]," * 1_000_000 + b"[]]}\n"),
            "bad_rows",
        ),
        "a line without an end": (_with_rows(b'{"label":"a","text":"' + b"a" * 200_000_000), "bad_rows"),
        "a line of brackets": (_with_rows(b"[" * MANY), "bad_rows"),
        "empty lines": (_with_rows(b"\n" * MANY), "bad_rows"),
        "rows that nobody counted": (_with_rows(b'{"label":"a","text":"b"}\n' * 5_000_000), "wrong_rows"),
        "a manifest of lists": (_with_manifest(b"[" + b"[]," * 2_000_000 + b"[]]"), "not_json"),
        "a manifest of objects": (_with_manifest(b"[" + b'{"":{}},' * 800_000 + b"[]]"), "not_json"),
        "a manifest of brackets": (_with_manifest(b"[" * 2_000_000), "not_json"),
    }


def test_a_small_file_that_unpacks_to_very_many_values_is_refused_before_it_takes_memory(
    start_victim: StartVictim,
) -> None:
    victim = start_victim()
    for what, (file, problem) in _attacks().items():
        assert len(file) < 1_500_000, what
        for dry_run in ("false", "true"):
            before = victim.forget_peak()
            reply = victim.client.post(
                f"{MODELS}/import?dry_run={dry_run}", content=file, headers={"Content-Type": "application/zip"}
            )
            assert check_problem(reply, 422, "invalid_archive")["problem"] == problem, what
            assert victim.peak_bytes() - before < MARGIN_BYTES, what
