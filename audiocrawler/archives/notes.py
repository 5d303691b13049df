"""What is noted while an archive is unpacked, in a database on disk: a corpus may have millions of transcripts."""

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from audiocrawler.archives.layouts import MAX_TEXT_LENGTH

_BATCH_ROWS = 1000


class Notes:
    """The transcripts by the stem of their member, and how often each name was met. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.unlink(missing_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE texts (stem TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID")
        self._database.execute("CREATE TABLE names (name TEXT PRIMARY KEY, times INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add_texts(self, texts: Iterable[tuple[str, str]]) -> None:
        """Keep the transcripts; the first of a stem counts."""
        rows = ((_key(stem), _key(text)[:MAX_TEXT_LENGTH]) for stem, text in texts)
        while batch := list(islice(rows, _BATCH_ROWS)):
            self._database.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", batch)

    def text_of(self, stem: str) -> str | None:
        """Return the transcript of a member, None if there is none."""
        row = self._database.execute("SELECT text FROM texts WHERE stem = ?", (_key(stem),)).fetchone()
        return row[0] if row else None

    def times(self, name: str) -> int:
        """Note a name, and return how often it was met by now."""
        add = "INSERT INTO names VALUES (?, 1) ON CONFLICT DO UPDATE SET times = times + 1 RETURNING times"
        return int(self._database.execute(add, (_key(name),)).fetchone()[0])

    def close(self) -> None:
        """Forget all."""
        self._database.close()
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _key(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
