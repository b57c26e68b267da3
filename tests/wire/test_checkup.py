"""The JSON shape of a check of the data directory, to and from the domain."""

import pytest
from hypothesis import given, settings

from tests.wire.strategies import any_checkup, sent, there_and_back
from windrow.domain.checkup import Checkup, Finding, Severity
from windrow.wire.checkup import CheckReply


@settings(deadline=None)
@given(any_checkup)
def test_a_check_survives_the_way_out_and_back(checkup: Checkup) -> None:
    assert there_and_back(CheckReply, checkup) == checkup


@pytest.mark.parametrize(("severity", "sound"), [("damage", False), ("garbage", True), ("notice", True)])
def test_only_damage_makes_a_directory_unsound(severity: Severity, sound: bool) -> None:
    found = Finding(severity, "some_code", "a", "It is so. Do this.")
    assert CheckReply.of(Checkup(1, 1, 1, 1, (found,))).sound is sound


def test_a_file_whose_name_is_no_unicode_is_shown_with_its_bytes_spelt_out() -> None:
    place = b"classifiers/\xff".decode(errors="surrogateescape")
    shown = CheckReply.of(Checkup(1, 1, 1, 1, (Finding("garbage", "leftover", place, place),)))
    assert r"classifiers/\\udcff" in sent(shown)
