"""The text of a robots.txt in; what it says of training AI models with a URL of its host out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from protego import Protego

from audiocrawler.rights.optouts_agents import ai_agent, product_token
from audiocrawler.rights.optouts_paths import AGENT, PathPattern
from audiocrawler.rights.optouts_preferences import content_signal, content_usage

MAX_CHARACTERS = 512_000
"""RFC 9309 asks for the first 500 KiB at least."""
MAX_STATEMENTS = 500
"""Statements of preference that are kept; real files have a few."""

_PREFERENCES: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "content-signal": ("Content-Signal", content_signal),
    "content-usage": ("Content-Usage", content_usage),
}
_EVERYBODY = "*"


@dataclass(slots=True)
class _Group:
    """The rules for one agent, from all groups that name it."""

    rules: list[str] = field(default_factory=list)
    preferences: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Statement:
    kind: str
    pattern: PathPattern
    refusal: str | None


class RobotsOptOuts:
    """What a robots.txt says of AI.

    A path that a group naming an AI agent disallows is opted out; what everybody may not fetch is robots' own matter.
    Statements of preference count in the groups of AI agents and in the one that ``agent`` has to obey; the longest
    path that matches decides.
    """

    def __init__(self, text: str, agent: str) -> None:
        groups = _groups(text[:MAX_CHARACTERS])
        named = {name: group for token, group in groups.items() if (name := ai_agent(token))}
        self._agents = [(name, _parsed(group)) for name, group in named.items()]
        own = groups.get(product_token(agent)) or groups.get(_EVERYBODY) or _Group()
        self._statements = [list(_statements(group)) for group in (own, *named.values()) if group.preferences]

    def signals(self, url: str) -> list[str]:
        """Return what opts ``url`` out, each signal in a few words; an empty list where nothing does."""
        refused = sorted({name for name, rules in self._agents if not rules.can_fetch(url, AGENT)})
        found = [f"robots.txt: {', '.join(refused)} may not"] if refused else []
        stated = {f"robots.txt: {kind} {refusal}" for each in self._statements for kind, refusal in _decided(each, url)}
        return found + sorted(stated)


def _groups(text: str) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    agents, is_head = [_EVERYBODY], False
    for name, value in _lines(text):
        if name == "user-agent":
            agents = [*agents, product_token(value)] if is_head else [product_token(value)]
            is_head = True
        elif name in {"allow", "disallow"}:
            is_head = False
            for agent in agents:
                groups.setdefault(agent, _Group()).rules.append(f"{name}: {value}")
        elif name in _PREFERENCES:
            is_head = False
            for agent in agents:
                groups.setdefault(agent, _Group()).preferences.append((name, value))
    return groups


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower().lstrip("\ufeff"), value.strip()


def _parsed(group: _Group) -> Protego:
    return Protego.parse("\n".join([f"User-agent: {AGENT}", *group.rules]))


def _statements(group: _Group) -> Iterator[_Statement]:
    for name, value in group.preferences[:MAX_STATEMENTS]:
        kind, read = _PREFERENCES[name]
        first, *rest = value.split(None, 1) or [""]
        has_path = first.startswith(("/", "*"))
        statement = (rest[0] if rest else "") if has_path else value
        yield _Statement(kind, PathPattern(first if has_path else ""), read(statement))


def _decided(statements: list[_Statement], url: str) -> Iterator[tuple[str, str]]:
    """Yield the kind and the words of the refusals that decide for ``url``: of equally long paths one is enough."""
    for kind, _ in _PREFERENCES.values():
        matching = [each for each in statements if each.kind == kind and each.pattern.matches(url)]
        length = max((each.pattern.length for each in matching), default=0)
        for each in matching:
            if each.pattern.length == length and each.refusal:
                yield kind, each.refusal
