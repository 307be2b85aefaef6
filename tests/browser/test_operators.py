"""Operators at work on the real application: by mouse, by keyboard alone, two at once, through a restart."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from emon.domain.instant import MINUTE
from tests.browser import world
from tests.browser.conftest import Operators
from tests.browser.console import Console


def test_by_mouse_from_the_queue_to_a_closed_alert(console: Console, operators: Operators) -> None:
    """Claim, acknowledge, note and close by clicking; the log names who did what."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset))
    ada = operators("Ada Løvelace")
    ada.get_by_role("link", name="Possible breach: inside an exclusion zone").click()
    expect(ada).to_have_url(re.compile("/alerts/1$"))
    held = ada.locator(".held")
    expect(held).to_have_text("Nobody has it yet")
    ada.get_by_role("button", name="Claim").click()
    expect(held).to_have_text("You have it")
    ada.get_by_role("button", name="Acknowledge").click()
    expect(held).to_contain_text("until it returns to the queue")
    ada.get_by_role("button", name="Add note").click()
    ada.get_by_role("textbox", name="Note").fill("Called: says he is at work.")
    ada.get_by_role("dialog").get_by_role("button", name="Add note").click()
    timeline = ada.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("“Called: says he is at work.”")
    ada.get_by_role("button", name="Close…").click()
    dialog = ada.get_by_role("dialog")
    done = dialog.get_by_role("button", name="Close alert")
    expect(done).to_be_disabled()
    dialog.get_by_label("How did it end?").select_option(label="Officer informed")
    expect(done).to_be_disabled()  # P2 needs a note
    dialog.get_by_label("Note").fill("Officer Whitfield takes over.")
    done.click()
    expect(held).to_have_text("Closed")
    expect(timeline).to_contain_text("Closed by Ada Løvelace")
    ada.get_by_role("link", name="Queue", exact=True).first.click()
    expect(ada.get_by_text("The queue is empty")).to_be_visible()


def test_by_keyboard_alone(console: Console, operators: Operators) -> None:
    """From the queue to a closed alert without touching the mouse."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset),
                 world.finding("battery", id_="f-battery", onset=onset, condition="c6"))
    ada = operators("Ada")
    expect(ada.locator(".row")).to_have_count(2)
    ada.keyboard.press("?")
    expect(ada.get_by_role("dialog", name="Keys")).to_be_visible()
    ada.keyboard.press("Escape")
    ada.keyboard.press("j")
    expect(ada.get_by_role("link", name="inside an exclusion zone")).to_be_focused()
    ada.keyboard.press("j")
    expect(ada.get_by_role("link", name="Device battery is low")).to_be_focused()
    ada.keyboard.press("k")
    ada.keyboard.press("c")
    expect(ada.locator(".row.selected")).to_contain_text("Claimed by you")
    ada.keyboard.press("Enter")
    expect(ada.locator(".held")).to_have_text("You have it")
    ada.keyboard.press("a")
    expect(ada.locator(".held")).to_contain_text("until it returns")
    ada.keyboard.press("n")
    ada.keyboard.type("no answer")
    ada.keyboard.press("Control+Enter")
    expect(ada.get_by_role("region", name="Timeline")).to_contain_text("“no answer”")
    expect(ada.get_by_role("dialog")).to_have_count(0)
    ada.keyboard.press("x")
    ada.keyboard.type("Off")  # the list jumps to "Officer informed"
    ada.keyboard.press("Tab")
    ada.keyboard.type("handed over")
    ada.keyboard.press("Control+Enter")
    expect(ada.locator(".held")).to_have_text("Closed")
    ada.keyboard.press("q")
    ada.keyboard.press("/")
    ada.keyboard.type("battery")
    ada.keyboard.press("Enter")
    expect(ada.get_by_role("link", name="Device battery is low")).to_be_focused()
    ada.keyboard.press("Escape")
    ada.keyboard.press("t")
    expect(ada).to_have_url(re.compile("/alerts/2$"))
    expect(ada.locator(".held")).to_have_text("You have it")


def test_two_claim_at_once(console: Console, operators: Operators) -> None:
    """One has it; the other is told who, without losing the page, and can take over with a reason."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset))
    ada, grace = operators("Ada", "/alerts/1"), operators("Grace", "/alerts/1")
    for page in (ada, grace):
        expect(page.locator(".held")).to_have_text("Nobody has it yet")
    # Grace's screen does not hear of Ada's claim before she presses the key herself
    grace.route("**/v1/alerts/1", lambda route: route.abort())
    operators.expect("409|ERR_FAILED")
    ada.keyboard.press("c")
    expect(ada.locator(".held")).to_have_text("You have it")
    grace.evaluate("fetch('/v1/alerts/1/claim', {method: 'POST', headers: {'X-Emon-Operator': 'Grace'}})"
                   ".then(r => r.json()).then(p => document.title = p.holder)")
    expect(grace).to_have_title("Ada")
    grace.get_by_role("button", name="Claim").click()
    expect(grace.get_by_role("status").filter(has_text="Ada was faster")).to_be_visible()
    grace.unroute("**/v1/alerts/1")
    grace.reload()
    expect(grace.locator(".held")).to_have_text("Ada has it")
    grace.get_by_role("button", name="Take over…").click()
    grace.get_by_role("textbox", name="Reason").fill("Ada's shift is over")
    grace.get_by_role("dialog").get_by_role("button", name="Take over").click()
    expect(grace.locator(".held")).to_have_text("You have it")
    expect(ada.locator(".held")).to_have_text("Grace has it")
    expect(ada.get_by_role("region", name="Timeline")).to_contain_text("Taken over by Grace")


