import pytest

from audiocrawler.analysis import EnergyRule


@pytest.mark.parametrize(
    ("duration_ms", "loudness_dbfs", "classification"),
    [
        (59_999, -19.99, "High Energy"),
        (59_999, -20.0, "Medium Energy"),
        (60_000, -19.99, "Medium Energy"),
        (60_000, -20.0, "Low Energy"),
        (10, -120.0, "Medium Energy"),
        (3_600_000, -5.0, "Medium Energy"),
    ],
)
def test_the_limits_themselves_count_as_long_and_quiet(duration_ms, loudness_dbfs, classification):
    assert EnergyRule().classify(duration_ms, loudness_dbfs) == classification
