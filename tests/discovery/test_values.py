from datetime import UTC, datetime

import pytest

from audiocrawler.discovery.values import duration_ms, published_at, size_bytes


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("90", 90_000),
        (61.25, 61_250),
        ("1:30", 90_000),
        ("01:00:01.5", 3_601_500),
        ("PT1M30S", 90_000),
        ("P1DT1H", 90_000_000),
        ("0", None),
        ("-1", None),
        ("about an hour", None),
        ("P", None),
        (float("inf"), None),
        ("9" * 15, None),
        (None, None),
        (["90"], None),
    ],
)
def test_durations_are_read_as_documents_write_them(written, milliseconds):
    assert duration_ms(written) == milliseconds


@pytest.mark.parametrize(
    ("written", "size"),
    [("123", 123), (456, 456), ("12.3 MB", 12_300_000), ("2kB", 2000), ("0", None), ("1", None), ("many", None)],
)
def test_sizes_are_read_and_placeholders_are_not(written, size):
    assert size_bytes(written) == size


@pytest.mark.parametrize(
    ("written", "time"),
    [
        ("2024-05-06", datetime(2024, 5, 6, tzinfo=UTC)),
        ("2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        ("Mon, 06 May 2024 07:08:09 GMT", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("", None),
        (20240506, None),
    ],
)
def test_times_are_read_and_given_in_utc(written, time):
    assert published_at(written) == time
