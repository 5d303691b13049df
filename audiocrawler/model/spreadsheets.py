"""A text in; whether a spreadsheet would run it, and what it may hold in its place, out (OWASP, "CSV Injection")."""

import re

_FORMULA = re.compile(r"[=+\-@\t\r\n]")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may take the text of a cell for a formula."""
    return bool(_FORMULA.match(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: such a one gets an apostrophe in front."""
    return f"'{text}" if is_formula(text) else text
