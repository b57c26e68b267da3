"""Frames: how a server and its training process talk over a pipe.

Owns the byte layout (lengths, a JSON object, raw tensors); knows nothing of what the messages mean. No pickle: a frame
is data only.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import numpy.typing as npt
from safetensors.numpy import load, save

_LENGTHS = struct.Struct(">QQ")

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Args:
        kind: What it is: ``fit``, ``progress``, ``done`` or ``failed``.
        fields: JSON-ready values.
        tensors: Arrays by name.
        blob: Further bytes.
    """

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)
    tensors: Mapping[str, Array] = field(default_factory=dict)
    blob: bytes = b""


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write a frame and flush.

    Raises:
        OSError: The other side is gone.
    """
    payload = save(dict(frame.tensors)) if frame.tensors else b""
    header = json.dumps(
        {"kind": frame.kind, "fields": dict(frame.fields), "tensor_bytes": len(payload)}, ensure_ascii=False
    ).encode()
    stream.write(_LENGTHS.pack(len(header), len(payload) + len(frame.blob)))
    stream.write(header)
    stream.write(payload)
    stream.write(frame.blob)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """Read the next frame; ``None`` at the end of the stream, also when it ends in the middle of a frame."""
    lengths = _read_exactly(stream, _LENGTHS.size)
    if lengths is None:
        return None
    header_bytes, payload_bytes = _LENGTHS.unpack(lengths)
    header = _read_exactly(stream, header_bytes)
    payload = _read_exactly(stream, payload_bytes)
    if header is None or payload is None:
        return None
    content = json.loads(header)
    tensor_bytes = content["tensor_bytes"]
    tensors = load(payload[:tensor_bytes]) if tensor_bytes else {}
    return Frame(content["kind"], content["fields"], tensors, payload[tensor_bytes:])


def _read_exactly(stream: IO[bytes], size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None
