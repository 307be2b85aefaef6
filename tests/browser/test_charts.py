"""Each kind of finding in its own way on its alert's page: drawn, in words, and as a table.

What is shown was found by the real evaluator in an evening of the simulated county.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from emon.domain.instant import HOUR, MINUTE, iso
from tests.browser import county, world
from tests.browser.conftest import Operators
from tests.browser.console import Console

LOOKS = [("light", 1440, 900), ("dark", 1440, 900), ("light", 320, 640), ("dark", 320, 640)]
CHARTS = {
    "drinks_now": ("alcohol", "Alcohol at the skin"),
    "drank_yesterday": ("alcohol", "Alcohol at the skin"),
    "sanitiser": ("alcohol", "Alcohol at the skin"),
    "breath_failed": ("breath", "Breath tests"),
    "breath_missed": ("breath", "Breath tests"),
    "breath_not_received": ("breath", "Breath tests"),
    "test_failed": ("test_failed", "Laboratory tests"),
    "battery_low": ("battery", re.compile("Charge of LAKE-")),
    "appointment_late": ("attendance", "Appointment"),
    "appointment_left": ("attendance", "Appointment"),
    "allowance_used": ("curfew_accumulated", "Weekly allowance"),
    "uploads_no_more": ("alcohol_no_upload", "Uploads from the skin"),
    "device_dead": ("contact_lost", "Silence of all devices"),
    "shielded": ("tamper", "What the device reported"),
    "panic": ("panic", "What the device reported"),
    "too_close": ("keep_away", "Distance between both"),
    "her_device_silent": ("protected_contact_lost", "Silence of the protected person's device"),
    "moves_unseen": ("motion_without_fix", "Motion without a position"),
}


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> county.Evening:
    return county.evening(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, evening: county.Evening) -> Iterator[Console]:
    """One application for all: nobody changes anything here."""
    running = Console(tmp_path_factory.mktemp("console"))
    running.start()
    running.take_in(evening.documents, evening.chunks)
    running.find(*evening.findings)
    wanted = len({one.finding_id for one in evening.findings})
    deadline = time.monotonic() + 60
    with httpx.Client(base_url=running.url) as client:
        while _taken(client) < wanted:
            assert time.monotonic() < deadline, "not every finding became an alert"
            time.sleep(0.1)
    yield running
    running.stop()


def _taken(client: httpx.Client) -> int:
    alerts = client.get("/v1/alerts", params={"limit": 500}).json()["alerts"]
    return sum(one["finding_count"] for one in alerts)


class Pages:
    """Opens the alert of a scenario's participant."""

    def __init__(self, console: Console, operators: Operators, evening: county.Evening) -> None:
        self._console, self._operators, self._evening = console, operators, evening

    def alert(self, scenario: str, family: str) -> str:
        """The page's path."""
        with httpx.Client(base_url=self._console.url) as client:
            found = client.get("/v1/alerts", params={"participant": self._evening.who[scenario], "family": family})
        alerts = found.json()["alerts"]
        assert len(alerts) == 1, f"{scenario}: {alerts}"
        return f"/alerts/{alerts[0]['id']}"

    def chart(self, scenario: str, page: Page | None = None, **options: object) -> Locator:
        """The scenario's chart, drawn."""
        family, title = CHARTS[scenario]
        path = self.alert(scenario, family)
        if page is None:
            page = self._operators("Ada", path, **options)
        else:
            page.goto(self._console.url + path)
        chart = page.get_by_role("region", name=title, exact=isinstance(title, str))
        expect(chart.get_by_role("img")).to_be_visible(timeout=20_000)
        return chart.first


@pytest.fixture
def pages(console: Console, operators: Operators, evening: county.Evening) -> Pages:
    return Pages(console, operators, evening)


@pytest.mark.parametrize(("scheme", "width", "height"), LOOKS)
def test_every_chart_in_every_look(scheme: str, width: int, height: int, pages: Pages, operators: Operators,
                                   console: Console, picture: Callable[..., None]) -> None:
    """Each is drawn and fits; pictures are kept to look at."""
    page = operators("Ada", color_scheme=scheme, viewport={"width": width, "height": height})
    for scenario in CHARTS:
        chart = pages.chart(scenario, page)
        page.wait_for_timeout(150)  # the drawing's second measure
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), scenario
        overflowing = chart.evaluate("""(card) => {
          const box = card.querySelector('svg').getBoundingClientRect();
          return [...card.querySelectorAll('svg text')].map(t => [t.textContent, t.getBoundingClientRect()])
            .filter(([, r]) => r.left < box.left - 1 || r.right > box.right + 1).map(([words]) => words)}""")
        assert overflowing == [], f"{scenario}: {overflowing}"
        chart.scroll_into_view_if_needed()
        picture(page, scenario)


