"""What the Hub's own library reads of the card, and what its pictures show."""

from pathlib import Path
from re import findall
from xml.etree import ElementTree as ET

import pytest
from huggingface_hub import DatasetCard

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ["hf", "lhotse-shar", "csv"])
def test_the_card_has_what_the_hub_lists_it_by(sets, name):
    data = DatasetCard.load(sets.path(name) / "README.md").data
    assert (data.license, data.license_name, data.tags) == ("other", "per-row", ["audio"])
    assert data.size_categories == ["n<1K"]


@pytest.mark.parametrize("name", ["hf", "lhotse-shar", "csv"])
def test_the_pictures_are_files_of_the_set_and_count_each_recording(sets, name):
    card = DatasetCard.load(sets.path(name) / "README.md").text
    pictures = dict(findall(r"!\[(\w+): [^\]]*\]\(([\w.]+)\)", card))
    assert pictures == {"Duration": "duration.svg", "Loudness": "loudness.svg"}
    assert "<svg" not in card
    rows = list(sets.expected())
    assert counted(sets.path(name) / "duration.svg") == len(rows)
    assert counted(sets.path(name) / "loudness.svg") == sum(row["lufs"] is not None for row in rows)
    assert set(pictures.values()) <= sets.about(name)["files"].keys()


def counted(path: Path) -> int:
    """Return the sum of the numbers beside the bars, each of which is as long as its number says."""
    root = ET.parse(path).getroot()
    bars = [float(bar.attrib["width"]) for bar in root.iter(f"{SVG}rect")]
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    numbers = [int(text.replace(",", "")) for text in texts[1::2]]
    assert [round(bar / max(bars), 2) for bar in bars] == [round(number / max(numbers), 2) for number in numbers]
    assert root[0].text in {"Duration", "Loudness"}
    return sum(numbers)
