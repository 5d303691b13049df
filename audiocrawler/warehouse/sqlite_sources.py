"""Read the sources of a file in SQLite, and recompute their statuses.

In SQL, because one file may have tens of thousands of sources: a jingle, a placeholder, URLs with session ids.
"""

import sqlite3

from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status, Trait, quoted

_STATED = """
    SELECT min(source_url) AS source_url, '' AS status, title, artist, license, license_url, license_found_in
    FROM audio_sources WHERE sha256 = ? GROUP BY title, artist, license, license_url, license_found_in
"""

_SMALLEST = f"""
    SELECT min(source_url) FROM audio_sources WHERE sha256 = ? AND status IN ({quoted(Trait.STORED)})
"""  # noqa: S608 - statuses, no values

_SETTLE = f"""
    UPDATE audio_sources SET status = :status,
        reason = CASE WHEN :status = '{Status.STORED}' AND reason NOT LIKE 'the same bytes as %'
            THEN reason ELSE :reason END,
        last_status = CASE WHEN last_status IN ({quoted(Trait.RANKED)}) THEN :status ELSE last_status END
    WHERE sha256 = :sha256
        AND status IN ({quoted(Trait.RANKED)})
        AND (source_url = :smallest) = (:status = '{Status.STORED}')
        AND (status <> :status OR reason IS NOT :reason OR last_status IN ({quoted(Trait.RANKED)}))
        AND (status <> :status OR reason IS NOT :reason OR last_status <> :status)
"""  # noqa: S608 - the same

_LEAVE = f"""
    UPDATE audio_metadata SET (source_url, page_url, found_by) = (
        SELECT source_url, page_url, found_by FROM audio_sources WHERE sha256 = :sha256 ORDER BY source_url LIMIT 1)
    WHERE sha256 = :sha256
        AND EXISTS (
            SELECT * FROM audio_sources AS named
            WHERE named.source_url = audio_metadata.source_url AND named.status = '{Status.TAKEN_DOWN}')
        AND EXISTS (SELECT * FROM audio_sources WHERE sha256 = :sha256)
"""  # noqa: S608 - the same


def replace_taken_down_source(connection: sqlite3.Connection, sha256: str) -> None:
    """Set a file's source to the smallest other one if the current one was taken down."""
    connection.execute(_LEAVE, {"sha256": sha256})


def stated_by_sources(connection: sqlite3.Connection, sha256: str) -> list[AudioSource]:
    """Return the distinct statements of a file's sources, each under the smallest source_url that has it."""
    cursor = connection.execute(_STATED, (sha256,))
    names = [column[0] for column in cursor.description]
    return [AudioSource(**dict(zip(names, row, strict=True))) for row in cursor]


def recompute_statuses(connection: sqlite3.Connection, sha256: str) -> None:
    """Set the smallest source_url of a file to ``stored`` and the others to ``duplicate``, in whatever order they came.

    A source found unchanged keeps that status; larger ones are duplicates of it.
    """
    (smallest,) = connection.execute(_SMALLEST, (sha256,)).fetchone()
    for status, reason in ((Status.STORED, None), (Status.DUPLICATE, f"the same bytes as {smallest}")):
        values = {"sha256": sha256, "smallest": smallest, "status": status, "reason": reason}
        connection.execute(_SETTLE, values)
