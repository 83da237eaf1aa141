"""The demo: a made-up hospital's drop, with the answer key of what must never be published from it."""

from veil.demo.generate import generate
from veil.demo.truth import GroundTruth, Planted

__all__ = ["GroundTruth", "Planted", "generate"]
