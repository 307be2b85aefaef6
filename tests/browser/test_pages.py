"""What the pages show of what the store holds, in light and dark, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from emon.domain.instant import MINUTE, SECOND
from tests.browser import world
from tests.browser.conftest import Operators
from tests.browser.console import Console

LOOKS = [("light", 1440, 900), ("dark", 1440, 900), ("light", 320, 640), ("dark", 320, 640)]


def filled(console: Console) -> int:
    """A queue with one of each sort; alert 1 has a map. The onset of alert 1."""
    onset = console.now() - 31 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset))
    console.find(
        world.exclusion(onset, revision=2, ended=onset + 17 * MINUTE, status="closed",
                        decided_at=onset + 18 * MINUTE),
        world.tamper(onset + 20 * MINUTE, participant="P-0002"),
        *(world.finding(kind, id_=f"f-{kind}", onset=onset + i * MINUTE, participant=f"P-{i + 10:04}")
          for i, kind in enumerate(("curfew_left", "contact_lost", "alcohol_confirmed", "battery",
                                    "attendance_missed"))))
    return onset


def fits(page: Page) -> None:
    """Nothing makes the page wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("scheme", "width", "height"), LOOKS)
def test_every_page_in_every_look(scheme: str, width: int, height: int, console: Console,
                                  operators: Operators, picture: Callable[..., None]) -> None:
    """Each page fits and has its content; pictures are kept to look at."""
    filled(console)
    page = operators("Ada", color_scheme=scheme, viewport={"width": width, "height": height})
    expect(page.locator(".row").first).to_be_visible()
    expect(page.get_by_text("Live")).to_be_visible()
    fits(page)
    picture(page, "queue")
    console.deliver(1, [("sms", "+1 608 555 0112", "temporary"), ("email", "d@example.org", "accepted")])
    page.goto(f"{console.url}/alerts/1")
    expect(page.locator(".map[data-ready=true]")).to_be_visible(timeout=20_000)
    fits(page)
    page.wait_for_timeout(500)  # the map's next frame
    picture(page, "alert", full_page=True)
    page.goto(f"{console.url}/participants/{world.PARTICIPANT}")
    expect(page.locator(".map[data-ready=true]")).to_be_visible(timeout=20_000)
    fits(page)
    page.wait_for_timeout(500)
    picture(page, "participant", full_page=True)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_the_alert_page_says_what_who_when_and_how_sure(console: Console, operators: Operators) -> None:
    """Everything that stands on the map stands in words as well, in the order's own time zone."""
    filled(console)
    console.deliver(1, [("sms", "+1 608 555 0112", "temporary"), ("email", "d@example.org", "accepted")])
    ada = operators("Ada", "/alerts/1", timezone_id="Asia/Tokyo")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Possible breach: inside an exclusion zone")
    facts = ada.get_by_role("region", name="What happened")
    expect(facts).to_contain_text(world.NAME)
    expect(facts).to_contain_text("Confirmed (level 3)")
    expect(facts).to_contain_text("not observed from")
    expect(facts.locator("time").first).to_have_text(re.compile(r"−0[56]:00$"))
    expect(facts.locator("time").first).to_have_attribute("title", re.compile("UTC$"))
    table = ada.get_by_role("region", name="Table of fixes")
    expect(table.locator("tr.evidence")).to_have_count(3)
    expect(table.locator("tr.gap")).to_contain_text("not observed from")
    timeline = ada.get_by_role("region", name="Timeline")
    for words in ("Finding closed", "Alcohol at the skin: 0.03", "Heartbeat, battery", "5-drug: negative",
                  "Alert opened", "SMS to Dana Whitfield: failed for now",
                  "E-mail to Dana Whitfield: accepted"):
        expect(timeline).to_contain_text(words)
    judged = ada.get_by_role("region", name="What it was judged by")
    for words in ("WI-2026-000123, version 3", f"{world.ZONE_NAME}, version 2", "America/Chicago"):
        expect(judged).to_contain_text(words)


def test_a_withdrawn_finding_says_so_and_why(console: Console, operators: Operators) -> None:
    """Nobody works on what no longer stands without being told."""
    onset = console.now() - 31 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset))
    ada = operators("Ada", "/alerts/1")
    expect(ada.locator(".held")).to_have_text("Nobody has it yet")
    ada.keyboard.press("c")
    expect(ada.locator(".held")).to_have_text("You have it")
    console.find(world.exclusion(onset, revision=2, status="withdrawn", reason="leave",
                                 decided_at=console.now() - SECOND))
    expect(ada.locator(".notice")).to_contain_text("Withdrawn")
    expect(ada.locator(".notice")).to_contain_text("an authorised absence covers it")
    expect(ada.locator(".notice")).to_contain_text("waits for somebody to close it")


def test_a_tamper_cannot_be_closed_before_the_device_is_clear(console: Console, operators: Operators) -> None:
    """The page says why there is no way to close it, and names the tamper."""
    onset = console.now() - 31 * MINUTE
    console.publish(onset)
    console.find(world.tamper(onset))
    ada = operators("Ada", "/alerts/1")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Device tamper: strap opened")
    expect(ada.get_by_text("once the device itself gives the all-clear")).to_be_visible()
    expect(ada.get_by_role("button", name="Close…")).to_have_count(0)


