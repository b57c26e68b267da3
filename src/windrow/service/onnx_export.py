"""Exports a classifier as a zip that answers without Windrow: a graph, a tokenizer, labels and a short program."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile

from windrow import __version__
from windrow.disk import disk_error
from windrow.domain.archive import Export, ExportRequest
from windrow.domain.classifier import Record
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.licences import read_licence
from windrow.encoders.onnx_encoder import open_tokenizer
from windrow.service.dependencies import Dependencies
from windrow.service.onnx_texts import PREDICT_PROGRAM, readme
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_from_bytes
from windrow.storage.zip_file import write_zip

_CHUNK_BYTES = 2**18
# Tokenizers name the token that fills up short texts in one of these ways.
_PADDING = ("[PAD]", "<pad>")


def export_onnx(deps: Dependencies, request: ExportRequest) -> Export:
    """Return a classifier as a zip of one folder. Equal classifiers give equal bytes.

    Raises:
        NotFound: The name refers to nothing.
        InvalidArtifact: The classifier is damaged.
        BaseModelNotAllowed: Its base model's id is no longer on the allow-list.
        BaseModelUnavailable: Its base model is not here.
        InvalidBaseModel: Its base model's files cannot be used.
    """
    entry = deps.store.find(request.model_name).entry
    artifact = artifact_from_bytes(deps.store.read_blob(entry, ARTIFACT))
    encoder, _ = deps.predictor.check_artifact_fits(entry.record, artifact)
    folder = f"{entry.record.name}-onnx"
    files = _files(entry.record, artifact, encoder.folder)
    packed = write_zip({f"{folder}/{name}": content for name, content in files.items()})
    return Export(f"{entry.record.name}{request.suffix}", packed.size_bytes, _Kept(packed.chunks))


class _Kept:
    """The bytes of a zip from a file without a name, so that a client which is slow to take them holds no memory.

    Args:
        chunks: The bytes.

    Raises:
        StorageFull: There is no room for temporary files.
        StorageFailed: No temporary file can be written.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        try:
            with ExitStack() as on_failure:
                self._file = on_failure.enter_context(TemporaryFile())
                self._file.writelines(chunks)
                self._file.seek(0)
                on_failure.pop_all()
        except OSError as error:
            raise disk_error(
                error,
                "The folder for temporary files cannot be written ({why}). Make it writable, or set TMPDIR to another "
                "one.",
                "No room for temporary files. Free some disk, or set TMPDIR to a folder with more room.",
            ) from error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._file.closed or not (chunk := self._file.read(_CHUNK_BYTES)):
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _files(
    record: Record, artifact: Artifact, folder: EncoderFolder
) -> Mapping[str, bytes | Sequence[bytes | memoryview]]:
    # It loads ONNX's own package, which nothing else needs once the base model's graphs are built.
    from windrow.encoders.classifier_graph import GRAPH_DATA_FILE, GRAPH_FILE, build_classifier_graph

    head = artifact.head
    graph = build_classifier_graph(folder, artifact.adapter, head.weights, head.bias, record.kind)
    licence = read_licence(folder)
    return {
        "README.md": readme(record, folder.max_tokens, licence).encode(),
        "predict.py": PREDICT_PROGRAM.encode(),
        "config.json": _json(_config(record, folder, licence)),
        "labels.json": _json(_labels(record)),
        "tokenizer.json": _tokenizer(folder),
        GRAPH_FILE: graph.graph,
        GRAPH_DATA_FILE: graph.data,
    }


def _json(content: Mapping[str, object]) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()


def _config(record: Record, folder: EncoderFolder, licence: str | None) -> dict[str, object]:
    return {
        "model_name": record.name,
        "revision": record.revision,
        "kind": record.kind,
        "prompt": folder.prompt,
        "max_tokens": folder.max_tokens,
        "base_model": record.base_model,
        "base_model_revision": record.base_model_revision,
        "base_model_digest": record.base_model_digest,
        "base_model_license": licence,
        "training_data_sha256": record.training_data_sha256,
        "windrow_version": __version__,
    }


def _labels(record: Record) -> dict[str, object]:
    return {
        "labels": list(record.labels),
        "thresholds": record.thresholds_by_label,
        "abstain_below": None if record.threshold is None else record.threshold.abstain_below,
    }


def _tokenizer(folder: EncoderFolder) -> bytes:
    """Return the tokenizer as Windrow uses it, and with padding on the right, which the graph leaves out."""
    tokenizer = open_tokenizer(folder)
    known = ((token, tokenizer.token_to_id(token)) for token in _PADDING)
    token, number = next(((token, number) for token, number in known if number is not None), ("[PAD]", 0))
    tokenizer.enable_padding(direction="right", pad_id=number, pad_token=token)
    content: str = tokenizer.to_str()
    return content.encode()