def test_rows_keep_their_places_while_somebody_points_at_them(console: Console, operators: Operators) -> None:
    """New alerts wait at the top, closed ones stay; a critical one appears at once and moves nothing."""
    onset = console.now() - 60 * MINUTE
    console.publish(onset)
    console.find(*(world.finding("battery", id_=f"b{i}", onset=onset + i, participant=f"P-{i:04}")
                   for i in range(3)))
    ada = operators("Ada")
    expect(ada.locator(".row")).to_have_count(3)
    first = ada.locator(".rows.long .row").first
    first.hover()
    before = first.bounding_box()
    console.find(world.finding("curfew_absent", id_="c", onset=onset, condition="c2", participant="P-0009"),
                 world.tamper(onset, participant="P-0008"))
    expect(ada.get_by_role("button", name="1 new: update the list")).to_be_visible()
    expect(ada.get_by_role("list", name="Critical alerts")).to_contain_text("tamper")
    assert first.bounding_box() == before
    ada.keyboard.press("u")
    expect(ada.locator(".rows.long .row").first).to_contain_text("not at home during curfew")


def test_the_line_breaks_and_stands_again(console: Console, operators: Operators) -> None:
    """A restarted server: the screen says since when it is stale, then shows what happened meanwhile."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset))
    operators.expect("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|Failed to load resource")
    ada = operators("Ada")
    life = ada.get_by_role("group", name="State of emon")
    expect(life).to_contain_text("Live")
    console.stop_http()
    expect(life).to_contain_text("Stale since")
    expect(ada.get_by_role("alert").filter(has_text="The line to emon is broken")).to_be_visible()
    console.find(world.tamper(onset))
    console.start_http()
    expect(life).to_contain_text("Live", timeout=20_000)
    expect(ada.get_by_role("list", name="Critical alerts")).to_contain_text("tamper")


def test_many_tabs_share_one_stream(console: Console, operators: Operators) -> None:
    """The ninth tab works: a browser has six connections to a host, and the tabs need one together."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    first = operators("Ada")
    tabs = [first, *(first.context.new_page() for _ in range(8))]
    for tab in tabs[1:]:
        tab.goto(console.url)
    console.find(world.exclusion(onset))
    for tab in tabs:
        expect(tab.locator(".row")).to_have_count(1, timeout=10_000)


