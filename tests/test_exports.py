"""Cells that spreadsheets would run are told from numbers."""

import pytest

from audiocrawler.model.spreadsheets import is_formula


@pytest.mark.parametrize(
    "text", ["=1+1", "=CMD('x')", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "-rf.mp3", "- a dash", "-1 "]
)
def test_formulas(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", ["-23.2", "+5", "-1e-3", "", "a=b", "1-2", "'=1", "Möwen"])
def test_numbers_and_plain_text(text: str) -> None:
    assert not is_formula(text)
