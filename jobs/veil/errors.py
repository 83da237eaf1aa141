"""Errors that reach a person: what went wrong, and what to do about it."""

from __future__ import annotations


class VeilError(Exception):
    """Something a person can mend. Its text never holds a value from the data.

    Parameters
    ----------
    problem
        What is wrong, in one line.
    fix
        What to do about it, in one line.
    """

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem}. {fix}".strip() if fix else problem)
        self.problem = problem
        self.fix = fix


class Refused(VeilError):
    """A decision, not an accident: trying again without a change gives the same answer."""


class Nothing(VeilError):
    """There is nothing to do, which is no failure."""
