"""Faults that an evaluator might have, planted one at a time: the properties must catch each of them.

A fault is a piece of the evaluator's text and what stands there instead. Where the text has moved on, the
fault must be planted anew: `mutant.Vanished` says so. `manner` names the way of running that shows it.
"""

from __future__ import annotations

from typing import NamedTuple


class Plant(NamedTuple):
    """One fault: its name, where it is planted, and why it matters that it is caught."""

    name: str
    module: str
    old: str
    new: str
    why: str
    manner: str = "at once"


_MACHINE, _SIGNALS = "emon.evaluate.machine", "emon.evaluate.signals"
_POSITIONS, _ORDERS = "emon.evaluate.positions", "emon.evaluate.orderbook"
_MATCHING, _EVALUATOR = "emon.evaluate.matching", "emon.evaluate.evaluator"
_CURFEW, _CONTACT = "emon.evaluate.rules.curfew", "emon.evaluate.rules.contact"
_OUTAGES, _TRACK, _PERSON = "emon.evaluate.outages", "emon.evaluate.track", "emon.evaluate.person"
_STATE, _LIMITS, _VERSIONS = "emon.evaluate.state", "emon.limits", "emon.domain.versions"
_ACCUMULATED = "emon.evaluate.rules.accumulated"
_ATTENDANCE = "emon.evaluate.rules.attendance"
_SCHEDULE = "emon.domain.schedule"
_INTEGRITY = "emon.evaluate.rules.integrity"
_BREATH, _RESULTS = "emon.evaluate.rules.breath", "emon.evaluate.results"
_LABORATORY = "emon.evaluate.rules.laboratory"
_TRANSDERMAL = "emon.evaluate.rules.transdermal"
_LEDGER, _SORTING, _LANE_ROWS = "emon.evaluate.ledger", "emon.evaluate.lane_sorting", "emon.evaluate.lane_rows"
_PAIRS, _SUBJECT = "emon.evaluate.pairs", "emon.evaluate.subject"
_KEEP_AWAY, _PROTECTED = "emon.evaluate.rules.keep_away", "emon.evaluate.rules.protected"

