"""Fuzz what reads bytes of strangers, guided by coverage (atheris): ``python -m tests.hostile.fuzz [TARGET …]``.

A target fails by any exception but the errors of Windrow, by an answer that cannot be right, by 2 GB of memory or by
10 s for one input; what did it is written beside the corpus. Run by `make fuzz`.
"""

import argparse
import gzip
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["windrow"]):
    from windrow.codec.request_parsing import read_request
    from windrow.codec.strict import parse_json
    from windrow.codec.values import from_json, to_json
    from windrow.domain.classifier import FitRequest
    from windrow.domain.dataset import DataLimits
    from windrow.domain.errors import WindrowError
    from windrow.domain.inspection import Inspection, InspectRequest
    from windrow.domain.read_options import DETECT_ALL
    from windrow.files.inspecting import InspectionLimits, inspect_file
    from windrow.files.reading import read_rows
    from windrow.http.guards import HostGuard
    from windrow.storage.archive_format import unpack
    from windrow.storage.artifact import artifact_from_bytes, rows_from_blob

MAX_BYTES = 2**20
SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".txt")
ROWS = [{"text": "send me the bill", "label": "billing"}, {"text": "it crashes", "label": "bug"}]
_GUARD = HostGuard(lambda *_: None, ("windrow.example",))  # type: ignore[arg-type]


def read_json(data: bytes) -> None:
    """Read JSON; what is taken is what the standard library reads, too."""
    assert parse_json(data) == json.loads(data)


def read_fit(data: bytes) -> None:
    """Read the body of a fit."""
    read_request(FitRequest, data, preset={}, limits=DataLimits(), advice="")


def read_archive(data: bytes) -> None:
    """Read an import, as a whole and in its parts."""
    for read in (lambda: unpack(io.BytesIO(data), MAX_BYTES), lambda: artifact_from_bytes(data)):
        with_own_errors(read)
    rows_from_blob(data, MAX_BYTES)


def read_data_file(data: bytes) -> None:
    """Read a file of rows; its first byte chooses the format."""
    path = _SCRATCH / f"rows{SUFFIXES[data[0] % len(SUFFIXES)]}" if data else _SCRATCH / "rows.txt"
    path.write_bytes(data[1:])
    for labelled in (False, True):
        with_own_errors(partial(_read_all, path, labelled))


def read_inspected(data: bytes) -> None:
    """Inspect a file, as a server does for strangers; its first byte chooses the format and the columns."""
    first = data[0] if data else 0
    columns = ("text", "label") if first & 32 else ()
    request = InspectRequest(
        filename=f"rows{SUFFIXES[first % len(SUFFIXES)]}",
        text_column=columns,
        header=(None, True, False)[first // 64 % 3],
        include_values=bool(first & 16),
        labelled=not first & 8,
    )
    found = inspect_file(io.BytesIO(data[1:]), request, InspectionLimits(DataLimits(), MAX_BYTES, ""))
    assert from_json(Inspection, to_json(found)) == found
    assert found.num_rows <= len(data)


def _read_all(path: Path, labelled: bool) -> None:
    for _ in read_rows(path, DETECT_ALL, labelled=labelled):
        pass


def read_host(data: bytes) -> None:
    """Look at a Host header: nothing that holds another name is this server."""
    headers = [(b"host", each) for each in data.split(b"\n")[:3]]
    scope = {"type": "http", "http_version": "1.1", "path": "/", "headers": headers}
    if _GUARD._problem(scope) is None:
        assert b"evil" not in data.lower() or data.lower().split(b":")[0].rstrip(b".").endswith(b".localhost"), data


def with_own_errors(read: Callable[[], object]) -> None:
    """Do something that may be refused."""
    try:
        read()
    except WindrowError:
        pass


def archive_seeds() -> list[bytes]:
    """Return an export, and its parts."""
    from tests.storage.archives import export, files

    return [export(), *files().values()]


TARGETS: Mapping[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "json": (read_json, lambda: [json.dumps(ROWS).encode(), b'{"a": [1.5e3, null, "\\u00e9"]}']),
    "fit": (read_fit, lambda: [json.dumps({"model_name": "a_v1", "training_data": ROWS}).encode()]),
    "archive": (read_archive, archive_seeds),
    "data-file": (
        read_data_file,
        lambda: [
            b"\x00text,label\nsend me the bill,billing\n",
            b"\x01text\tlabel\nit crashes\tbug\n",
            b"\x02" + b"\n".join(json.dumps(row).encode() for row in ROWS),
            b"\x03" + json.dumps({"data": ROWS}).encode(),
            b"\x04send me the bill\nit crashes\n",
        ],
    ),
    "inspect": (
        read_inspected,
        lambda: [
            b"\x00text,label\nsend me the bill,billing\n,bug\n",
            b"\x30text;label\nit crashes;bug\n",
            b"\x12" + b"\n".join(json.dumps({**row, "more": [1, {"a": "\\ud800"}]}).encode() for row in ROWS),
            b"\x03" + json.dumps(ROWS).encode(),
            b"\x50\xff\xfet\x00e\x00x\x00t\x00\n\x00",
            b"\x00" + gzip.compress(b"text,label\na,b\n"),
        ],
    ),
    "host": (read_host, lambda: [b"localhost:1", b"[::1]:80", b"evil.example", b"windrow.example.", b"a.localhost"]),
}


def fuzz(name: str, seconds: int, corpus: Path) -> None:
    """Fuzz one target; the process ends with it."""
    read, seeds = TARGETS[name]
    for number, seed in enumerate(seeds()):
        (corpus / f"seed{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-max_len=20000"]
    options = ["-print_final_stats=1", f"-artifact_prefix={corpus.parent}/{name}-", str(corpus)]
    atheris.Setup([name, *limits, *options], lambda data: with_own_errors(lambda: read(data)))
    atheris.Fuzz()


def main() -> None:
    """Fuzz each target in a process of its own; the exit status says whether all held."""
    parser = argparse.ArgumentParser(description="Fuzz what reads bytes of strangers.")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)} [all]")
    parser.add_argument("--seconds", type=int, default=60, help="for each target [60]")
    parser.add_argument("--folder", type=Path, default=Path("build/fuzz"), help="of corpora and findings [build/fuzz]")
    parser.add_argument("--here", action="store_true", help="fuzz one target in this process")
    options = parser.parse_args()
    failed = []
    for name in options.targets or TARGETS:
        corpus = options.folder / name
        corpus.mkdir(parents=True, exist_ok=True)
        if options.here:
            fuzz(name, options.seconds, corpus)
        command = [sys.executable, "-m", "tests.hostile.fuzz", name, "--here", "--seconds", str(options.seconds)]
        done = subprocess.run([*command, "--folder", str(options.folder)], capture_output=True, text=True, check=False)
        told = [line for line in done.stderr.splitlines() if "stat::number_of_executed" in line or "cov:" in line]
        print(name, "held:" if done.returncode == 0 else "FAILED:", *told[-2:])
        if done.returncode:
            failed.append(name)
            print(done.stdout[-3_000:], done.stderr[-3_000:])
    sys.exit(1 if failed else 0)


_SCRATCH = Path(tempfile.mkdtemp(prefix="windrow-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))

if __name__ == "__main__":
    main()
