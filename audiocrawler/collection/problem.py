"""What is wrong, case by case, in; how often that is and the first cases by name out."""

from dataclasses import dataclass, field

SHOWN = 20
"""Cases that are named; the others are counted."""


@dataclass(slots=True)
class Problem:
    """Something that is wrong: what it is called, in how many cases, and a line for each of the first of them."""

    name: str
    number: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """Count a case, and keep its line if it is one of the first."""
        self.number += 1
        if len(self.lines) < SHOWN:
            self.lines.append(line)

    def text(self) -> str:
        """Return a heading with the number, and the lines below it."""
        more = [f"and {self.number - len(self.lines)} more"] if self.number > len(self.lines) else []
        return "\n  ".join([f"{self.name}: {self.number}", *self.lines, *more])
