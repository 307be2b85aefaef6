"""What simulated vendors send is understood by the real adapters, and means what was measured."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from emon.domain.reading import Reading
from emon.ingest.vendors import adapter
from simulators.devices import Emission
from simulators.wire import Encoder
from simulators.world import FEEDS, Feed, build

COMPARED = ("device", "kind", "lat", "lon", "accuracy_m", "present", "beacon", "test_id", "result", "panel",
            "battery_fraction")


@pytest.fixture(scope="module")
def emissions() -> list[Emission]:
    return build(31).source().until(3_600)


def _understood(feed: Feed, sent: list[Emission]) -> list[Reading]:
    readings: list[Reading] = []
    for body in Encoder(feed.adapter).bodies(sent):
        slices = adapter(feed.adapter).understand(body.content, body.content_type, feed.settings)
        assert not [piece.fault for piece in slices if piece.fault], body.content[:300]
        readings += [reading for piece in slices for reading in piece.readings]
    return readings


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.id)
def test_every_vendor_is_understood(feed: Feed, emissions: list[Emission]) -> None:
    """Every reading arrives with its device, instant and values; nothing is rejected."""
    sent = [e for e in emissions if e.feed == feed.id]
    assert sent
    told = {(r.device, r.observed_at, r.kind): r for r in _understood(feed, sent)
            if r.event not in ("battery", "heartbeat")}
    for emission in sent:
        measured: dict[str, Any] = emission.reading
        if measured["kind"] == "status":
            continue
        seconds = measured["observed_at"] // 1_000_000 * 1_000_000 if feed.adapter == "owntracks" else None
        reading = told[measured["device"], seconds or measured["observed_at"], measured["kind"]]
        for name in COMPARED:
            if name in measured:
                tolerance = 0.51 if name == "accuracy_m" else 0
                assert getattr(reading, name) == pytest.approx(measured[name], abs=tolerance), name


def test_only_real_gnss_fixes_arrive_as_gnss(emissions: list[Emission]) -> None:
    """Traccar's approximate positions are network fixes; OwnTracks phones have GPS only, as the feed says."""
    for feed in FEEDS:
        sent = [e for e in emissions if e.feed == feed.id and e.reading["kind"] == "position"]
        gnss = sum(e.reading["method"] == "gnss" for e in sent)
        assert sum(r.method == "gnss" for r in _understood(feed, sent) if r.kind == "position") == gnss


def test_a_traccar_device_without_gps_is_heard_and_not_located(emissions: list[Emission]) -> None:
    """A heartbeat repeats the old fix under a new time: no position comes of it."""
    feed = next(f for f in FEEDS if f.adapter == "traccar")
    sent = [e for e in emissions if e.feed == feed.id]
    kinds = Counter(e.reading["kind"] for e in sent)
    understood = Counter(r.kind for r in _understood(feed, sent))
    assert understood["position"] == kinds["position"]
    assert understood["status"] >= kinds["status"] > 0
