"""Keys, audit trail and disk: who may do what, who did what, and what takes the room."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.browsing import NARROW, WIDE, Theme, Watch
from tests.console.conftest import Findings, OpenPage
from tests.console.judging import open_view
from tests.servers import Running, Start, fit

pytestmark = pytest.mark.slow


@pytest.fixture
def closed(start: Start, tmp_path: Path) -> tuple[Running, str]:
    """A server that has an administrator's key, and that key."""
    server = start(tmp_path / "data")
    return server, create(server, "admin", ["predict", "read", "rows", "train", "promote", "admin"])


def create(server: Running, name: str, scopes: list[str], by: str = "") -> str:
    headers = {"Authorization": f"Bearer {by}"} if by else {}
    reply = server.client.post("/v1/classifier/keys", json={"name": name, "scopes": scopes}, headers=headers)
    assert reply.status_code == 201, reply.text
    key: str = reply.json()["key"]
    return key


def use_key(page: Page, key: str) -> None:
    page.get_by_role("dialog").get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def keys_of(server: Running, key: str) -> dict[str, Any]:
    reply = server.client.get("/v1/classifier/keys", headers={"Authorization": f"Bearer {key}"})
    return {each["name"]: each for each in reply.json()["keys"]}


def test_the_first_key_closes_the_server_and_this_tab_goes_on_with_it(
    start: Start, open_page: OpenPage, tmp_path: Path
) -> None:
    server = start(tmp_path / "data")
    page = open_page(f"{server.client.base_url}/#/keys")
    page.get_by_role("button", name="Create the first key").click()
    expect(page.get_by_role("dialog")).to_contain_text("every request to this server needs a key")
    page.get_by_role("button", name="Create it").click()
    key = page.get_by_label("The key", exact=True).inner_text()
    expect(page.get_by_text("This tab uses it from now on")).to_be_visible()
    page.get_by_role("button", name="I have it").click()
    expect(page.get_by_role("table", name="API keys")).to_contain_text("this tab")
    assert server.client.get("/v1/classifier/models").status_code == 401
    assert set(keys_of(server, key)) == {"admin"}
    page.reload()
    expect(page.get_by_role("table", name="API keys")).to_contain_text("this tab")


def test_a_key_is_shown_once_and_never_in_the_request_drawer(
    closed: tuple[Running, str], open_page: OpenPage, watch: Watch
) -> None:
    watch.allow("status of 401")
    server, admin = closed
    page = open_page(f"{server.client.base_url}/#/keys")
    use_key(page, admin)
    page.get_by_role("button", name="Create a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("shop")
    dialog.get_by_label("Only these names").fill("tickets_* live")
    dialog.get_by_label("Valid for, in days").fill("90")
    dialog.get_by_text("Limits", exact=True).click()
    dialog.get_by_label("Most texts a day").fill("100000")
    dialog.get_by_role("button", name="Create it").click()
    key = page.get_by_label("The key", exact=True).inner_text()
    page.get_by_role("button", name="I have it").click()
    row = page.get_by_role("table", name="API keys").get_by_role("row", name="shop")
    expect(row).to_contain_text("tickets_*, live")
    expect(row).to_contain_text("100,000 texts a day")
    shop = keys_of(server, admin)["shop"]
    assert (shop["scopes"], shop["only"], shop["texts_per_day"]) == (
        ["predict", "read"],
        ["tickets_*", "live"],
        100_000,
    )
    assert shop["expires_at"] is not None
    page.keyboard.press("r")
    page.get_by_role("combobox", name="Which request").select_option(label="POST /keys")
    page.get_by_role("tab", name="Reply").click()
    expect(page.locator(".drawer pre")).to_contain_text('"status": "created"')
    assert key not in page.content()


def test_a_key_is_limited_and_revoked(closed: tuple[Running, str], open_page: OpenPage, watch: Watch) -> None:
    watch.allow("status of 401")
    server, admin = closed
    create(server, "shop", ["predict"], admin)
    page = open_page(f"{server.client.base_url}/#/keys")
    use_key(page, admin)
    page.get_by_role("button", name="Limit shop").click()
    page.get_by_label("Most requests a second").fill("5")
    page.get_by_role("button", name="Set these limits").click()
    expect(page.get_by_role("row", name="shop")).to_contain_text("5 requests a second")
    assert keys_of(server, admin)["shop"]["requests_per_second"] == 5
    page.get_by_role("button", name="Revoke shop").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_role("heading", name="1 key valid")).to_be_visible()
    assert keys_of(server, admin)["shop"]["revoked_at"] is not None
    page.get_by_role("button", name="Also those no longer valid").click()
    expect(page).to_have_url(re.compile("old=1"))
    expect(page.get_by_role("row", name="shop")).to_contain_text("revoked")


