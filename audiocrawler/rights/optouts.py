"""Detect opt-outs from AI training in robots.txt, headers, meta elements, Content-Usage and TDMRep."""

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import chain, islice
from typing import Any

from protego import Protego

from audiocrawler.model.text import mask_url

AI_AGENTS: tuple[str, ...] = tuple(tomllib.loads((files(__package__) / "ai_agents.toml").read_text("utf-8"))["agents"])
"""Product tokens of crawlers that collect data for AI training."""

_NAMES = {name.lower(): name for name in AI_AGENTS}


def ai_agent(name: str) -> str | None:
    """Return the usual spelling if ``name`` is an AI agent's product token, in any case and with any version."""
    return _NAMES.get(product_token(name))


def product_token(name: str) -> str:
    """Return the name without version, in lower case (RFC 9309, section 2.2.1)."""
    return name.partition("/")[0].strip().lower()


AGENT = "pattern"


class PathPattern:
    """A pattern with ``*`` and ``$`` (RFC 9309, section 2.2.3); an empty one matches everything."""

    def __init__(self, pattern: str) -> None:
        self.length = len(pattern)
        self._rules = None if pattern in {"", "/", "*", "/*"} else Protego.parse(_refusing(pattern))

    def matches(self, url: str) -> bool:
        """Return whether the path and query of ``url`` match."""
        return self._rules is None or not self._rules.can_fetch(url, AGENT)


def _refusing(pattern: str) -> str:
    path = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    return f"User-agent: {AGENT}\nDisallow: {''.join(path.splitlines())}"


_MEMBERS = re.compile(r'(?:[^,"]|"[^"]*"?)+')


def content_usage(statement: str) -> str | None:
    """Return ``train-ai=n`` or ``bots=n`` if a Content-Usage statement contains it, else None.

    A structured-fields dictionary (RFC 9651; draft-ietf-aipref-attach, draft-ietf-aipref-vocab): a later value replaces
    an earlier one, and the general ``bots`` of earlier drafts counts where ``train-ai`` is missing.
    """
    stated = _values(statement)
    for category in ("train-ai", "bots"):
        if stated.get(category) in {"y", "n"}:
            return f"{category}=n" if stated[category] == "n" else None
    return None


def content_signal(statement: str) -> str | None:
    """Return ``ai-train=no`` if a Content-Signal statement has it (draft-romm-aipref-contentsignals), else None."""
    return "ai-train=no" if _values(statement.lower()).get("ai-train") == "no" else None


def _values(statement: str) -> dict[str, str]:
    members = (member.partition(";")[0].partition("=") for member in _MEMBERS.findall(statement))
    return {name.strip(): value.strip() for name, _, value in members}


WELL_KNOWN = "/.well-known/tdmrep.json"
MAX_TDM_RULES = 1000
_TDM_RULE_BYTES = 3000
_POLICY = re.compile(r"https?://[\x21-\x7e]{1,300}")


class TdmRules:
    """The rules of a tdmrep.json; the first one whose location matches decides. An invalid file has no rules.

    ``size_bytes`` is the approximate memory use.
    """

    def __init__(self, text: str) -> None:
        self._rules = [
            (PathPattern(rule["location"]), reservation(str(rule.get("tdm-reservation")), rule.get("tdm-policy")))
            for rule in _rules(text)
        ]
        self.size_bytes = _TDM_RULE_BYTES * len(self._rules)

    def signals(self, url: str) -> list[str]:
        """Return the reservation of ``url`` in a few words; an empty list if there is none."""
        for pattern, reserved in self._rules:
            if pattern.matches(url):
                return [f"tdmrep.json: {reserved}"] if reserved else []
        return []


def reservation(value: str | None, policy: object) -> str | None:
    """Return ``tdm-reservation=1``, with the policy's URL if there is one; None if ``value`` is not 1."""
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
    return [each for each in listed[:MAX_TDM_RULES] if isinstance(each, dict) and isinstance(each.get("location"), str)]


SEPARATOR = "; "
"""Separator of several signals in a row's ``opt_out``."""

_REFUSALS = ("noai", "noml")
"""``noimageai`` is about images."""
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Directives followed by a colon, like an agent's name."""


