"""Frames: how a server and its training process talk over a pipe.

A frame is lengths, a JSON object and raw arrays: data only, and so no pickle. Any dataclass of numbers, texts, arrays
and further such dataclasses travels in one.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import IO, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

_LENGTHS = struct.Struct(">QQ")

Array = npt.NDArray[Any]
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message.

    Args:
        kind: What it is: a task's name, ``progress``, ``done`` or ``failed``.
        fields: JSON-ready values.
        tensors: Arrays by name.
    """

    kind: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Array] = field(default_factory=dict)


def flatten(kind: str, value: object) -> Frame:
    """Return the frame that carries a value.

    Args:
        kind: The frame's.
        value: A dataclass. Its fields hold what JSON has, arrays, bytes, paths, tuples, mappings with strings as keys,
            or further dataclasses; each is of the very class that its field declares.
    """
    tensors: dict[str, Array] = {}
    return Frame(kind, _plain(value, "", tensors), tensors)


def restore(kind: type[V], frame: Frame) -> V:
    """Return the value that a frame carries.

    Args:
        kind: Its class.
        frame: As :func:`flatten` made it.
    """
    value: V = _value(kind, frame.fields, frame.tensors)
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
    """Read the next frame; ``None`` at the end of the stream, also when it ends in the middle of a frame."""
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
    """Return what JSON can say of a value; its arrays go to ``tensors``, and their names stand in their place."""
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


def _value(kind: Any, plain: Any, tensors: Mapping[str, Array]) -> Any:
    """Return the value of a type that JSON and arrays stand for."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if plain is None:
        value = None
    elif origin in (Union, UnionType):
        value = _value(next(part for part in parts if part is not NoneType), plain, tensors)
    elif isinstance(origin, type) and is_dataclass(origin):
        kinds = _kinds(origin)
        value = origin(**{name: _value(kinds[name], each, tensors) for name, each in plain.items()})
    elif origin is Mapping:
        value = {key: _value(parts[1], each, tensors) for key, each in plain.items()}
    elif origin is tuple:
        value = tuple(_value(parts[0], each, tensors) for each in plain)
    elif origin in (np.ndarray, bytes):
        value = tensors[plain] if origin is np.ndarray else tensors[plain].tobytes()
    else:
        value = Path(plain) if origin is Path else plain
    return value


@cache
def _kinds(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read_exactly(stream: IO[bytes], size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None
