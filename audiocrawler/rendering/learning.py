"""What the browser has brought so far, per site, kind of URL and signals: what does not pay is tried ever more rarely.

The first pages of a pattern are rendered, and the others wait for what they bring. While none gains anything, one page
of the next 2, 4, 8 ... is tried, and at least one of MAX_GAP for ever. As soon as one gains something, all that were
left out are rendered after all.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

Page = TypeVar("Page")

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


def _bounded() -> deque[Page]:
    return deque(maxlen=MAX_WAITING)


@dataclass(slots=True)
class _Record(Generic[Page]):
    """What is known of a pattern; ``barren`` counts pages in a row without gain, ``passed`` those left out since."""

    barren: int = 0
    under_way: int = 0
    passed: int = 0
    has_gained: bool = False
    undecided: deque[Page] = field(default_factory=_bounded)
    left_out: deque[Page] = field(default_factory=_bounded)


class Learning(Generic[Page]):
    """Decides which pages go to the browser. Deterministic, in memory, bounded."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record[Page]] = OrderedDict()

    def offer(self, pattern: str, page: Page) -> Iterator[Page]:
        """Yield the pages that are to be rendered now; ``page`` may come later, from here or from ``note``."""
        record = self._record(pattern)
        if self._is_free(record):
            record.under_way += 1
            yield page
            return
        record.undecided.append(page)
        yield from self._due(record)

    def withdraw(self, pattern: str) -> None:
        """Note that nothing will be heard of a page that was to be rendered."""
        record = self._record(pattern)
        record.under_way = max(0, record.under_way - 1)

    def note(self, pattern: str, *, gained: bool) -> Iterator[Page]:
        """Remember what a rendered page has brought; yield the pages that are to be rendered now."""
        record = self._record(pattern)
        record.under_way = max(0, record.under_way - 1)
        if not gained:
            record.barren += 1
            yield from self._due(record)
            return
        record.barren, record.passed, record.has_gained = 0, 0, True
        waiting = [*record.left_out, *record.undecided]
        record.left_out.clear()
        record.undecided.clear()
        record.under_way += len(waiting)
        yield from waiting

    def _is_free(self, record: _Record[Page]) -> bool:
        if record.has_gained:
            return record.barren < FIRST_PAGES_IF_PROVEN
        return record.barren + record.under_way < FIRST_PAGES  # those under way may bring nothing either

    def _due(self, record: _Record[Page]) -> Iterator[Page]:
        """Decide on the pages that wait, in their order, until one is due; one that is under way is waited for."""
        while record.undecided and not record.under_way:
            page = record.undecided.popleft()
            record.passed += 1
            if record.passed >= self._gap(record):
                record.passed = 0
                record.under_way += 1
                yield page
            else:
                record.left_out.append(page)

    def _gap(self, record: _Record[Page]) -> int:
        over = record.barren - (FIRST_PAGES_IF_PROVEN if record.has_gained else FIRST_PAGES)
        return int(min(MAX_GAP, 2 ** min(over + 1, 16)))

    def _record(self, pattern: str) -> _Record[Page]:
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
