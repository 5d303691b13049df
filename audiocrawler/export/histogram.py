"""Numbers by their class in; a histogram as SVG, and the same in words, out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

LABEL_PX, BAR_PX, COUNT_PX, ROW_PX, THICK_PX = 130, 420, 90, 24, 16
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
    'role="img" font-family="system-ui, sans-serif" font-size="13">\n'
    "<title>{title}</title>\n"
    # readable on white and on black: a picture on a page does not know the page's own scheme
    "<style>text {{ fill: #767d86 }} rect {{ fill: #3f83d8 }}</style>\n"
)


@dataclass(slots=True)
class Histogram:
    """How many values are in each class; the first one is below the first bound."""

    title: str
    bounds: Sequence[float]
    unit: str
    found: Counter[int] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Count a value."""
        self.found[sum(value >= bound for bound in self.bounds)] += 1

    def rows(self) -> list[tuple[str, int]]:
        """Return the name and the number of each class from the first to the last that has any."""
        places = range(min(self.found), max(self.found) + 1) if self.found else range(0)
        return [(self._label(place), self.found[place]) for place in places]

    def _label(self, place: int) -> str:
        return f"from {self.bounds[place - 1]:g} {self.unit}" if place else f"below {self.bounds[0]:g} {self.unit}"

    def words(self) -> str:
        """Return it for those who do not see it."""
        return f"{self.title}: " + ", ".join(f"{label} {number:,}" for label, number in self.rows())

    def svg(self) -> str:
        """Return the picture: a bar a class, each with its number."""
        rows, largest = self.rows(), max(self.found.values(), default=1)
        size = {"width": LABEL_PX + BAR_PX + COUNT_PX, "height": ROW_PX * len(rows)}
        bars = [_bar(place, label, number, largest) for place, (label, number) in enumerate(rows)]
        return "".join([_HEAD.format(title=escape(self.title), **size), *bars, "</svg>\n"])


def _bar(place: int, label: str, number: int, largest: int) -> str:
    top = place * ROW_PX
    base, width = top + ROW_PX * 0.7, round(BAR_PX * number / largest, 1)
    return (
        f'<text x="{LABEL_PX - 8}" y="{base:g}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="{LABEL_PX}" y="{top + (ROW_PX - THICK_PX) // 2}" width="{width:g}" height="{THICK_PX}"/>'
        f'<text x="{LABEL_PX + width + 6:g}" y="{base:g}">{number:,}</text>\n'
    )