PLANTS = (
    Plant(
        "only his accuracy counts",
        _PAIRS,
        "accuracy_m(self.mine.reading) + accuracy_m(self.hers.reading)",
        "accuracy_m(self.mine.reading)",
        "a rough fix of hers would accuse him",
    ),
    Plant(
        "only her accuracy counts",
        _PAIRS,
        "accuracy_m(self.mine.reading) + accuracy_m(self.hers.reading)",
        "accuracy_m(self.hers.reading)",
        "a rough fix of his would accuse him",
    ),
    Plant(
        "a meeting is sure at one accuracy",
        _PAIRS,
        "pair.near(limit_m, STRICT_FACTOR)",
        "pair.near(limit_m, ACCURACY_FACTOR)",
        "every meeting would be a confirmed threat",
    ),
    Plant(
        "time between two fixes does not matter",
        _PAIRS,
        "self.apart_s * self.speed_mps",
        "0.0",
        "who has driven on meanwhile would be accused",
    ),
    Plant(
        "the slower one counts",
        _PAIRS,
        "max(speeds, default",
        "min(speeds, default",
        "who has driven on meanwhile would be accused",
    ),
    Plant(
        "of equally near fixes the later one counts",
        _PAIRS,
        "near = [(abs(instants[i] - at), instants[i], i)",
        "near = [(abs(instants[i] - at), -instants[i], i)",
        "two courts would find two things",
    ),
    Plant(
        "only what she did before counts",
        _PAIRS,
        "for i in (index - 1, index) if",
        "for i in (index - 1,) if",
        "a meeting would depend on who spoke first",
    ),
    Plant(
        "fixes may be an hour apart",
        _LIMITS,
        '"pair_s": 90.0,',
        '"pair_s": 3600.0,',
        "where she was an hour ago would accuse him",
    ),
    Plant(
        "ninety seconds are too long",
        _PAIRS,
        "best[0] > reach",
        "best[0] >= reach",
        "a pair at the limit would be lost",
    ),
    Plant(
        "her wifi position accuses",
        _PAIRS,
        'if methods != {"gnss"}:',
        'if pair.mine.reading.method != "gnss":',
        "a router that moved house would accuse him",
    ),
    Plant(
        "unknown methods decide between two people",
        _PAIRS,
        "if not methods <= {",
        "if False and methods <= {",
        "what nobody knows would clear him",
    ),
    Plant(
        "a late fix of hers changes nothing",
        _KEEP_AWAY,
        "return (from_ - reach, until + reach) if news is None else _positions(news, reach)",
        "return (from_ - reach, until + reach) if news is None else (NEVER, ALWAYS)",
        "what comes late would neither accuse nor clear",
    ),
    Plant(
        "a fix of hers matters at its own instant only",
        _KEEP_AWAY,
        "else _positions(news, reach)",
        "else _positions(news, 0)",
        "what comes late would neither accuse nor clear",
    ),
    Plant(
        "a confirmed meeting is like any other finding",
        _KEEP_AWAY,
        "level=4 if level == 3 else level",
        "level=level",
        "nobody would be woken",
    ),
    Plant(
        "a new phone is nobody's",
        _SUBJECT,
        "        spans = book.spans(device)\n",
        "        spans = ()\n",
        "she would be without protection until a court sits",
    ),
    Plant(
        "her new phone's binding is no news",
        _EVALUATOR,
        "owners |= {holder(s.item)[1] for s in (*after",
        "owners |= {s.item.participant or '' for s in (*after",
        "a swap that is told late would leave what the old phone said",
    ),
    Plant(
        "who keeps away from her is looked up once",
        _EVALUATOR,
        "        self._kept_away.clear()\n",
        "        pass\n",
        "an order that comes later would not be judged",
    ),
    Plant(
        "her fixes are no news to him",
        _EVALUATOR,
        "news.setdefault(participant, News()).beside[name] = news[name]",
        "news.get(participant, News()).beside[name] = news[name]",
        "she would have to wait for his next fix",
    ),
    Plant(
        "his silence is hers",
        _PROTECTED,
        'return judge_silences(hers, term, pace_of(term), "protected',
        'return judge_silences(case, term, pace_of(term), "protected',
        "she would be thought safe while her phone is dead",
    ),
    Plant(
        "a named device is nobody's after a restart",
        _EVALUATOR,
        "alone=name in evaluator._orders.protected_devices)",
        "alone=False)",
        "a phone that nobody is said to hold would be forgotten",
        "restarted",
    ),
    Plant(
        "a protected person stays in the fast lane",
        _EVALUATOR,
        "            if self._who_keeps_away(participant):\n                continue",
        "            if False:\n                continue",
        "what changes nothing for her would be hidden from his rule",
    ),
    Plant(
        "one zero through the skin divides",
        _TRANSDERMAL,
        "if level.is_zero or level.at - last.at > gap:",
        "if True:",
        "one drinking would be told as two",
    ),
    Plant(
        "a lower reading through the skin breaks no count",
        _TRANSDERMAL,
        "        now.high = []\n",
        "        pass\n",
        "three that are not consecutive would accuse",
    ),
    Plant(
        "the last maximum through the skin is the peak",
        _TRANSDERMAL,
        "return max(self.levels, key=lambda level: level.value)",
        "return max(reversed(self.levels), key=lambda level: level.value)",
        "another fall would be measured",
    ),
    Plant(
        "silence through the skin is never found",
        _TRANSDERMAL,
        "            if due > clock:\n                self.judged.fall_due(due, clock)\n                continue",
        "            if due > clock or following is None:\n                continue",
        "a bracelet that uploads no more would be overlooked",
    ),
    Plant(
        "a sample that is pending counts for its month",
        _LABORATORY,
        "if all(is_final(b.reading) and begin",
        "if all(begin",
        "nobody knows yet what it says",
    ),
    Plant(
        "a dilute sample is a clean one",
        _LABORATORY,
        '"dilute": "test_failed",',
        "",
        "diluting would pay",
    ),
    Plant(
        "a sample of the next month's first instant counts",
        _LABORATORY,
        "b.reading.observed_at < end for",
        "b.reading.observed_at <= end for",
        "one sample would serve two months",
    ),
    Plant(
        "a strap that is closed at once was never open",
        _INTEGRITY,
        "elif run is not None and closes(one, run.said[-1]):",
        "elif run is not None and closes(one, run.said[-1]) and one.at > run.said[0].at:",
        "a strap that was cut and taped would stay open for ever, or be overlooked",
    ),
    Plant(
        "any fix ends a faked location",
        _INTEGRITY,
        "s.at >= last.at + MOCK_CLEAR_AFTER)",
        "s.at >= last.at)",
        "the faked fix itself would end it",
    ),
    Plant(
        "a faked location counts from its first report",
        _INTEGRITY,
        "                    run.said.append(one)",
        "                    pass",
        "it would end while the device still reports it",
    ),
    Plant(
        "a binding's end closes nothing",
        _INTEGRITY,
        "min(stretch.until, wearing.until)",
        "stretch.until",
        "whoever gave the bracelet back would be accused for ever",
    ),
    Plant(
        "a low battery is charged as soon as it is not low",
        _INTEGRITY,
        "s.battery >= charges.charged)",
        "s.battery >= charges.low)",
        "a charge that wavers would be many findings",
    ),
    Plant(
        "fifteen percent is low",
        _LIMITS,
        "BATTERY_LOW: Final = 0.15 ",
        "BATTERY_LOW: Final = 0.1500001 ",
        "the border belongs to those who are charged",
    ),
    Plant(
        "a tamper is forgotten at the instant at which it ends",
        _INTEGRITY,
        "if s.onset < from_ <= s.settled), default=from_)",
        "if s.onset < from_ < s.settled), default=from_)",
        "what comes in late about that instant would be a tamper of its own",
    ),
    Plant(
        "late fixes never end a faked location earlier",
        _INTEGRITY,
        'return reading.method == "gnss" and (before or positions_matter(hint))',
        'return reading.method == "gnss" and positions_matter(hint)',
        "what is in force would depend on arrival",
    ),
    Plant(
        "a confirmation may come at once",
        _BREATH,
        "self.confirm_from <= found.reading.observed_at - at <= self.confirm_until",
        "0 <= found.reading.observed_at - at <= self.confirm_until",
        "mouth alcohol would confirm itself",
    ),
    Plant(
        "a test at the limit passes",
        _BREATH,
        '(result.reading.brac_g_210l or 0.0) >= self.limits["breath_g_210l"]',
        '(result.reading.brac_g_210l or 0.0) > self.limits["breath_g_210l"]',
        "the limit itself is forbidden",
    ),
    Plant(
        "a silent device is a missed test",
        _BREATH,
        "        if heard is not None:\n            self._add(part",
        "        if heard is not None or True:\n            heard = heard or self._heard_before(one.at, devices)[0]\n"
        "            self._add(part",
        "the device may still hold the result",
    ),
    Plant(
        "whatever came first counts",
        _RESULTS,
        "if _RANK.get(b.reading.result or \"\", _MISSED) == best))",
        "if b.received_at == min(a.received_at for a in group)))",
        "what is in force would depend on arrival",
    ),
    Plant(
        "hold counts from the second fix",
        _MACHINE,
        "max(chain[0].at, duty_from) + knobs.delay",
        "max(chain[-1].at, duty_from) + knobs.delay",
        "accuses later than the order says",
    ),
    Plant(
        "unsure breaks a chain",
        _SIGNALS,
        "    if sign == UNSURE:\n        return None\n    return Event(",
        "    if sign == UNSURE:\n        sign = strict = -1\n    return Event(",
        "a doubtful fix would speak for the participant",
    ),
    Plant(
        "a chain never goes stale",
        _MACHINE,
        "event.at - chain[-1].at > CHAIN_GAP",
        "False",
        "two fixes hours apart would confirm each other",
    ),
    Plant(
        "a gap ends a confirmed chain",
        _MACHINE,
        "if chain and due is None and",
        "if chain and",
        "silence would end what was confirmed",
    ),
    Plant(
        "one contrary fix ends a run",
        _MACHINE,
        "if len(run.closing) >= confirm:",
        "if len(run.closing) >= 1:",
        "one outlier would end an absence",
    ),
    Plant(
        "a contrary fix at due does not break",
        _MACHINE,
        "due is not None and event.at > due:",
        "due is not None and event.at >= due:",
        "accuses who was back in time",
    ),
    Plant(
        "a hold that ends with the stretch opens",
        _MACHINE,
        "elif due >= duty_until:",
        "elif due > duty_until + 3_600_000_000:",
        "a finding after duty was over",
    ),
    Plant(
        "level 3 by two weak fixes",
        _SIGNALS,
        "STRICT_FACTOR: Final = 3.0",
        "STRICT_FACTOR: Final = 1.0",
        "says surer than the receivers are",
    ),
    Plant(
        "wifi accuses",
        _SIGNALS,
        "sign, strict = min(sign, UNSURE), min(strict, UNSURE)",
        "pass",
        "a wifi position is wrong by kilometres at times",
    ),
    Plant(
        "unknown methods decide",
        _SIGNALS,
        'if reading.method != "gnss" and reading.method not in CONTRARY_ONLY:',
        "if False:",
        "nobody knows what they mean",
    ),
    Plant(
        "unknown accuracy is perfect",
        _LIMITS,
        "UNKNOWN_ACCURACY_M: Final = 50.0",
        "UNKNOWN_ACCURACY_M: Final = 1.0",
        "a receiver that says nothing would be believed most",
    ),
    Plant(
        "the last to arrive wins a conflict",
        _POSITIONS,
        "    best = min(map(_rank, group))\n",
        "    return max(group, key=lambda b: b.received_at)\n    best = min(map(_rank, group))\n",
        "what is in force would depend on arrival",
    ),
    Plant(
        "a tie is decided",
        _POSITIONS,
        "return chosen[0] if len(said) == 1 else None",
        "return chosen[0]",
        "a coin would be thrown over somebody's liberty",
    ),
    Plant(
        "the device bound first decides",
        _POSITIONS,
        "(-wearing.from_, wearing.device) < (-best.from_, best.device)",
        "(wearing.from_, wearing.device) < (best.from_, best.device)",
        "a device left in a drawer would speak for its wearer",
    ),
    Plant(
        "absence of a beacon accuses everybody",
        _SIGNALS,
        "elif len(named) == 1 and case.body.deciding(reading.observed_at) is None:",
        "elif len(named) == 1:",
        "the home unit would overrule the bracelet",
    ),
    Plant(
        "another's beacon counts",
        _POSITIONS,
        "return owner is None or owner.participant in (None, participant)",
        "return True",
        "a room-mate's bracelet would be an alibi",
    ),
    Plant(
        "state before a start never grows old",
        _CURFEW,
        "stretch.from_ - STATE_BEFORE_START, stretch.from_ - 1",
        "stretch.from_ - 4 * STATE_BEFORE_START, stretch.from_ - 1",
        "where somebody was hours ago would say how the curfew began",
    ),
    Plant(
        "absent without having been watched",
        _CURFEW,
        "if unobserved:",
        "if False:",
        "unknown time would be called absence",
    ),
    Plant(
        "touching windows are two",
        _SCHEDULE,
        "if out and begin <= out[-1][1]:",
        "if out and begin < out[-1][1]:",
        "an absence through midnight would be two short ones",
    ),
    Plant(
        "a doubled hour is its second",
        _SCHEDULE,
        "    local = naive.replace(tzinfo=tz)\n",
        "    local = naive.replace(tzinfo=tz, fold=1)\n",
        "one night a year duty would begin an hour late",
    ),
    Plant(
        "a missing hour is moved on",
        _SCHEDULE,
        "    return _after_gap(naive, tz)\n",
        "    return instant.from_datetime(utc)\n",
        "one night a year duty would begin late",
    ),
    Plant(
        "leave changes nothing",
        _ORDERS,
        "absences = (*piece.condition.leave, *piece.condition.suspensions)",
        "absences = (*piece.condition.suspensions,)",
        "somebody in hospital would be accused",
    ),
    Plant(
        "suspensions change nothing",
        _ORDERS,
        "absences = (*piece.condition.leave, *piece.condition.suspensions)",
        "absences = (*piece.condition.leave,)",
        "a suspended condition would accuse",
    ),
    Plant(
        "today's order judges yesterday",
        _VERSIONS,
        "entry.version > ruling.version:",
        "entry.version > ruling.version or True:",
        "an old version told late would rule",
    ),
    Plant(
        "a version told late only counts from now on",
        _EVALUATOR,
        ".text(from_, why)",
        ".text(max(from_, self.clock), why)",
        "a court's back-dated change would be ignored for what is past",
    ),
    Plant(
        "silence that a reading at due fills is found",
        _CONTACT,
        "following.at <= due",
        "following.at < due",
        "who reports just in time would be accused",
    ),
    Plant(
        "silence goes on through our own outage",
        _CONTACT,
        "if base < end and base + self.pace.every + self.pace.hold > begin:",
        "if False:",
        "our own failure would be everybody's",
    ),
    Plant(
        "four devices are an outage",
        _LIMITS,
        "OUTAGE_MIN_MEMBERS: Final = 5",
        "OUTAGE_MIN_MEMBERS: Final = 4",
        "a few people together could hide behind an outage",
    ),
    Plant(
        "an outage holds nobody",
        _CONTACT,
        "if last_at >= outage.last - self.pace.every and base < end:",
        "if False:",
        "a carrier's failure would be hundreds of findings",
    ),
    Plant(
        "an outage holds older silences too",
        _CONTACT,
        "if last_at >= outage.last - self.pace.every and base < end:",
        "if base < end:",
        "who vanished before it would be forgotten",
    ),
    Plant(
        "withdrawn findings are not remembered",
        _MATCHING,
        "book.withdrawn[last.onset] = last.finding_id",
        "pass",
        "the history of an accusation would be lost",
    ),
    Plant(
        "a merged finding names nobody",
        _MATCHING,
        "merged_into=heir,",
        "merged_into=None,",
        "an alert would hang on a finding that is gone",
    ),
    Plant(
        "timers at an arrival fire before it",
        _EVALUATOR,
        "written += self._fire(at, inclusive=False)",
        "written += self._fire(at, inclusive=True)",
        "what came in time would come too late",
    ),
    Plant(
        "timers before an arrival wait for it",
        _EVALUATOR,
        "written += self._fire(at, inclusive=False)",
        "pass",
        "findings would show hindsight",
    ),
    Plant(
        "readings of the future count at once",
        _EVALUATOR,
        "if bound.reading.observed_at > self.clock:",
        "if False:",
        "a wrong clock would decide before time",
    ),
    Plant(
        "old readings are ignored",
        _TRACK,
        "bound.received_at - HISTORY_DAYS * DAY",
        "bound.received_at - 3_600_000_000",
        "a docked bracelet's day would never be judged",
    ),
    Plant(
        "timers are lost in a restart",
        _STATE,
        "Hint(*condition.hint), condition.due,",
        "Hint(*condition.hint), None,",
        "what was about to be found never would be",
        "restarted",
    ),
    Plant(
        "readings of the future are lost in a restart",
        _STATE,
        "person.ahead = saved.floor, saved.last_heard, saved.ahead",
        "person.ahead = saved.floor, saved.last_heard, []",
        "acknowledged readings would vanish",
        "restarted",
    ),
    Plant(
        "findings are forgotten in a restart",
        _STATE,
        "return Book([Standing(*entry) for entry in saved.standing],",
        "return Book([],",
        "every finding would be told twice under another id",
        "restarted",
    ),
    Plant(
        "readings are not written before a snapshot",
        _TRACK,
        "fresh, self.fresh, self.noted = self.fresh, [], []",
        "fresh, self.fresh, self.noted = [], [], []",
        "a restart would lose what was acknowledged",
        "restarted",
    ),
    Plant(
        "an allowance counts absence too",
        _ACCUMULATED,
        '_COUNTED = ("curfew_late", "curfew_left")',
        '_COUNTED = ("curfew_late", "curfew_left", "curfew_absent")',
        "one night would be held against somebody twice",
    ),
    Plant(
        "a night's absence counts in the week it ends in",
        _ACCUMULATED,
        "total = sum(min(_end(i, case.clock), end) - max(i.onset, begin) for i in mine)",
        "total = sum(_end(i, case.clock) - i.onset for i in mine)",
        "an allowance would be used up by another week",
    ),
    Plant(
        "an allowance is looked at only when something is heard",
        _ACCUMULATED,
        "judged.fall_due(case.clock + allowance - total, case.clock)",
        "pass",
        "it would be told at the end of the night",
    ),
    Plant(
        "a gnss fix elsewhere does not break the time at an appointment",
        _ATTENDANCE,
        'if event.bound.reading.method == "gnss":',
        "if False:",
        "who looked in twice would have been there all the time",
    ),
    Plant(
        "an appointment is missed by whom nobody watched",
        _ATTENDANCE,
        "if away is None or gap >= needed:",
        "if away is None:",
        "unknown time would be called absence",
    ),
    Plant(
        "the last ten minutes of an appointment are five",
        _ATTENDANCE,
        "if there and window.until - there[-1].at <= ATTENDANCE_EDGE:",
        "if there and 2 * (window.until - there[-1].at) <= ATTENDANCE_EDGE:",
        "who came late would have missed it",
    ),
    Plant(
        "leave makes two appointments of one",
        _ATTENDANCE,
        "return term.off(end) is not None and any(",
        "return term.off(end) is None and any(",
        "who was allowed away in between would have to come twice",
    ),
)

