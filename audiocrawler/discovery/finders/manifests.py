"""Find the sound in IIIF manifests, whose files are named by their ids (IIIF Presentation 2 and 3)."""

from collections.abc import Iterator
from typing import Any

from audiocrawler.discovery.candidate import ELEMENT, Find, Kind
from audiocrawler.discovery.copies import copy_key
from audiocrawler.discovery.document import Document, one_line
from audiocrawler.discovery.json_files import type_in
from audiocrawler.discovery.kinds import kind_of_type
from audiocrawler.discovery.values import duration_ms
from audiocrawler.model.statements import NOTICE, Statement, statement_of

_SOUND = frozenset(("audio", "dctypes:sound", "sound"))
_MOST_OBJECTS = 100_000
_RIGHTS = {"rights": "json", "license": "json", "attribution": f"json{NOTICE}"}

Members = dict[str, Any]


def find_iiif(document: Document) -> Iterator[Find]:
    """Yield each sound of a manifest with the label and duration around it.

    The items of a choice, a sound and its renderings, and what is named alike on one canvas, are alternates.
    """
    value = document.json
    if not isinstance(value, dict) or "iiif.io/api/presentation" not in str(value.get("@context")):
        return
    statements = tuple(_statements(value)) or None
    for members, about, group in _resources(value):
        url = members.get("id") or members.get("@id")
        if isinstance(url, str) and _is_sound(members):
            yield Find(
                url=url,
                found_by="iiif",
                confidence=ELEMENT,
                expected=Kind.AUDIO,
                mime_type=type_in(members),
                group=group,
                title=about.get("label"),
                duration_ms=duration_ms(members.get("duration") or about.get("duration")),
                language=_text(members.get("language")),
                statements=statements,
            )


def _is_sound(members: Members) -> bool:
    declared = kind_of_type(type_in(members))
    return declared is Kind.AUDIO or (_type_of(members) in _SOUND and (declared is None or declared is Kind.MANIFEST))


def _type_of(members: Members) -> str:
    return str(members.get("type") or members.get("@type")).lower()


def _resources(manifest: Members) -> Iterator[tuple[Members, Members, str | None]]:
    """Yield every object with what those around it state, and the group of alternates that it is in."""
    stack: list[tuple[Any, Members, str | None]] = [(manifest, {}, None)]
    for number in range(_MOST_OBJECTS):
        if not stack:
            return
        value, around, group = stack.pop()
        if isinstance(value, list):
            stack.extend((each, around, group) for each in reversed(value))
        elif isinstance(value, dict):
            own = {"label": _text(value.get("label")), "duration": value.get("duration")}
            about = around | {name: each for name, each in own.items() if each}
            kind = _type_of(value)
            if kind.endswith("canvas"):
                about["canvas"] = number
            if group is None and kind.endswith("choice"):
                group = f"choice {number}"
            elif group is None and _is_sound(value) and isinstance(url := value.get("id") or value.get("@id"), str):
                group = f"canvas {about.get('canvas')} {copy_key(url)}"
            yield value, about, group
            stack.extend((each, about, group) for each in reversed(value.values()) if isinstance(each, dict | list))


def _text(value: Any) -> str | None:
    """Return a text as both versions write it: plain, by language, or as a list of values."""
    for _ in range(3):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = value["@value"] if "@value" in value else next(iter(value.values()), None)
    return one_line(value) if isinstance(value, str) else None


def _statements(manifest: Members) -> Iterator[Statement]:
    for name, place in _RIGHTS.items():
        if stated := statement_of(_text(manifest.get(name)), place):
            yield stated
