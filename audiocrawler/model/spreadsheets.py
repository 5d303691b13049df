"""Keep spreadsheets from running text as a formula (OWASP, "CSV Injection")."""

import re

_FORMULA = re.compile(r"[=+\-@\t\r\n]")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would run the text as a formula."""
    return bool(_FORMULA.match(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


def safe_cell(text: str) -> str:
    """Return the text, behind an apostrophe if a spreadsheet would run it."""
    return f"'{text}" if is_formula(text) else text
