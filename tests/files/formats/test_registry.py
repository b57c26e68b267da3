"""The formats that there are, in the code, among the options and in the documents."""

import re
from typing import get_args

from tests.source_tree import ROOT
from windrow.domain.read_options import PLAIN_FORMATS, ToolFormat
from windrow.files.formats.registry import FORMATS, format_called


def test_each_format_that_may_be_named_is_in_the_registry_once() -> None:
    assert sorted(each.name for each in FORMATS) == sorted(get_args(ToolFormat))


def test_a_format_is_found_by_its_name_and_a_table_is_none() -> None:
    assert [format_called(each.name) for each in FORMATS] == list(FORMATS)
    assert [format_called(name) for name in PLAIN_FORMATS] == [None] * len(PLAIN_FORMATS)


def test_the_page_about_files_of_other_tools_names_each_format_in_the_order_of_the_registry() -> None:
    page = (ROOT / "docs/how-to/files-of-other-tools.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [each.name for each in FORMATS]
