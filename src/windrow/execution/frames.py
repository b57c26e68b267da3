"""Encode messages between the server and a training process as frames on a pipe.

A frame consists of lengths, a JSON object and raw arrays, and needs no pickle. It carries any dataclass of numbers,
strings, arrays and further such dataclasses.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from windrow.codec.types import Type, types_of

_LENGTHS = struct.Struct(">QQ")

Array = npt.NDArray[Any]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Args:
        kind: A task's class name, ``progress``, ``done`` or ``failed``.
        fields: JSON-ready values.
        tensors: Arrays by name.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Array] = field(default_factory=dict)


def flatten(kind: str, value: object) -> Frame:
    """Return the frame that carries a value.

    Args:
        kind: The frame's kind.
        value: A dataclass. Its fields hold JSON values, arrays, bytes, paths, tuples, mappings with string keys, or
            further dataclasses, each of exactly the class that its field declares.
    """
    tensors: dict[str, Array] = {}
    return Frame(kind, _plain(value, "", tensors), tensors)


def restore(kind: type[V], frame: Frame) -> V:
    """Return the value that a frame carries.

    Args:
        kind: The value's class.
        frame: A frame of :func:`flatten`.
    """
    value: V = _object(kind, frame.fields, frame.tensors)
    return value


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write a frame and flush.

    Raises:
        OSError: The other side is gone.
    """
    payload = save(dict(frame.tensors)) if frame.tensors else b""
    header = json.dumps({"kind": frame.kind, "fields": dict(frame.fields)}, ensure_ascii=False).encode()
    stream.write(_LENGTHS.pack(len(header), len(payload)))
    stream.write(header)
    stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Frame | None:
    """Read the next frame; ``None`` at the end of the stream, even in the middle of a frame."""
    lengths = _read_exactly(stream, _LENGTHS.size)
    if lengths is None:
        return None
    header_bytes, payload_bytes = _LENGTHS.unpack(lengths)
    header = _read_exactly(stream, header_bytes)
    payload = _read_exactly(stream, payload_bytes)
    if header is None or payload is None:
        return None
    return Frame(**json.loads(header), tensors=load(payload) if payload else {})


def _plain(value: Any, path: str, tensors: dict[str, Array]) -> Any:
    """Return a value as JSON; its arrays go to ``tensors``, and their names replace them."""
    if is_dataclass(value):
        passed = (each.name for each in fields(value) if each.init)
        return {name: _plain(getattr(value, name), f"{path}.{name}", tensors) for name in passed}
    if isinstance(value, Mapping):
        return {key: _plain(each, f"{path}.{key}", tensors) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each, f"{path}.{number}", tensors) for number, each in enumerate(value)]
    if isinstance(value, np.ndarray | bytes):
        tensors[path] = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
        return path
    return str(value) if isinstance(value, Path) else value


def _object(kind: Any, plain: Mapping[str, Any], tensors: Mapping[str, Array]) -> Any:
    types = types_of(kind)
    return kind(**{name: _value(types[name], each, tensors) for name, each in plain.items()})


def _value(declared: Type, plain: Any, tensors: Mapping[str, Array]) -> Any:
    """Return the value of a type that JSON and arrays stand for."""
    if plain is None:
        return None
    if declared.each is not None:
        if declared.kind is tuple:
            return tuple(_value(declared.each, each, tensors) for each in plain)
        return {key: _value(declared.each, each, tensors) for key, each in plain.items()}
    if is_dataclass(declared.kind):
        return _object(declared.kind, plain, tensors)
    if declared.kind in (np.ndarray, bytes):
        return tensors[plain] if declared.kind is np.ndarray else tensors[plain].tobytes()
    return Path(plain) if declared.kind is Path else plain


def _read_exactly(stream: IO[bytes], size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None