@pytest.mark.parametrize("place", ["keys", "audit"])
def test_a_key_with_a_small_scope_is_told_calmly_what_it_lacks(
    closed: tuple[Running, str], open_page: OpenPage, watch: Watch, place: str
) -> None:
    watch.allow("status of 40[13]")
    server, admin = closed
    page = open_page(f"{server.client.base_url}/#/{place}")
    use_key(page, create(server, "reader", ["read"], admin))
    expect(page.get_by_role("heading", name="This is for keys with the scope admin")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    open_view(page, "disk")
    expect(page.get_by_text("free.", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Check the data directory").click()
    expect(page.get_by_text("The check is for API keys with the scope admin")).to_be_visible()


def test_the_audit_trail_is_in_words_newest_first_by_pages(page: Page, server: Running) -> None:
    for number in range(60):
        server.client.patch("/v1/classifier/models/nowhere", json={"description": str(number)})
    fit(server, "tickets_v1", num_iterations=0)
    server.client.put("/v1/classifier/aliases/desk", json={"model_name": "tickets_v1"}).raise_for_status()
    open_view(page, "audit")
    lines = page.get_by_role("table", name=re.compile("Audit trail")).locator("tbody tr")
    expect(lines.first).to_contain_text("pointed the alias desk to tickets_v1")
    expect(lines.nth(1)).to_contain_text("trained tickets_v1, revision 1")
    expect(page.get_by_text("tried to describe")).to_have_count(1)
    page.get_by_label("Done to").fill("desk")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(lines).to_have_count(1)
    expect(page).to_have_url(re.compile("target=desk"))
    page.go_back()
    expect(lines.nth(1)).to_contain_text("trained tickets_v1")


def test_older_lines_are_on_the_next_page(page: Page, server: Running) -> None:
    for number in range(102):
        server.client.put("/v1/classifier/aliases/" + f"alias_{number}", json={"model_name": "nowhere"})
    fit(server, "pages", num_iterations=0)
    for number in range(102):
        server.client.patch("/v1/classifier/models/pages", json={"description": f"The text number {number}."})
    open_view(page, "audit?target=pages")
    lines = page.get_by_role("table", name=re.compile("Audit trail")).locator("tbody tr")
    expect(lines).to_have_count(100)
    page.get_by_role("link", name="Older lines").click()
    expect(lines).to_have_count(4)
    expect(lines.last).to_contain_text("asked for a training of pages")
    page.get_by_role("link", name="Newest lines").click()
    expect(lines).to_have_count(100)


def test_deleted_classifiers_are_purged_from_the_disk(page: Page, server: Running) -> None:
    fit(server, "kept_v1", num_iterations=0)
    fit(server, "gone_v1", num_iterations=0)
    server.client.delete("/v1/classifier/models/gone_v1").raise_for_status()
    open_view(page, "disk?q=_v1")
    row = page.get_by_role("table", name="Classifiers by size").get_by_role("row", name="gone_v1")
    expect(row).to_contain_text("deleted")
    row.get_by_role("button", name="Purge gone_v1").click()
    page.get_by_label("Type gone_v1 to confirm").fill("gone_v1")
    page.get_by_role("dialog").get_by_role("button", name="Purge").click()
    expect(row).to_have_count(0)
    expect(page.get_by_role("row", name="kept_v1")).to_be_visible()
    used = server.client.get("/v1/classifier/usage").json()["classifiers"]
    assert "gone_v1" not in [each["name"] for each in used]


def test_base_models_are_listed_with_how_many_use_them(page: Page, server: Running) -> None:
    (base, *_) = server.client.get("/v1/classifier/base-models").json()["base_models"]
    open_view(page, "disk")
    row = page.get_by_role("table", name="Base models").get_by_role("row", name=base["id"])
    expect(row).to_contain_text("classifier" if base["classifiers"] else "nothing")


def test_a_check_of_the_disk_tells_findings_in_words_and_repairs(
    start: Start, open_page: OpenPage, tmp_path: Path
) -> None:
    server = start(tmp_path / "data")
    page = open_page(f"{server.client.base_url}/#/disk")
    expect(page.get_by_role("heading", name="By classifier")).to_be_visible()
    page.keyboard.press("f")
    expect(page.get_by_text("Everything is sound.")).to_be_visible()
    left = tmp_path / "data" / "base_models" / ".removed-1"
    left.mkdir(parents=True)
    (left / "model").write_bytes(b"half removed")
    page.keyboard.press("f")
    expect(page.get_by_text("Nothing is damaged.")).to_be_visible()
    page.get_by_role("button", name="Remove what is in the way").click()
    expect(page.get_by_text("repaired", exact=True)).to_be_visible()
    assert not left.exists()


@pytest.mark.parametrize(("theme", "width"), [("light", WIDE), ("dark", NARROW)])
def test_they_fit_the_window_and_axe_finds_nothing_serious(
    page: Page, server: Running, axe: Findings, theme: Theme, width: int
) -> None:
    fit(server, f"a-classifier-with-a-very-long-name.{theme}." + "x" * 80, num_iterations=0)
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    for place in ("keys", "audit", "disk"):
        open_view(page, place)
        expect(page.get_by_role("heading", level=1, name=place.title())).to_be_visible()
        expect(page.get_by_text("Loading …")).to_have_count(0)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_view(page, "keys")
    expect(page.get_by_role("button", name="Create the first key")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe(page) == []


def test_a_list_of_keys_fits_a_narrow_window_and_axe_finds_nothing_serious(
    closed: tuple[Running, str], open_page: OpenPage, axe: Findings, watch: Watch
) -> None:
    watch.allow("status of 401")
    server, admin = closed
    create(server, "a-program-with-a-very-long-name." * 3, ["predict", "read", "rows"], admin)
    page = open_page(f"{server.client.base_url}/#/keys", width=NARROW)
    use_key(page, admin)
    expect(page.get_by_role("heading", name="2 keys valid")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW
