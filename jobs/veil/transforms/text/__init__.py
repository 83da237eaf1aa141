"""Clinical notes: find what identifies somebody, and replace it."""

from .engine import TextEngine
from .language import language
from .redact import redact

__all__ = ["TextEngine", "language", "redact"]