def header_signals(headers: Mapping[str, Sequence[str]], agent: str) -> list[str]:
    """Return the opt-outs in response headers (lower-case names, all values of each), in a few words each.

    ``agent`` is our own name: directives for it, for an AI agent or for everybody count.
    """
    found = [f"X-Robots-Tag: {each}" for each in _in_robots_tags(headers.get("x-robots-tag", ()), agent)]
    if refusal := content_signal(",".join(headers.get("content-signal", ()))):
        found.append(f"Content-Signal: {refusal}")
    if refusal := content_usage(",".join(headers.get("content-usage", ()))):
        found.append(f"Content-Usage: {refusal}")
    policy = next(iter(headers.get("tdm-policy", ())), None)
    if reserved := reservation(next(iter(headers.get("tdm-reservation", ())), None), policy):
        found.append(f"header {reserved}")
    return found


def meta_signals(metas: Iterable[tuple[str, str]], agent: str) -> list[str]:
    """Return the opt-outs in meta elements (name, content), in a few words each; see header_signals."""
    given = [(name.strip().lower(), content) for name, content in metas]
    found = [
        f"meta {name}: {refusal}"
        for name, content in given
        if name == "robots" or _is_addressed(name, agent)
        for refusal in _refusals(content.split(","))
    ]
    values = dict(reversed(given))  # the first of each name
    if reserved := reservation(values.get("tdm-reservation"), values.get("tdm-policy")):
        found.append(f"meta {reserved}")
    return list(dict.fromkeys(found))


def joined(signals: Iterable[str | None]) -> str | None:
    """Return the signals, some of them joined already, as one text without duplicates; None if there are none."""
    single = [each for signal in signals if signal for each in signal.split(SEPARATOR)]
    return SEPARATOR.join(dict.fromkeys(single)) or None


def opt_out_reason(signals: str) -> str:
    """Return the row's reason for a file that these signals opt out."""
    return f"opted out of AI training: {signals}"


def _in_robots_tags(values: Sequence[str], agent: str) -> list[str]:
    found = (refusal for value in values for refusal in _refusals(_addressed(value, agent)))
    return list(dict.fromkeys(found))


def _addressed(value: str, agent: str) -> Iterator[str]:
    """Yield the directives of an X-Robots-Tag that apply to us; those after ``name:`` apply to that agent."""
    counts = True
    for part in value.split(","):
        name, colon, directive = part.partition(":")
        if colon and name.strip().lower() not in _WITH_VALUE:
            counts = _is_addressed(name, agent)
            part = directive  # noqa: PLW2901 - the directive without the name before it
        if counts:
            yield part


def _is_addressed(name: str, agent: str) -> bool:
    return name.strip() == "*" or product_token(name) == product_token(agent) or ai_agent(name) is not None


def _refusals(directives: Iterable[str]) -> list[str]:
    given = {directive.strip().lower() for directive in directives}
    return [refusal for refusal in _REFUSALS if refusal in given]


MAX_CHARACTERS = 512_000
"""RFC 9309 requires at least the first 500 KiB."""
MAX_RULES = 100_000
"""Rules that are kept, shared ones counted once: more than a file can have for one agent."""
MAX_STATEMENTS = 500
"""Preference statements that are kept for an agent; real files have a few."""

_PREFERENCES: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "content-signal": ("Content-Signal", content_signal),
    "content-usage": ("Content-Usage", content_usage),
}
_EVERYBODY = "*"
_RULE_BYTES, _STATEMENT_BYTES = 600, 3000


@dataclass(slots=True)
class _Group:
    """The rules of one run of user-agent lines; ``agents`` are the ones whose rules count."""

    agents: set[str]
    rules: list[str] = field(default_factory=list)
    preferences: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Statement:
    kind: str
    pattern: PathPattern
    refusal: str | None


