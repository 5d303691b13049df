"""What one look came to."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether a crawl can go on with what was looked at."""

    OK = "ok"
    MISSING = "missing"
    """A crawl does without."""
    BROKEN = "broken"
    """It must be mended first."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and the command or deed that mends it."""

    name: str
    state: State
    found: str
    remedy: str = ""

    def line(self) -> str:
        """Return the line that is printed."""
        return f"{self.state:<8} {self.name:<11} {self.found}" + (f": {self.remedy}" if self.remedy else "")


def ok(name: str, found: str) -> Check:
    """Return that all is well."""
    return Check(name, State.OK, found)


def missing(name: str, found: str, remedy: str = "") -> Check:
    """Return that something is not there which a crawl can do without."""
    return Check(name, State.MISSING, found, remedy)


def broken(name: str, found: str, remedy: str = "") -> Check:
    """Return that something must be mended."""
    return Check(name, State.BROKEN, found, remedy)
