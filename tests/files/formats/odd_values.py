"""Files in which a value is of another kind than it should be: each value of a sample in turn."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from tests.files.formats.packing import zipped

_ODD: tuple[Any, ...] = (None, 3, True, "", [], {}, [None], {"x": None}, "\ud800")
# The first items of a list have all that is particular in the samples.
_ITEMS = 3


def with_odd_values(content: bytes) -> Iterator[bytes]:
    """Yield a file of JSON or JSONL, or a zip file of such files, with one value of another kind or without it."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            files: dict[str, str | bytes] = {name: packed.read(name) for name in packed.namelist()}
        for name in [name for name in files if name.endswith(".json")]:
            for value in _odd(json.loads(files[name])):
                yield zipped({**files, name: json.dumps(value)})
        return
    try:
        text = content.decode("utf-8-sig")
        values = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        values = []
    if len(values) > 1:
        for place in range(min(_ITEMS, len(values))):
            for value in _odd(values[place]):
                rows = [*values[:place], value, *values[place + 1 :]]
                yield "".join(json.dumps(row) + "\n" for row in rows).encode()
        return
    try:
        whole = json.loads(content.decode("utf-8-sig"))
    except ValueError:
        return
    for value in _odd(whole):
        yield json.dumps(value).encode()


def _odd(value: Any) -> Iterator[Any]:
    yield from _ODD
    if isinstance(value, dict):
        for key, held in value.items():
            yield {other: each for other, each in value.items() if other != key}
            for odd in _odd(held):
                yield {**value, key: odd}
    elif isinstance(value, list):
        for place, held in enumerate(value[:_ITEMS]):
            for odd in _odd(held):
                yield [*value[:place], odd, *value[place + 1 :]]
