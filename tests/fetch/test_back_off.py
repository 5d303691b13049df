"""Retry-After as a number and as a date."""

import time
from email.utils import formatdate

import pytest

from audiocrawler.fetch.back_off import seconds_of


@pytest.mark.parametrize(("value", "seconds"), [("", 0), ("120", 120), (" 7 ", 7), ("soon", 0), ("-5", 0), ("1e9", 0)])
def test_numbers_are_seconds_and_nonsense_is_no_pause(value: str, seconds: float) -> None:
    assert seconds_of(value) == seconds


def test_a_date_is_the_time_until_then() -> None:
    assert seconds_of(formatdate(time.time() + 100, usegmt=True)) == pytest.approx(100, abs=5)


def test_a_date_in_the_past_is_no_pause() -> None:
    assert seconds_of(formatdate(time.time() - 100, usegmt=True)) == 0
