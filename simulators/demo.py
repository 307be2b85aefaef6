"""What `emon demo` needs of the simulators, in one place."""

from __future__ import annotations

from simulators.fleet import Fleet, Progress
from simulators.score import Score, score
from simulators.truth import Truth, establish
from simulators.world import FEEDS, Feed, World, build, default_start

SPEED = 60.0
"""Simulated seconds a real one: what is scripted for an evening's first forty minutes is decided within 45 real
seconds."""

__all__ = ["FEEDS", "SPEED", "Feed", "Fleet", "Progress", "Score", "Truth", "World", "build", "default_start",
           "establish", "score"]