def test_a_confirmed_curve_tells_foot_peak_end_and_both_slopes(pages: Pages) -> None:
    """The numbers that decided stand beside the drawing, with their limits."""
    chart = pages.chart("drank_yesterday")
    expect(chart).to_contain_text(re.compile(r"A\s*Foot 0\.000 g/dL"))
    expect(chart).to_contain_text(re.compile(r"B\s*Peak 0\.0[56]\d g/dL"))
    expect(chart).to_contain_text(re.compile(r"C\s*Back at zero 0\.000 g/dL"))
    expect(chart).to_contain_text(re.compile(r"Absorption 0\.0\d\d g/dL an hour, below the limit of 0\.050"))
    expect(chart).to_contain_text(re.compile(r"Elimination 0\.0\d\d g/dL an hour, below the limit of 0\.025"))
    expect(chart).to_contain_text("this is not when drinking began")
    assert re.search(r"\d+ readings of alcohol at the skin, highest 0\.0[56]\d g/dL at .*limit is 0\.020",
                     chart.get_by_role("img").get_attribute("aria-label") or "")


def test_an_interferent_is_marked_where_it_jumped(pages: Pages) -> None:
    """The step that no body makes is drawn thick, and said."""
    chart = pages.chart("sanitiser")
    expect(chart).to_contain_text("faster than a body does")
    assert chart.locator("svg path[stroke-width='4']").count() >= 1
    chart = pages.chart("drinks_now")
    expect(chart).to_contain_text(re.compile("Back at zero not yet"))
    assert chart.locator("svg path[stroke-width='4']").count() == 0


def test_breath_tests_show_the_value_the_cut_off_and_the_time_to_confirm(pages: Pages) -> None:
    chart = pages.chart("breath_failed")
    expect(chart).to_contain_text(re.compile(r"Random test 19:38: 0\.062 g/210 L, at or above the cut-off"))
    expect(chart).to_contain_text(re.compile(r"Confirmation 19:55: 0\.055 g/210 L, at or above the cut-off"))
    expect(chart).to_contain_text("cut-off 0.020 g/210 L")
    expect(chart.locator("svg")).to_contain_text("Time to confirm")


def test_a_planned_test_shows_its_window_taken_or_not(pages: Pages) -> None:
    missed = pages.chart("breath_missed")
    expect(missed.locator("svg")).to_contain_text("Planned window")
    expect(missed.locator("svg")).to_contain_text("19:40 to 20:00")
    expect(missed).to_contain_text("No test was taken in this time.")
    silent = pages.chart("breath_not_received")
    expect(silent).to_contain_text("it may still hold a result")


def test_a_laboratory_result_is_told_as_it_is(pages: Pages) -> None:
    chart = pages.chart("test_failed")
    expect(chart).to_contain_text("Sample, 5-drug 19:40: positive")


def test_a_battery_shows_its_thresholds(pages: Pages) -> None:
    chart = pages.chart("battery_low")
    for words in ("15 %", "5 %", "30 %"):
        expect(chart.locator("svg")).to_contain_text(words)
    expect(chart).to_contain_text("Critical below 5 %")


def test_an_appointment_shows_where_fixes_say_somebody_was(pages: Pages) -> None:
    """The window, the pieces in words and as a table, by keyboard too."""
    chart = pages.chart("appointment_late")
    expect(chart).to_contain_text(re.compile(r"seen there for \d+ min of 15 min"))
    expect(chart).to_contain_text(re.compile(r"First seen there 19:5\d"))
    label = chart.get_by_role("img").get_attribute("aria-label") or ""
    assert re.search(r"Window from 19:35 to 20:00.*Elsewhere 19:\d\d to 19:\d\d.*There 19:\d\d", label)
    table = chart.get_by_text(re.compile(r"As a table \(\d+\)"))
    table.focus()
    chart.page.keyboard.press("Enter")
    expect(chart.get_by_role("row").nth(1)).to_contain_text(re.compile("Elsewhere|Unsure"))
    expect(pages.chart("appointment_left")).to_contain_text(re.compile(r"Last seen there 19:4\d"))


def test_an_allowance_shows_the_day_that_used_it_up(pages: Pages) -> None:
    chart = pages.chart("allowance_used")
    expect(chart).to_contain_text("8 min away, 8 min allowed")
    expect(chart).to_contain_text(re.compile(r"Used up by Fri 18 Sep, 20:\d\d, counted up to then"))
    chart.get_by_text("As a table (1)").click()
    expect(chart.get_by_role("row").nth(1)).to_contain_text("Curfew left")