def test_ten_thousand_rows_stay_smooth(console: Console, operators: Operators,
                                       picture: Callable[..., None]) -> None:
    """Only what is in view is in the document, and the end is reached."""
    onset = console.now() - 90 * MINUTE
    console.publish(onset)
    console.find(*(world.finding("battery", id_=f"b{i}", onset=onset + i, participant=f"P-{i:05}")
                   for i in range(10_000)))
    ada = operators("Ada")
    expect(ada.locator(".freshbar")).to_contain_text("10000 alerts", timeout=90_000)
    assert ada.locator(".row").count() < 60
    frames = ada.evaluate("""async () => {
      const list = document.querySelector('.rows.long'), spent = [];
      for (let i = 0, last = performance.now(); i < 60; i += 1) {
        list.scrollTop += 3000;
        await new Promise(requestAnimationFrame);
        spent.push(performance.now() - last);
        last = performance.now();
      }
      return spent.sort((a, b) => a - b);
    }""")
    assert frames[30] < 100, f"half of the frames take longer than {frames[30]:.0f} ms"
    ada.evaluate("document.querySelector('.rows.long').scrollTop = 1e9")
    expect(ada.locator(".row", has_text="P-09999")).to_be_visible()
    picture(ada, "end")


def test_a_browser_without_shared_workers_is_live_too(console: Console, operators: Operators) -> None:
    """Some have none; each page then keeps a stream of its own."""
    ada = operators("Ada")
    ada.context.add_init_script("delete window.SharedWorker")
    ada.goto(console.url)
    expect(ada.get_by_role("group", name="State of emon")).to_contain_text("Live")
    console.find(world.tamper(console.now() - 5 * MINUTE))
    expect(ada.get_by_role("list", name="Critical alerts")).to_contain_text("tamper")


def test_the_filter_finds_rows_and_leads_beyond_the_queue(console: Console, operators: Operators) -> None:
    """Words narrow the list down; what is not open can still be looked at."""
    onset = console.now() - 30 * MINUTE
    console.publish(onset)
    console.find(world.exclusion(onset), world.finding("battery", id_="b", onset=onset, condition="c6"))
    ada = operators("Ada")
    expect(ada.locator(".row")).to_have_count(2)
    search = ada.get_by_role("searchbox", name="Filter the queue")
    search.fill("hohenberg p2")
    expect(ada.locator(".row")).to_have_count(1)
    expect(ada.locator(".freshbar")).to_have_text("1 alert found, by priority, then oldest")
    search.fill("P-0001x")
    expect(ada.get_by_role("link", name="participant P-0001x")).to_be_visible()


def test_single_keys_can_be_switched_off(console: Console, operators: Operators) -> None:
    """Whoever dictates to the computer must not claim alerts by speaking (WCAG 2.1.4)."""
    console.publish(console.now() - 30 * MINUTE)
    console.find(world.exclusion(console.now() - 30 * MINUTE))
    ada = operators("Ada")
    expect(ada.locator(".row")).to_have_count(1)
    ada.keyboard.press("?")
    ada.get_by_role("checkbox", name="Single keys act").uncheck()
    ada.keyboard.press("Escape")
    ada.keyboard.press("j")
    ada.keyboard.press("t")
    expect(ada.locator(".row.selected")).to_have_count(0)
    expect(ada).to_have_url(f"{console.url}/")
    ada.get_by_role("button", name="Keys").click()
    expect(ada.get_by_role("checkbox", name="Single keys act")).not_to_be_checked()


def test_silence_is_shown_until_the_browser_allows_sound(console: Console, operators: Operators) -> None:
    """A critical alert sounds only after a first key or click: the screen says so, and takes it back."""
    console.find(world.tamper(console.now() - 5 * MINUTE))
    ada = operators("Ada")
    expect(ada.get_by_role("button", name="Sound blocked until you click or press a key")).to_be_visible()
    ada.evaluate("""() => {
      window.heard = 0;
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (at) { window.heard += 1; start.call(this, at); };
    }""")
    ada.keyboard.press("Shift")
    expect(ada.get_by_role("button", name="Sound is on")).to_be_visible()
    console.find(world.tamper(console.now() - MINUTE, id_="f-2", participant="P-0002"))
    expect(ada.locator(".strip .row")).to_have_count(2)
    ada.wait_for_timeout(300)
    assert ada.evaluate("window.heard") >= 3
    ada.get_by_role("button", name="Sound is on").click()
    expect(ada.get_by_role("button", name="Sound is off")).to_be_visible()
