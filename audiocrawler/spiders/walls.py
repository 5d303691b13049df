"""Recognise pages that show nothing but a form to be sent first: consent to cookies, an age, a login."""

import re

from audiocrawler.discovery import Document
from audiocrawler.discovery.document import text_of

_MOST_TEXT, _MOST_LINKS = 3_000, 10
"""A page with more is one that can be read, with a form in it."""
_CONSENT = re.compile(
    r"cookie|consent|gdpr|rgpd|dsgvo|privacy|datenschutz|zustimm|akzept|einverstanden|accett|accept|agree|aceptar"
    r"|accepter|akkoord|terms of use|over 18|18 years|your age|date of birth|alter bestätigen",
    re.IGNORECASE,
)


def wall_in(document: Document) -> str | None:
    """Return what stands before a page in which nothing was found, in words; None if nothing does."""
    forms = [each for each in document.elements("form") if (each.get("method") or "").strip().lower() == "post"]
    if not forms or document.root is None:
        return None
    body = next(document.elements("body"), document.root)
    text = text_of(body)
    if len(text) > _MOST_TEXT or sum(1 for _ in document.elements("a")) > _MOST_LINKS:
        return None
    if any((each.get("type") or "").lower() == "password" for form in forms for each in form.iter("input")):
        return "a login form"
    shown = f"{text} {' '.join(form.get('action') or '' for form in forms)}"
    return "a consent form" if _CONSENT.search(shown) else None
