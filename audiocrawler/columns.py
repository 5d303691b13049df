"""A dataclass whose fields are made by ``column`` in; its columns, as BigQuery would name them, out."""

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Any, get_args, get_type_hints

MAX_URL_LENGTH = 8192
MAX_TEXT_LENGTH = 4000
"""Characters of a column of text: what is longer is cut."""


class Merge(Enum):
    """How a column's new value meets the one that the table already has."""

    KEY = "identifies the row"
    OVERWRITE = "the newer value, NULL included"
    COALESCE = "the newer value, unless it is NULL"
    EARLIEST = "the smaller of the two"
    LATEST = "the larger of the two"
    SMALLEST_SOURCE = "the value of the smallest source_url; a NULL is filled from the other row"
    SMALLEST_PAGE = "the value of the smallest page_url; a NULL is filled from the other row"
    FROM_SOURCES = "worked out from all rows of audio_sources with this sha256"
    STATED = "with the other statements of rights: of the smallest page_url, unless the newer row has the file"
    ATTEMPT = "the newer value, unless the newer row is only pending"
    OUTCOME = "as ATTEMPT, but a failure does not overwrite what a success has left"
    KNOWN = "as OUTCOME, and a NULL changes nothing unless the newer row has a file of its own"


def column(merge: Merge, description: str, *, required: bool = False) -> Any:
    """Return a dataclass field that declares a column; without ``required`` its default is None."""
    metadata = {"merge": merge, "description": description}
    return field(metadata=metadata) if required else field(default=None, metadata=metadata)


_TYPES = {
    str: "STRING",
    int: "INTEGER",
    float: "FLOAT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
    bytes: "BYTES",
    dict[str, str]: "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column; ``type`` and ``mode`` are BigQuery's names for them."""

    name: str
    type: str
    mode: str
    merge: Merge
    description: str
    is_url: bool
    max_length: int
    """How many characters a text of this column may have."""


def columns_of(row_type: type[Any]) -> Iterator[Column]:
    """Yield the columns that the fields of ``row_type`` declare, in order."""
    hints = get_type_hints(row_type)
    for each in fields(row_type):
        yield _column(each, hints[each.name])


def _column(declared: Field[Any], hint: Any) -> Column:
    arguments = [a for a in get_args(hint) if a is not NoneType]
    optional = NoneType in get_args(hint)
    mode = "NULLABLE" if optional else "REQUIRED"
    type_name = _TYPES[arguments[0] if optional else hint]
    is_url = declared.name.endswith("_url")
    return Column(
        name=declared.name,
        type=type_name,
        mode=mode,
        merge=declared.metadata["merge"],
        description=declared.metadata["description"],
        is_url=is_url,
        max_length=MAX_URL_LENGTH if is_url else MAX_TEXT_LENGTH,
    )
