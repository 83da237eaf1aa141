"""How much of what identifies people is found, measured against texts that somebody has labelled."""

from .gold import Document, GoldSpan, read_gold
from .scores import Scores, score

__all__ = ["Document", "GoldSpan", "Scores", "read_gold", "score"]
