"""The name of a format in; the format out."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from audiocrawler.export.folders import AudioFolderFormat, LhotseFormat, NemoFormat
from audiocrawler.export.hf import HfFormat
from audiocrawler.export.shards import Format
from audiocrawler.export.tables import CsvFormat, JsonLinesFormat, ParquetFormat, Sources
from audiocrawler.export.tarred import LhotseSharFormat, NemoTarredFormat
from audiocrawler.export.webdataset import WebDatasetFormat
from audiocrawler.model.errors import ConfigurationError

_AUDIO: tuple[Callable[[], Format], ...] = (
    *(HfFormat, AudioFolderFormat, WebDatasetFormat),
    *(LhotseFormat, LhotseSharFormat, NemoFormat, NemoTarredFormat),
)
_TABLES: tuple[Callable[[Sources], Format], ...] = (JsonLinesFormat, CsvFormat, ParquetFormat)


def formats(sources: Sources) -> Mapping[str, Format]:
    """Return all formats by name; ``sources`` yields the rows of audio_sources by source_url."""
    made = [*(make() for make in _AUDIO), *(make_table(sources) for make_table in _TABLES)]
    return {each.name: each for each in made}


FORMATS = tuple(formats(lambda: iter(())))
"""Their names."""


def require(package: str | None, extra: str, named_by: str) -> None:
    """Raise ConfigurationError where a package is not installed."""
    if package and find_spec(package) is None:
        raise ConfigurationError(f"{named_by}: needs {package}: pip install 'audiocrawler[{extra}]'")
