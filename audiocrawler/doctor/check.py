"""The result of one check."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether a crawl can start with it."""

    OK = "ok"
    MISSING = "missing"
    """Optional."""
    BROKEN = "broken"
    """To be repaired before a crawl."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, what was found, and what to do about it, a command if possible."""

    name: str
    state: State
    found: str
    remedy: str = ""

    def line(self) -> str:
        """Return the line to print."""
        return f"{self.state:<8} {self.name:<11} {self.found}" + (f": {self.remedy}" if self.remedy else "")


def ok(name: str, found: str) -> Check:
    """Return a passed check."""
    return Check(name, State.OK, found)


def missing(name: str, found: str, remedy: str = "") -> Check:
    """Return that something optional is missing."""
    return Check(name, State.MISSING, found, remedy)


def broken(name: str, found: str, remedy: str = "") -> Check:
    """Return that something must be repaired first."""
    return Check(name, State.BROKEN, found, remedy)
