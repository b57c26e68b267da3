"""What keys keep on the disk: by revision, also of deleted classifiers, and read once as long as nothing changes."""

from dataclasses import replace

import pytest

from tests.fakes.files import MemoryFiles
from tests.storage.examples import new_revision, open_catalog, open_names
from tests.storage.tickets import contents
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import DescribeRequest
from windrow.domain.errors import RateLimited
from windrow.domain.key_limits import UNLIMITED, KeyLimits
from windrow.storage.catalog import Catalog
from windrow.storage.key_holdings import Holdings, KeyHoldings


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


def publish(catalog: Catalog, key: str | None, name: str) -> int:
    """Save a revision that a key made, and return its size in bytes."""
    with calling(Caller(key)):
        entry = catalog.publish(new_revision(name, contents=contents(1, 2)))
    return sum(ref.size_bytes for ref in entry.blobs.values())


def test_a_key_keeps_the_revisions_that_it_made_whatever_their_names_are(files: MemoryFiles) -> None:
    catalog, holdings = open_catalog(files), KeyHoldings(open_names(files))
    assert holdings.of("shop") == Holdings()
    sizes = [publish(catalog, "shop", name) for name in ("a", "a", "b")]
    publish(catalog, "other", "a")
    publish(catalog, None, "a")
    assert holdings.of("shop") == Holdings(3, sum(sizes))
    assert holdings.of("other").revisions == 1


def test_what_is_said_later_about_a_revision_counts_no_second_time(files: MemoryFiles) -> None:
    catalog, holdings = open_catalog(files), KeyHoldings(open_names(files))
    size = publish(catalog, "shop", "a")
    with calling(Caller("other")):
        catalog.describe(DescribeRequest("a", "Tickets."))
    assert (holdings.of("shop"), holdings.of("other")) == (Holdings(1, size), Holdings())


def test_a_deleted_classifier_counts_until_it_is_purged(files: MemoryFiles) -> None:
    catalog, holdings = open_catalog(files), KeyHoldings(open_names(files))
    size = publish(catalog, "shop", "a")
    catalog.delete("a")
    assert holdings.of("shop") == Holdings(1, size)
    catalog.purging.purge("a")
    assert holdings.of("shop") == Holdings()


def test_what_did_not_change_is_read_once(files: MemoryFiles) -> None:
    catalog, holdings = open_catalog(files), KeyHoldings(open_names(files))
    for name in "abcdef":
        publish(catalog, "shop", name)
    holdings.of("shop")
    files.calls.clear()
    publish(catalog, "shop", "a")
    files.calls.clear()
    assert holdings.of("shop").revisions == 7
    assert 1 <= files.calls["get"] <= 3


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        (replace(UNLIMITED, max_revisions=2), "max_revisions"),
        (replace(UNLIMITED, max_stored_bytes=20), "max_stored_bytes"),
    ],
)
def test_a_key_that_keeps_as_much_as_it_may_is_refused_one_more(
    files: MemoryFiles, limits: KeyLimits, quota: str
) -> None:
    catalog, holdings = open_catalog(files), KeyHoldings(open_names(files))
    holdings.check("shop", limits)
    for _ in range(2):
        publish(catalog, "shop", "a")
    holdings.check("shop", UNLIMITED)
    holdings.check("other", limits)
    with pytest.raises(RateLimited, match="purge") as refused:
        holdings.check("shop", limits)
    assert refused.value.facts["quota"] == quota
    assert "retry_after_s" not in refused.value.facts
