"""Devices: from a participant's true path to what is measured, kept, and sent when.

Deterministic by (seed, device) and independent of the wall clock; made in chunks of `CHUNK_S` so that a demo
may run for days without holding them. A reading is observed in its chunk and sent no earlier than observed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from simulators import noise
from simulators.city import canyon
from simulators.ground import Floats, to_degrees
from simulators.plan import BEGIN_S, CHUNKS_BACK_S, Device, Plan

CHUNK_S: Final = CHUNKS_BACK_S
STEP_S: Final = 15.0  # cadence in violation: vendors fix every 15 s
MOVING_EVERY: Final = 4  # once a minute while tracked
RESTING_EVERY: Final = 12  # every three minutes at rest at home; contact conditions of ten minutes still hold
REST_AFTER_S: Final = 120.0
CHARGE_S: Final = 300.0  # how often a device tells a charge that is no ordinary one
PRESENCE_S: Final = 120.0
HEARTBEAT_S: Final = 300.0
BATTERY_S: Final = 1_800.0
TRANSDERMAL_S: Final = 1_840.0  # real median of 30.67 min
TAC_BASELINE_NOISE: Final = 0.002  # g/dL; below 0.005 devices print nothing
TAC_NOISE: Final = 0.0015
BREATH_S: Final = 3 * 3_600.0
LABORATORY_S: Final = 6 * 3_600.0
DUPLICATE_RATE: Final = 0.01
REORDER_RATE: Final = 0.02
REORDER_S: Final = (5.0, 40.0)
STALE_RATE: Final = 0.002  # a fix that repeats the one before, with a new time
LATENCY_S: Final = (0.4, 2.5)  # network and vendor
BEACON_REACH_M: Final = 60.0  # a home unit hears the bracelet so far

Record = dict[str, Any]


class Emission(NamedTuple):
    """A reading on its way: seconds after the start when it is sent, and when it was observed (true time)."""

    send_s: float
    observed_s: float
    participant: int
    feed: str
    reading: Record  # native, without received_at


class Emitter:
    """One device of one participant."""

    def __init__(self, seed: int, start_us: int, plan: Plan, device: Device) -> None:
        self._rng = np.random.default_rng([seed, zlib.crc32(device.id.encode())])
        self._start_us, self._plan, self._device = start_us, plan, device
        self._carry = noise.start(self._rng, BEGIN_S)
        self._phase_s = float(self._rng.integers(0, int(BATTERY_S)))  # no two report in step
        self._battery = float(self._rng.uniform(0.6, 0.98))
        self._seq = 0
        self._last_fix_s = BEGIN_S
        self._moving = False

    def chunk(self, from_s: float) -> list[Emission]:
        """What is observed in [from_s, from_s + CHUNK_S); chunks must be asked for in order."""
        if from_s < self._device.history_from_s:
            return []
        match self._device.sends:
            case "fixes":
                records = list(self._fixes(from_s))
                if self._device.tells_status:
                    records += [*self._status(from_s), *self._events(from_s)]
            case "presence":
                records = list(self._presence(from_s))
            case "transdermal":
                records = list(self._transdermal(from_s))
            case "breath":
                records = list(self._breath(from_s))
            case _:
                records = list(self._laboratory(from_s))
        records.sort(key=lambda pair: pair[0])
        said = [(t, record) for t, record in records if self._tracked(t)]
        said += self._events(from_s, unworn=True)
        return [e for t, record in said for e in self._sent(t, record)]

    def _every(self, from_s: float, period_s: float) -> Floats:
        first = np.ceil((from_s - self._phase_s) / period_s) * period_s + self._phase_s
        return np.arange(first, from_s + CHUNK_S, period_s)

    def _tracked(self, t: float) -> bool:
        device = self._device
        begun = device.from_s is None or t >= device.from_s
        ended = device.until_s is not None and t >= device.until_s
        return begun and not ended and self._plan.faulty("silent", t, device.role) is None

    def _fixes(self, from_s: float) -> Iterator[tuple[float, Record]]:
        plan = self._plan
        t = self._every(from_s, STEP_S)
        t = t[self._due(t)]
        t = np.array([v for v in t.tolist() if plan.faulty("no_gps", v) is None and self._tracked(v)])
        if not len(t):
            return
        x, y = plan.at(t)
        fixes = noise.observe(self._rng, t, x, y, carry=self._carry, indoors=plan.indoors(t),
                              canyon=canyon(x, y), drifting=plan.drifting, spikes=plan.spikes,
                              networked=plan.network)
        gap = np.diff(t, prepend=self._last_fix_s)
        self._carry, self._last_fix_s = fixes.carry, float(t[-1])
        claim = np.where(gap > 10 * 60, noise.COLD_START_CLAIM_M, fixes.accuracy_m)
        stale = (self._rng.random(len(t)) < STALE_RATE) & plan.spikes & ~fixes.network
        stale[1:] &= ~stale[:-1]
        stale[0] = False
        fx, fy = fixes.x.copy(), fixes.y.copy()
        fx[1:], fy[1:] = np.where(stale[1:], fx[:-1], fx[1:]), np.where(stale[1:], fy[:-1], fy[1:])
        speed = np.hypot(*(np.subtract(b, a) for a, b in zip(plan.at(t - 5), (x, y), strict=True))) / 5
        for i, at_s in enumerate(t.tolist()):
            lat, lon = to_degrees(float(fx[i]), float(fy[i]))
            record: Record = {"kind": "position", "lat": lat, "lon": lon, "accuracy_m": float(claim[i]),
                              "method": "gnss", "speed_mps": round(float(speed[i]), 1)}
            if fixes.network[i]:
                record["method"] = "cell" if claim[i] > 200 else "wifi"
                del record["speed_mps"]
            else:
                record["satellites"] = int(np.clip(14 - claim[i] / 6, 4, 14))
            yield at_s, record

    def _due(self, t: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which steps bring a fix: all in a forbidden zone, each minute while out or moving, else rarely."""
        x, y = self._plan.at(t)
        before_x, before_y = self._plan.at(t - REST_AFTER_S)
        home = np.hypot(x - self._plan.home[0], y - self._plan.home[1]) < self._plan.home_radius_m
        moving = (np.hypot(x - before_x, y - before_y) > 5) | ~home
        number = np.round((t - self._phase_s) / STEP_S).astype(int)
        due: np.ndarray[Any, np.dtype[np.bool_]] = np.where(moving | self._plan.tracked, number % MOVING_EVERY == 0,
                                                            number % RESTING_EVERY == 0)
        return due | self._in_violation(x, y)

    def _in_violation(self, x: Floats, y: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        inside = np.zeros(len(x), dtype=bool)
        for shape in self._plan.exclusions.values():
            west, south, east, north = shape.bounds
            near = (x > west) & (x < east) & (y > south) & (y < north)
            if near.any():
                inside[near] |= shapely.contains_xy(shape, x[near], y[near])
        return inside

    def _status(self, from_s: float) -> Iterator[tuple[float, Record]]:
        for at_s in self._every(from_s, HEARTBEAT_S).tolist():
            yield at_s + 2, {"kind": "status", "event": "heartbeat"}
        for at_s in self._every(from_s, CHARGE_S if self._plan.charge else BATTERY_S).tolist():
            yield at_s + 4, {"kind": "status", "event": "battery", "battery_fraction": self._charge(at_s)}
        t = self._every(from_s, 60.0)
        x, y = self._plan.at(t)
        before_x, before_y = self._plan.at(t - 60)
        moves = np.hypot(x - before_x, y - before_y) > 20
        for at_s, moving in zip(t.tolist(), moves.tolist(), strict=True):
            if moving != self._moving:
                self._moving = moving
                yield at_s + 6, {"kind": "status", "event": "motion_start" if moving else "motion_stop"}

    def _charge(self, at_s: float) -> float:
        if self._plan.charge:
            times, levels = zip(*self._plan.charge, strict=True)
            return round(float(np.interp(at_s, times, levels)), 2)
        return round(max(0.35, self._battery - 0.5 * (at_s % 86_400 / 86_400)), 2)

    def _events(self, from_s: float, *, unworn: bool = False) -> Iterator[tuple[float, Record]]:
        """What the device on the leg reports; `unworn`: what this one does wherever it is."""
        for event in self._plan.events:
            mine = event.device == self._device.id if unworn else event.device is None
            if mine and from_s <= event.at_s < from_s + CHUNK_S:
                yield event.at_s, {"kind": "status", "event": event.event}

    def _presence(self, from_s: float) -> Iterator[tuple[float, Record]]:
        plan = self._plan
        t = self._every(from_s, PRESENCE_S)
        x, y = plan.at(t)
        away = np.hypot(x - plan.home[0], y - plan.home[1])
        for at_s, metres in zip(t.tolist(), away.tolist(), strict=True):
            record: Record = {"kind": "presence", "present": metres < BEACON_REACH_M}
            if self._device.beacon:
                record["beacon"] = self._device.beacon
            yield at_s, record

    def _transdermal(self, from_s: float) -> Iterator[tuple[float, Record]]:
        for at_s in self._every(from_s, TRANSDERMAL_S).tolist():
            alcohol = max((e.at(at_s) for e in self._plan.exposures), default=0.0)
            noise = TAC_NOISE if alcohol > 0.01 else TAC_BASELINE_NOISE
            tac = round(float(max(0.0, self._rng.normal(alcohol, noise))), 3)
            yield at_s, {"kind": "alcohol_transdermal", "sensor_family": "scram",
                         "tac_g_dl": tac if tac >= 0.005 else 0.0,
                         "skin_temperature_c": round(float(self._rng.normal(33.0, 0.4)), 1),
                         "ir_v": round(float(self._rng.normal(1.24, 0.01)), 2)}

    def _breath(self, from_s: float) -> Iterator[tuple[float, Record]]:
        for at_s in self._every(from_s, HEARTBEAT_S).tolist():
            yield at_s, {"kind": "status", "event": "heartbeat"}
        yield from self._tests(from_s, "alcohol_breath", BREATH_S, {
            "brac_g_210l": 0.0, "purpose": "random", "result": "ok", "face": "match"})

    def _laboratory(self, from_s: float) -> Iterator[tuple[float, Record]]:
        return self._tests(from_s, "lab_result", LABORATORY_S, {"panel": "5-drug", "result": "negative"})

    def _tests(self, from_s: float, kind: str, period_s: float, clean: Record) -> Iterator[tuple[float, Record]]:
        """The scripted tests, and clean ones at intervals where they are not all there is."""
        told = [(test.at_s, test.told) for test in self._plan.tests
                if test.sends == self._device.sends and from_s <= test.at_s < from_s + CHUNK_S]
        if self._plan.routine:
            told += [(at_s, clean) for at_s in self._every(from_s, period_s).tolist()]
        for at_s, fields in told:
            yield at_s, {"kind": kind, "test_id": f"{self._device.id}-{int(at_s - BEGIN_S)}", **fields}

    def _sent(self, t: float, record: Record) -> Iterator[Emission]:
        device, rng = self._device, self._rng
        self._seq += 1
        observed_us = self._start_us + round((t + device.clock_drift_s) * 1_000_000)
        reading = {"v": 1, "device": device.id, "seq": self._seq, "observed_at": observed_us, **record}
        if device.carrier:
            reading["carrier"] = device.carrier
        send = t
        if device.upload_s:
            send = np.ceil((t - self._phase_s) / device.upload_s) * device.upload_s + self._phase_s
        stored = self._plan.faulty("stored", t, device.role)
        send = float(max(send, t if stored is None else stored.to_s)) + float(rng.uniform(*LATENCY_S))
        if rng.random() < REORDER_RATE:
            send += float(rng.uniform(*REORDER_S))
        if stored is not None and send > stored.to_s:
            send = stored.to_s + LATENCY_S[1]  # what was kept is one upload
        yield Emission(send, t, self._plan.index, device.feed, reading)
        if rng.random() < DUPLICATE_RATE:
            yield Emission(send + float(rng.uniform(*REORDER_S)), t, self._plan.index, device.feed, reading)


class Source:
    """All devices of a world, chunk by chunk."""

    def __init__(self, seed: int, start_us: int, plans: tuple[Plan, ...],
                 outages: dict[str, tuple[tuple[float, float], ...]]) -> None:
        self._emitters = [Emitter(seed, start_us, plan, device) for plan in plans for device in plan.devices]
        self._outages = outages
        self.next_s = min([BEGIN_S, *(device.history_from_s for plan in plans for device in plan.devices)])

    def chunk(self) -> list[Emission]:
        """What is observed in the next `CHUNK_S` seconds, by sending time."""
        found = [e for emitter in self._emitters for e in emitter.chunk(self.next_s)
                 if not self._lost(e)]
        self.next_s += CHUNK_S
        found.sort(key=lambda e: e.send_s)
        return found

    def until(self, until_s: float) -> list[Emission]:
        """All that is observed before the chunk border after `until_s`, by sending time."""
        found: list[Emission] = []
        while self.next_s < until_s:
            found += self.chunk()
        found.sort(key=lambda e: e.send_s)
        return found

    def _lost(self, e: Emission) -> bool:
        return any(from_s <= e.observed_s < to_s for from_s, to_s in self._outages.get(e.feed, ()))
