import datetime
import sys

import pytest

from windrow.domain.errors import InvalidParameter
from windrow.files.arrow import import_pyarrow, plain_value


def test_values_become_what_json_has() -> None:
    row = {"when": datetime.date(2026, 1, 2), 3: b"\x01\xff", "score": float("nan"), "each": (1, None, "x")}
    assert plain_value(row) == {"when": "2026-01-02", "3": "01ff", "score": None, "each": [1, None, "x"]}


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidParameter, match=r"rows\.parquet cannot be\. .*windrow\[parquet\]"):
        import_pyarrow("rows.parquet")