NO_LANE = Plant(
    "nobody is ever in the lane",
    _LANE_ROWS,
    "    if person.ahead or",
    "    if person is not None or",
    "no fault: everything is judged in full, which is what the lane must be equal to",
)

NO_SKIMMING = Plant(
    "every reading is news about zones",
    "emon.evaluate.rules.zones",
    "        return moving\n",
    "        return bounds\n",
    "no fault: around every reading all is judged anew, which is what skimming must be equal to",
)

LANE_PLANTS = (
    Plant(
        "neighbours of a late fix are strangers",
        _LEDGER,
        "if at - fors[index - 1] <= CHAIN_GAP and not separated < at:",
        "if at < 0:",
        "who was inside twice in a row would not be found",
    ),
    Plant(
        "a fix that keeps two others apart may be contradicted in passing",
        _LEDGER,
        "return index < 0 or self.seps[index] != at",
        "return True",
        "what is in force would depend on arrival",
    ),
    Plant(
        "late contrary fixes pass through runs",
        _LEDGER,
        "return at <= end",
        "return False",
        "a late alibi would be ignored",
    ),
    Plant(
        "a chain that began in the lane is lost on leaving it",
        _LANE_ROWS,
        "condition.hint.chain_from = condition.ledger.chain",
        "condition.hint.chain_from = None",
        "the second fix would find no first one",
    ),
    Plant(
        "the lane believes every fix",
        _SORTING,
        "np.where(np.abs(best) > ACCURACY_FACTOR * accuracy, side, 0)",
        "np.where(np.abs(best) > 0 * accuracy, side, 0)",
        "a doubtful fix would speak for the participant",
    ),
    Plant(
        "one fix that confirms is a chain of its own",
        _SORTING,
        "ok[i] = slot.confirm >= 2 and ledger.supports(at)",
        "ok[i] = ledger.supports(at)",
        "where one fix is enough it would be overlooked",
    ),
)
