"""An analyst at an alcohol alert: sets a verdict, sees the finding revised, takes it back, meets another analyst."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.instant import HOUR
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.journal.records import OrderVersion, decode_orders
from tests.browser import world
from tests.browser.conftest import Operators
from tests.browser.console import Console

CURVE = (0.0, 0.02, 0.05, 0.02, 0.0, 0.0)  # falls as fast as the limit: for an analyst
SET = "Set the verdict\N{HORIZONTAL ELLIPSIS}"


class Evaluator:
    """The real one over all that is known, run when the test says so."""

    def __init__(self, console: Console) -> None:
        self._console, self._begin, self._told = console, console.now() - 8 * HOUR, 0
        self._order = next(version.order for version in map(decode_orders, world.documents(self._begin))
                           if isinstance(version, OrderVersion))

    def run(self) -> list[Finding]:
        """Publishes revisions that are new, as the pipeline would."""
        readings = [Reading(device="SCRAM-1", kind="alcohol_transdermal", tac_g_dl=value, sensor_family="scram",
                            observed_at=self._begin + index * HOUR, received_at=self._begin + index * HOUR)
                    for index, value in enumerate(CURVE)]
        worn = Binding(id="b", device="SCRAM-1", participant=world.PARTICIPANT)
        records = batch.merge(readings, [self._order], [], [worn], verdicts=self._console.verdicts())
        lines = [line for line in batch.evaluate(records) if line.family == "alcohol"]
        new, self._told = lines[self._told:], len(lines)
        self._console.find(*new)
        return new


def say(page: Page, result: str, reason: str) -> None:
    page.get_by_role("button", name=SET).click()
    dialog = page.get_by_role("dialog")
    done = dialog.locator("button[type=submit]")
    expect(done).to_be_disabled()
    dialog.get_by_label("What is it?").select_option(label=result)
    expect(done).to_be_disabled()  # the reason is what a court asks for
    dialog.get_by_label("Reason").fill(reason)
    done.click()


def test_an_analyst_sets_a_verdict_and_takes_it_back(console: Console, operators: Operators) -> None:
    """The finding says it once the evaluator has judged it, with the analyst's name and words."""
    evaluator = Evaluator(console)
    console.publish(console.now() - 8 * HOUR)
    evaluator.run()
    ada = operators("Ada", "/alerts/1")
    card = ada.get_by_role("region", name="Analyst's verdict")
    happened = ada.get_by_role("region", name="What happened")
    expect(card).to_contain_text("No analyst has set one")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Alcohol readings need review")
    say(ada, "Confirmed: alcohol", "Rise and fall fit drinking.")
    expect(card).to_contain_text("Ada: \u201cRise and fall fit drinking.\u201d")
    expect(card).to_contain_text("as soon as the evaluator has judged it")
    (revised,) = evaluator.run()
    assert (revised.kind, revised.level, revised.reason) == ("alcohol_confirmed", 3, "analyst_confirmed")
    expect(happened).to_contain_text("Verdict of Ada: \u201cRise and fall fit drinking.\u201d")
    expect(ada.get_by_role("heading", level=1)).to_have_text("Possible breach: alcohol, confirmed")
    expect(card.get_by_role("status")).to_have_count(0)
    say(ada, "Take back the verdict that stands", "The strap was loose.")
    expect(card).to_contain_text("was taken back")
    (back,) = evaluator.run()
    assert (back.kind, back.level, back.reason) == ("alcohol_review", 2, "slope")
    expect(card).to_contain_text("No analyst has set one")
    expect(happened).not_to_contain_text("Verdict of")


def test_two_analysts_at_one_curve(console: Console, operators: Operators) -> None:
    """Who was later is told so, sees the other's verdict, and may overrule it."""
    evaluator = Evaluator(console)
    console.publish(console.now() - 8 * HOUR)
    evaluator.run()
    operators.expect("409")
    ada, grace = operators("Ada", "/alerts/1"), operators("Grace", "/alerts/1")
    expect(grace.get_by_role("button", name=SET)).to_be_enabled()
    say(ada, "Confirmed: alcohol", "Rise and fall fit drinking.")
    expect(ada.get_by_role("dialog")).to_have_count(0)
    say(grace, "Interferent: something else than drinking was measured", "Hand sanitizer.")
    expect(grace.get_by_role("alert")).to_contain_text("Somebody else set a verdict meanwhile")
    grace.keyboard.press("Escape")
    card = grace.get_by_role("region", name="Analyst's verdict")
    expect(card).to_contain_text("Ada: \u201cRise and fall fit drinking.\u201d")
    say(grace, "Interferent: something else than drinking was measured", "Hand sanitizer.")
    expect(card).to_contain_text("Grace: \u201cHand sanitizer.\u201d")
    assert evaluator.run()[-1].reason == "analyst_interferent"
    expect(ada.get_by_role("region", name="What happened")).to_contain_text("Hand sanitizer.")
