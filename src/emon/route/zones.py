"""Which partitions must know a zone: those of the orders that name it. Pure.

Geometry is most of what versions weigh, and nearly every zone is one person's. A neutral zone gives places a name
in anybody's evidence and concerns all. Whoever comes to need a zone later is told all its versions then: until
somebody's order names it, a zone says nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import msgspec

from emon.domain.order import Order
from emon.journal.records import ZoneVersion

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ZoneVersion).decode


class Missing(NamedTuple):
    """A zone version that these partitions lack so far."""

    zone: ZoneVersion
    partitions: Sequence[int]


class ZonePartitions:
    """All zone versions, as bytes: of geometry taken apart a large authority's would fill the memory."""

    def __init__(self, partitions: int) -> None:
        self._everywhere = frozenset(range(partitions))
        self._versions: dict[str, dict[int, bytes]] = {}
        self._known_in: dict[str, frozenset[int]] = {}

    def concerned(self, zone: str) -> Collection[int]:
        """Partitions that must know the zone."""
        return self._known_in.get(zone, frozenset())

    def add(self, version: ZoneVersion) -> list[Missing]:
        """Takes a version in; the zone's other versions that some partition lacks from now on."""
        zone = version.zone
        missing = self._concern(zone.id, self._everywhere) if zone.kind == "neutral" else []
        if self.concerned(zone.id) != self._everywhere:
            self._versions.setdefault(zone.id, {})[zone.version] = _encode(version)
        return missing

    def name(self, order: Order, partition: int) -> list[Missing]:
        """An order version of a partition's participant: zone versions that the partition lacks from now on."""
        named = dict.fromkeys(c.zone for c in order.conditions if c.zone is not None)
        return [each for zone in named for each in self._concern(zone, {partition})]

    def _concern(self, zone: str, partitions: Iterable[int]) -> list[Missing]:
        known = self._known_in.get(zone, frozenset())
        lacking = sorted(set(partitions) - known)
        if not lacking:
            return []
        versions = sorted(self._versions.get(zone, {}).items())
        self._known_in[zone] = known.union(lacking)
        if self._known_in[zone] == self._everywhere:
            self._known_in[zone] = self._everywhere  # one for all zones
            self._versions.pop(zone, None)  # nobody will ever lack them
        return [Missing(_decode(version), lacking) for _, version in versions]
