"""Rules by condition kind: a kind is one file and one line here. Kinds without a rule are not judged."""

from __future__ import annotations

from typing import Final

from emon.evaluate.rules.alcohol import Alcohol
from emon.evaluate.rules.attendance import Attendance
from emon.evaluate.rules.charging import Charging
from emon.evaluate.rules.contact import Contact
from emon.evaluate.rules.crossing import Crossing
from emon.evaluate.rules.curfew import Curfew
from emon.evaluate.rules.integrity import Integrity
from emon.evaluate.rules.keep_away import KeepAway
from emon.evaluate.rules.laboratory import Laboratory
from emon.evaluate.rules.motion import Motion
from emon.evaluate.rules.protected import ProtectedBattery, ProtectedContact
from emon.evaluate.rules.zones import Zones
from emon.evaluate.verdict import Accompanied, Reaching, Rule, Skimming

KEEP_AWAY: Final = KeepAway()

RULES: Final[tuple[Rule, ...]] = (
    Zones(),
    Crossing(),
    Curfew(),
    Contact(),
    Alcohol(),
    Laboratory(),
    Attendance(),
    Integrity(),
    Motion(),
    Charging(),
    KEEP_AWAY,
    ProtectedContact(),
    ProtectedBattery(),
)

RULE_OF_KIND: Final[dict[str, Rule]] = {kind: rule for rule in RULES for kind in rule.kinds}

SKIMMING_OF_KIND: Final[dict[str, Skimming]] = {
    kind: rule for rule in (Zones(), Curfew(), Contact()) for kind in rule.kinds}

REACHING_OF_KIND: Final[dict[str, Reaching]] = {
    "zone_crossing": Crossing(),
    "alcohol": Alcohol(),
    "substance_testing": Laboratory(),
    "device_integrity": Integrity(),
    "motion_without_fix": Motion(),
    "charging_missed": Charging(),
    "keep_away": KEEP_AWAY,
    "protected_contact": ProtectedContact(),
    "protected_battery": ProtectedBattery(),
}

ACCOMPANIED_OF_KIND: Final[dict[str, Accompanied]] = {
    kind: rule for rule in (KEEP_AWAY, ProtectedContact(), ProtectedBattery()) for kind in rule.kinds}
