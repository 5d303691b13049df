"""What the browser has brought so far, per site, kind of URL and signal: what does not pay is tried ever more rarely.

The first pages of a pattern are rendered. While none of them gains anything, one page of the next 2, 4, 8 ... is, and
at least one of MAX_GAP for ever. Pages that are left out wait, and are rendered after all as soon as one of their
pattern gains something.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

Waiting = TypeVar("Waiting")

FIRST_PAGES = 4
"""Pages of a new pattern that are rendered before it has to pay."""
FIRST_PAGES_IF_PROVEN = 16
"""Pages in a row without gain that a pattern may have which has gained before."""
MAX_GAP = 512
MAX_PATTERNS = 20_000
MAX_WAITING = 1_000
"""Pages of one pattern that wait for its first gain."""
_DIGITS = re.compile(r"\d+")
_SLUG = re.compile(r"[\d_\-.%]|.{16}")


@dataclass(slots=True)
class _Record(Generic[Waiting]):
    """What is known of a pattern; ``barren`` counts pages in a row without gain."""

    barren: int = 0
    under_way: int = 0
    left_out: int = 0
    has_gained: bool = False
    waiting: deque[Waiting] = field(default_factory=lambda: deque(maxlen=MAX_WAITING))


class Learning(Generic[Waiting]):
    """Decides which pages go to the browser. Deterministic, in memory, bounded."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record[Waiting]] = OrderedDict()

    def wants(self, pattern: str, page: Waiting) -> bool:
        """Return whether a page of this pattern is rendered now; if not, ``page`` waits for a gain."""
        record = self._record(pattern)
        if self._is_due(record):
            record.under_way += 1
            record.left_out = 0
            return True
        record.left_out += 1
        record.waiting.append(page)
        return False

    def note(self, pattern: str, *, gained: bool) -> Iterator[Waiting]:
        """Remember what a rendered page has brought; yield the pages that are to be rendered after all."""
        record = self._record(pattern)
        record.under_way = max(0, record.under_way - 1)
        if not gained:
            record.barren += 1
            return
        record.barren, record.has_gained = 0, True
        while record.waiting:
            record.under_way += 1
            yield record.waiting.popleft()

    def _is_due(self, record: _Record[Waiting]) -> bool:
        if record.has_gained:
            over = record.barren - FIRST_PAGES_IF_PROVEN
        else:
            over = record.barren + record.under_way - FIRST_PAGES  # those under way may bring nothing either
        if over < 0:
            return True
        return record.under_way == 0 and record.left_out + 1 >= min(MAX_GAP, 2 ** min(over + 1, 16))

    def _record(self, pattern: str) -> _Record[Waiting]:
        record = self._records.setdefault(pattern, _Record())
        self._records.move_to_end(pattern)
        if len(self._records) > MAX_PATTERNS:
            self._records.popitem(last=False)
        return record


def pattern_of(url: str) -> str:
    """Return what URLs of one template have in common: host, path without names and numbers, parameters."""
    parts = urlsplit(url)
    *folders, last = parts.path.rstrip("/").split("/")
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    path = "/".join([*(_DIGITS.sub("0", folder) for folder in folders), "*" if _SLUG.search(last) else last])
    route = "#" if parts.fragment else ""
    return f"{parts.netloc}{path}?{'&'.join(names)}{route}"
