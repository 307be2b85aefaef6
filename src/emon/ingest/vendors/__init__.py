"""Vendors' adapters: one file and one line each."""

from __future__ import annotations

from typing import Final

from emon.domain.errors import Fault
from emon.ingest.adapter import Adapter
from emon.ingest.vendors.csv_export import CsvExport
from emon.ingest.vendors.native import Native
from emon.ingest.vendors.owntracks import OwnTracks
from emon.ingest.vendors.traccar import Traccar

VENDORS: Final[tuple[Adapter, ...]] = (Native(), Traccar(), OwnTracks(), CsvExport())


def adapter(name: str) -> Adapter:
    """The adapter of that name. Raises Fault `unknown_adapter`."""
    for vendor in VENDORS:
        if vendor.name == name:
            return vendor
    known = ", ".join(vendor.name for vendor in VENDORS)
    raise Fault("unknown_adapter", f"there is no adapter {name!r}; known are {known}")
