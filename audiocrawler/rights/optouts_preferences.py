"""A statement of usage preferences in; whether it refuses that models are trained, and in which words, out."""

import re

_MEMBERS = re.compile(r'(?:[^,"]|"[^"]*"?)+')


def content_usage(statement: str) -> str | None:
    """Return ``train-ai=n`` or ``bots=n`` if a Content-Usage statement says so, else None.

    A dictionary of structured fields (RFC 9651; draft-ietf-aipref-attach, draft-ietf-aipref-vocab): a later value
    replaces an earlier one, and the general ``bots`` of earlier drafts counts where nothing is said of training.
    """
    stated = _values(statement)
    for category in ("train-ai", "bots"):
        if stated.get(category) in {"y", "n"}:
            return f"{category}=n" if stated[category] == "n" else None
    return None


def content_signal(statement: str) -> str | None:
    """Return ``ai-train=no`` if a Content-Signal statement says so (draft-romm-aipref-contentsignals), else None."""
    return "ai-train=no" if _values(statement.lower()).get("ai-train") == "no" else None


def _values(statement: str) -> dict[str, str]:
    members = (member.partition(";")[0].partition("=") for member in _MEMBERS.findall(statement))
    return {name.strip(): value.strip() for name, _, value in members}