def test_empty_missing_and_broken_states_have_words(console: Console, operators: Operators) -> None:
    """No page is ever blank."""
    operators.expect("404|500")
    ada = operators("Ada")
    expect(ada.get_by_text("The queue is empty")).to_be_visible()
    ada.goto(f"{console.url}/alerts/4711")
    expect(ada.get_by_text("There is no alert 4711", exact=True)).to_be_visible()
    ada.goto(f"{console.url}/participants/P-none")
    expect(ada.get_by_text("There is no participant P-none", exact=True)).to_be_visible()
    ada.route("**/v1/alerts?*", lambda route: route.fulfill(status=500, body="{}"))
    ada.goto(console.url)
    expect(ada.get_by_role("alert").filter(has_text="emon answered with an error (500)")).to_be_visible()


def test_the_theme_is_kept(console: Console, operators: Operators) -> None:
    """Whoever wants it dark has it dark tomorrow too."""
    ada = operators("Ada", color_scheme="light")
    ada.get_by_role("button", name="Colours").click()
    assert ada.evaluate("document.documentElement.dataset.theme") == "dark"
    ada.reload()
    expect(ada.get_by_role("button", name="Colours: Dark")).to_be_visible()


def test_a_page_reader_finds_landmarks_names_and_focus(console: Console, operators: Operators) -> None:
    """WCAG 2.2: one main, a skip link that works, labelled fields, a name for every control."""
    filled(console)
    ada = operators("Ada")
    expect(ada.locator(".row").first).to_be_visible()
    ada.keyboard.press("Tab")
    expect(ada.get_by_role("link", name="Skip to the content")).to_be_focused()
    for path in ("/", "/alerts/1", f"/participants/{world.PARTICIPANT}"):
        ada.goto(console.url + path)
        expect(ada.get_by_role("heading", level=1)).to_have_count(1)
        expect(ada.get_by_role("main")).to_have_count(1)
        unnamed = ada.evaluate("""() => [...document.querySelectorAll('button, a, input, select, textarea')]
          .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))
          .map(e => e.outerHTML)""")
        assert unnamed == []


def test_the_participant_page_reads_the_chosen_window(console: Console, operators: Operators) -> None:
    """Orders, devices and alerts beside the readings of a window that the operator chooses."""
    filled(console)
    ada = operators("Ada", f"/participants/{world.PARTICIPANT}")
    expect(ada.get_by_role("heading", level=1)).to_have_text(world.NAME)
    expect(ada.get_by_role("region", name="Orders in force")).to_contain_text("c1 Exclusion zone: school-17")
    expect(ada.get_by_role("region", name="Devices")).to_contain_text("ACME-0001")
    expect(ada.get_by_role("region", name="Alerts")).to_contain_text("inside an exclusion zone")
    table = ada.get_by_role("region", name="Table of fixes")
    expect(table).to_contain_text("63 fixes")
    readings = ada.get_by_role("region", name="Readings and findings")
    expect(readings).to_contain_text("Laboratory, 5-drug: negative")
    expect(readings).to_contain_text("Possible breach: inside an exclusion zone")
    ada.get_by_role("button", name="Last 1 h").click()
    expect(table).to_contain_text("49 fixes")
    ada.get_by_label("From").fill("2026-01-02T10:00")
    ada.get_by_label("To").fill("2026-01-02T09:00")
    ada.get_by_role("button", name="Show", exact=True).click()
    expect(ada.get_by_text("The window must end after it starts.")).to_be_visible()


def test_closed_alerts_can_be_looked_up(console: Console, operators: Operators) -> None:
    """What is handled leaves the queue and stays on record, with how it ended and who closed it."""
    filled(console)
    ada = operators("Ada")
    expect(ada.locator(".row")).to_have_count(7)
    for alert in (3, 4):
        assert ada.evaluate("""async (id) => (await fetch(`/v1/alerts/${id}/close`, {method: 'POST',
          headers: {'Content-Type': 'application/json', 'X-Emon-Operator': 'Grace', 'If-Match': '*'},
          body: JSON.stringify({disposition: 'non_actionable:drift', note: 'seen'})})).status""", alert) == 200
    ada.get_by_role("link", name="Closed", exact=True).click()
    closed = ada.get_by_role("region", name="Closed alerts")
    expect(closed.get_by_role("listitem")).to_have_count(2)
    expect(closed).to_contain_text("not actionable: drift")
    expect(closed).to_contain_text("Closed by Grace")
    name = closed.get_by_role("listitem").first.inner_text()
    number = re.search(r"P-\d{4}", name)
    assert number
    ada.get_by_role("searchbox").fill(number[0])
    ada.get_by_role("button", name="Search").click()
    expect(closed.get_by_role("listitem")).to_have_count(1)
    fits(ada)


def test_table_and_map_show_the_same_fix(console: Console, operators: Operators) -> None:
    """What is chosen in the table is marked on the map, by keyboard too; a change keeps the operator's view."""
    filled(console)
    ada = operators("Ada", "/alerts/1")
    expect(ada.locator(".map[data-ready=true]")).to_be_visible(timeout=20_000)
    chosen = ada.locator("tr.evidence").first.get_by_role("button")
    chosen.focus()
    ada.keyboard.press("Enter")
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(ada.locator("tr.picked")).to_have_count(1)
    ada.get_by_role("button", name="Zoom in").click()
    ada.wait_for_timeout(600)
    scale = ada.locator(".maplibregl-ctrl-scale")
    zoomed = scale.inner_text()
    assert zoomed != "500 m"
    ada.keyboard.press("a")
    expect(ada.locator(".held")).to_contain_text("You have it")
    ada.wait_for_timeout(600)
    assert scale.inner_text() == zoomed
    ada.get_by_role("button", name="Show everything").click()
    expect(scale).to_have_text("500 m")
