"""Feed exports that are safe to open, whatever strangers have written into titles and tags."""

import re
from typing import Any

from scrapy.exporters import CsvItemExporter, XmlItemExporter

from audiocrawler.texts import storable

_FORMULA = re.compile(r"[=+\-@\t\r\n]")
_NOT_IN_XML_NAME = re.compile(r"[^A-Za-z0-9_.-]")


class SpreadsheetSafeCsvExporter(CsvItemExporter):
    """Scrapy's CSV export in which no text is a formula to a spreadsheet: such a one gets an apostrophe in front.

    Numbers stay as they are, those below zero included (OWASP, "CSV Injection").
    """

    def serialize_field(self, field: Any, name: str, value: Any) -> Any:
        """Return the value of a cell."""
        serialised = super().serialize_field(field, name, value)
        return f"'{serialised}" if isinstance(serialised, str) and is_formula(serialised) else serialised


class WellFormedXmlExporter(XmlItemExporter):
    """Scrapy's XML export with element names and text that XML allows (XML 1.0, sections 2.2 and 2.3)."""

    def _export_xml_field(self, name: str, serialized_value: Any, depth: int) -> None:
        text = storable(serialized_value) if isinstance(serialized_value, str) else serialized_value
        super()._export_xml_field(_xml_name(name), text, depth)


def _xml_name(name: str) -> str:
    readable = _NOT_IN_XML_NAME.sub("_", name)
    return readable if readable[:1].isalpha() else f"_{readable}"


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet may take the text of a cell for a formula."""
    return bool(_FORMULA.match(text)) and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
