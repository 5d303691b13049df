"""Bytes and durations as people read them."""

_BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def bytes_text(size_bytes: float) -> str:
    """Return a size with its decimal unit: 999 bytes, 1.2 MB."""
    size, unit = float(size_bytes), 0
    while size >= 1000 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_BYTE_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_BYTE_UNITS[unit]}"


def duration_text(seconds: float) -> str:
    """Return a duration with the two units that matter: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