class RobotsOptOuts:
    """The AI opt-outs in a robots.txt.

    A path disallowed in a group that names an AI agent is opted out; what is disallowed for everybody is left to the
    robots.txt check. Preference statements count in the groups of AI agents and in the one that ``agent`` has to obey;
    the longest matching path decides.

    The text is untrusted: rules are kept only for the few agents that count, however many a group names, and agents
    with the same groups share them. ``size_bytes`` is the approximate memory use.
    """

    def __init__(self, text: str, agent: str) -> None:
        own = product_token(agent)
        groups = list(_groups(text[:MAX_CHARACTERS], {own, _EVERYBODY}))
        named = _by_groups(groups)
        self._agents = list(_parsed(groups, named))
        own_groups = _numbers(groups, own) or _numbers(groups, _EVERYBODY)
        stated = [list(_statements(groups, numbers)) for numbers in dict.fromkeys((own_groups, *named))]
        self._statements = [each for each in stated if each]
        self.size_bytes = _RULE_BYTES * sum(count for _, _, count in self._agents)
        self.size_bytes += _STATEMENT_BYTES * sum(len(each) for each in self._statements)

    def signals(self, url: str) -> list[str]:
        """Return the signals that opt ``url`` out, in a few words each; an empty list if there are none."""
        refused = sorted(name for names, rules, _ in self._agents if not rules.can_fetch(url, AGENT) for name in names)
        found = [f"robots.txt: {', '.join(refused)} may not"] if refused else []
        stated = {f"robots.txt: {kind} {refusal}" for each in self._statements for kind, refusal in _decided(each, url)}
        return found + sorted(stated)


def _groups(text: str, also: set[str]) -> Iterator[_Group]:
    """Yield the groups of AI agents and of the agents in ``also``; rules before any name are for everybody."""
    group, is_head = _Group({_EVERYBODY}), False
    for name, value in _lines(text):
        if name == "user-agent":
            if not is_head:
                yield from [group] if group.agents else []
                group, is_head = _Group(set()), True
            token = product_token(value)
            if token in also or ai_agent(token):
                group.agents.add(token)
        elif name in {"allow", "disallow"}:
            is_head = False
            group.rules.append(f"{name}: {value}")
        elif name in _PREFERENCES:
            is_head = False
            group.preferences.append((name, value))
    yield from [group] if group.agents else []


def _numbers(groups: list[_Group], agent: str) -> tuple[int, ...]:
    """Return the indexes of the non-empty groups that name the agent."""
    named = ((number, group) for number, group in enumerate(groups) if agent in group.agents)
    return tuple(number for number, group in named if group.rules or group.preferences)


def _by_groups(groups: list[_Group]) -> dict[tuple[int, ...], list[str]]:
    """Return the AI agents by the groups that name them: usually all are in the same ones."""
    named: dict[tuple[int, ...], list[str]] = {}
    for token in sorted({token for group in groups for token in group.agents}):
        if name := ai_agent(token):
            named.setdefault(_numbers(groups, token), []).append(name)
    return named


def _parsed(groups: list[_Group], named: dict[tuple[int, ...], list[str]]) -> Iterator[tuple[list[str], Protego, int]]:
    """Yield agents' names, their rules, and the number of rules."""
    left = MAX_RULES
    for numbers, names in named.items():
        rules = list(islice(chain.from_iterable(groups[number].rules for number in numbers), left))
        left -= len(rules)
        yield names, Protego.parse("\n".join([f"User-agent: {AGENT}", *rules])), len(rules)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower().lstrip("\ufeff"), value.strip()


def _statements(groups: list[_Group], numbers: Iterable[int]) -> Iterator[_Statement]:
    given = chain.from_iterable(groups[number].preferences for number in numbers)
    for name, value in islice(given, MAX_STATEMENTS):
        kind, read = _PREFERENCES[name]
        first, *rest = value.split(None, 1) or [""]
        has_path = first.startswith(("/", "*"))
        statement = (rest[0] if rest else "") if has_path else value
        yield _Statement(kind, PathPattern(first if has_path else ""), read(statement))


def _decided(statements: list[_Statement], url: str) -> Iterator[tuple[str, str]]:
    """Yield kind and text of the refusals that decide for ``url``: of equally long paths one is enough."""
    for kind, _ in _PREFERENCES.values():
        matching = [each for each in statements if each.kind == kind and each.pattern.matches(url)]
        length = max((each.pattern.length for each in matching), default=0)
        for each in matching:
            if each.pattern.length == length and each.refusal:
                yield kind, each.refusal