def test_a_silence_shows_what_was_in_order_and_what_was_not(pages: Pages) -> None:
    chart = pages.chart("uploads_no_more")
    expect(chart).to_contain_text(re.compile(r"Last heard .*, too long since .*, and still so\."))
    expect(pages.chart("device_dead")).to_contain_text(re.compile(r"heard again \d\d:\d\d\."))


def test_a_tamper_shows_how_long_it_lasted(pages: Pages) -> None:
    chart = pages.chart("shielded")
    expect(chart).to_contain_text(re.compile("Shielding began, LAKE-"))
    expect(chart).to_contain_text("6 min")
    expect(pages.chart("panic")).to_contain_text("reported once")


def test_a_distance_is_shown_with_what_it_leaves_open(pages: Pages) -> None:
    """Numbers of pairs of fixes; the page never says where the protected person is."""
    chart = pages.chart("too_close")
    expect(chart).to_contain_text(re.compile(r"nearest \d+ m, 500 m are ordered"))
    chart.get_by_text(re.compile("As a table")).click()
    expect(chart.get_by_role("row").nth(1)).to_contain_text("nearer")


def test_motion_is_shown_beside_the_time_without_a_position(pages: Pages) -> None:
    chart = pages.chart("moves_unseen")
    expect(chart).to_contain_text(re.compile(r"\d+ min of motion in 1 h"))
    label = chart.get_by_role("img").get_attribute("aria-label") or ""
    assert re.search(r"No position from 18:\d\d to 19:5\d\. Moving 18:5\d to 19:\d\d", label)


def test_an_analysts_verdict_stands_beside_the_slopes(console: Console, operators: Operators) -> None:
    """Who said what and why; without a single reading at hand the evidence draws the curve."""
    operators.expect("404")  # nobody knows this participant
    onset = console.now() - 9 * HOUR
    values = ((-30, 0.0), (0, 0.03), (60, 0.05), (120, 0.03), (180, 0.0))
    console.find(world.finding(
        "alcohol_review", id_="f-verdict", participant="P-9999", onset=onset, ended=onset + 3 * HOUR,
        reason="analyst_interferent", evidence={
            "readings": [], "unit": "g/dL", "parameters": {"positive_g_dl": 0.02, "absorption_g_dl_per_h": 0.05},
            "levels": [{"observed_at": iso(onset + m * MINUTE), "value": value} for m, value in values],
            "slopes": {"absorption_g_dl_per_h": 0.033333333},
            "verdict": {"id": "v-1", "version": 1, "result": "interferent", "reason": "paint on the sleeve",
                        "analyst": "Dr. Moreno", "at": iso(onset + 5 * HOUR)}}))
    ada = operators("Ada")
    with httpx.Client(base_url=console.url) as client:
        deadline = time.monotonic() + 20
        while not (found := client.get("/v1/alerts", params={"participant": "P-9999"}).json()["alerts"]):
            assert time.monotonic() < deadline
    ada.goto(f"{console.url}/alerts/{found[0]['id']}")
    chart = ada.get_by_role("region", name="Alcohol at the skin", exact=True)
    expect(chart).to_contain_text(re.compile("Analyst Dr. Moreno, .*: interferent, because: paint on the sleeve"))
    expect(chart).to_contain_text("Absorption 0.033 g/dL an hour, below the limit of 0.050")
    expect(chart.locator("svg circle[fill='var(--bad)']")).to_have_count(3)


def test_the_queue_names_every_kind(console: Console, operators: Operators) -> None:
    """A tamper by its event; every other kind in words."""
    with httpx.Client(base_url=console.url) as client:
        titles = {one["title"] for one in client.get("/v1/alerts", params={"limit": 500}).json()["alerts"]}
    assert titles >= {
        "Device tamper: strap opened", "Device tamper: case opened", "Device tamper: shielded",
        "Device tamper: signal jammed", "Device tamper: location faked", "Device tamper: away from its wearer",
        "Panic button pressed", "Device battery is low", "Possible breach: appointment missed",
        "Possible breach: late for an appointment", "Possible breach: left an appointment early",
        "Possible breach: weekly curfew allowance used up", "Possible breach: alcohol, confirmed",
        "Alcohol readings need review", "No alcohol readings uploaded", "Possible breach: breath test refused",
        "Possible breach: laboratory test failed", "Possible breach: laboratory test missed"}
    ada = operators("Ada")
    expect(ada.get_by_text("Device tamper: strap opened").first).to_be_visible()
