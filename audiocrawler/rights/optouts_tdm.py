"""A host's tdmrep.json, a header or a meta element in; what they reserve (TDMRep, a report of a W3C group) out."""

import json
import re
from typing import Any

from audiocrawler.masking import mask_url
from audiocrawler.rights.optouts_paths import PathPattern

WELL_KNOWN = "/.well-known/tdmrep.json"
MAX_RULES = 1000
_RULE_BYTES = 3000
_POLICY = re.compile(r"https?://[\x21-\x7e]{1,300}")


class TdmRules:
    """The rules of a tdmrep.json; the first one whose location matches decides. What is no such file has no rules.

    ``size_bytes`` is about the memory that is held.
    """

    def __init__(self, text: str) -> None:
        self._rules = [
            (PathPattern(rule["location"]), reservation(str(rule.get("tdm-reservation")), rule.get("tdm-policy")))
            for rule in _rules(text)
        ]
        self.size_bytes = _RULE_BYTES * len(self._rules)

    def signals(self, url: str) -> list[str]:
        """Return that ``url`` is reserved, in a few words; an empty list if it is not."""
        for pattern, reserved in self._rules:
            if pattern.matches(url):
                return [f"tdmrep.json: {reserved}"] if reserved else []
        return []


def reservation(value: str | None, policy: object) -> str | None:
    """Return ``tdm-reservation=1``, with the policy's URL where one is given, if the value reserves; else None."""
    if (value or "").strip() != "1":
        return None
    shown = isinstance(policy, str) and _POLICY.fullmatch(policy.strip())
    return f"tdm-reservation=1, policy {mask_url(shown[0])}" if shown else "tdm-reservation=1"


def _rules(text: str) -> list[dict[str, Any]]:
    try:
        rules = json.loads(text)
    except (ValueError, RecursionError):
        return []
    listed = rules if isinstance(rules, list) else [rules]
    return [each for each in listed[:MAX_RULES] if isinstance(each, dict) and isinstance(each.get("location"), str)]
