"""Rows whose file was found not to be the server's, or damaged: marked, so that it is fetched again."""

from dataclasses import replace

from audiocrawler.items import AudioSource, Status

MARK = "verify: "
"""What ``last_error`` of such a row begins with."""


def marked(row: AudioSource, why: str) -> AudioSource:
    """Return the row with what is wrong with its file, and without what would prove that it has not changed.

    The status tells, as ever, of what is stored. Empty validators take the place of the old ones, which NULL would
    leave.
    """
    reason = f"{MARK}{why}"
    return replace(row, reason=reason, last_status=Status.FAILED, last_error=reason, etag="", last_modified="")


def mark_of(row: AudioSource) -> str | None:
    """Return what is wrong with the row's file, None if it does not wait to be fetched again."""
    is_marked = row.last_status == Status.FAILED and (row.last_error or "").startswith(MARK)
    return (row.last_error or "").removeprefix(MARK) if is_marked else None
