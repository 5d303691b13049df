"""DASH manifests whose audio is one file."""

from collections.abc import Iterator

from lxml import etree

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.document import Document
from audiocrawler.discovery.urls import absolute
from audiocrawler.discovery.values import duration_ms, whole_number
from audiocrawler.discovery.xml_tree import attribute, child_text, each_named, local_name


def find(document: Document) -> Iterator[Find]:
    """Yield the BaseURL of each audio representation that is not cut into segments (ISO/IEC 23009-1, 5.3.9)."""
    if document.root is None or document.root_name != "mpd":
        return
    duration = duration_ms(attribute(document.root, "mediapresentationduration"))
    for number, adaptation in enumerate(each_named(document.root, "adaptationset")):
        if _is_segmented(adaptation):
            continue
        for representation in each_named(adaptation, "representation"):
            if each := _whole_file(document, adaptation, representation):
                each.group = f"dash {number}"
                each.duration_ms = duration
                yield each


def _whole_file(document: Document, adaptation: etree._Element, representation: etree._Element) -> Find | None:
    mime_type = attribute(representation, "mimetype") or attribute(adaptation, "mimetype") or ""
    if not mime_type.startswith("audio/"):
        return None
    return Find(
        url=_joined_base_urls(document.base_url, representation),
        found_by="dash",
        confidence=ELEMENT,
        expected=Kind.AUDIO,
        mime_type=mime_type,
        bit_rate_bps=whole_number(attribute(representation, "bandwidth")),
        language=attribute(adaptation, "lang"),
    )


def _is_segmented(adaptation: etree._Element) -> bool:
    return next(each_named(adaptation, "segmenttemplate", "segmentlist"), None) is not None


def _joined_base_urls(base_url: str, representation: etree._Element) -> str:
    """Return the BaseURL elements from the manifest's down to the representation's, each joined to the one before."""
    chain = [*reversed(list(representation.iterancestors())), representation]
    for element in chain:
        if local_name(element) and (url := child_text(element, "baseurl")):
            base_url = absolute(base_url, url) or base_url
    return base_url
