"""The text of a robots.txt in; what it says of training AI models with a URL of its host out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from protego import Protego

from audiocrawler.rights.optouts_agents import ai_agent, product_token
from audiocrawler.rights.optouts_paths import AGENT, PathPattern
from audiocrawler.rights.optouts_preferences import content_signal, content_usage

MAX_CHARACTERS = 512_000
"""RFC 9309 asks for the first 500 KiB at least."""
MAX_RULES = 100_000
"""Rules that are kept, counted once for agents with the same ones: more than a file can have for one agent."""
MAX_STATEMENTS = 500
"""Statements of preference that are kept for an agent; real files have a few."""

_PREFERENCES: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "content-signal": ("Content-Signal", content_signal),
    "content-usage": ("Content-Usage", content_usage),
}
_EVERYBODY = "*"
_RULE_BYTES, _STATEMENT_BYTES = 600, 3000


@dataclass(slots=True)
class _Group:
    """The rules below one run of user-agent lines; ``agents`` are those of them whose rules count."""

    agents: set[str]
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

    The text is a stranger's: a rule is kept for the few agents that count, however many its group names, and agents
    with the same groups share them. ``size_bytes`` is about the memory that is held.
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
        """Return what opts ``url`` out, each signal in a few words; an empty list where nothing does."""
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
    """Return which groups name the agent and say something."""
    named = ((number, group) for number, group in enumerate(groups) if agent in group.agents)
    return tuple(number for number, group in named if group.rules or group.preferences)


def _by_groups(groups: list[_Group]) -> dict[tuple[int, ...], list[str]]:
    """Return the AI agents by the groups that name them: usually all of them stand in the same ones."""
    named: dict[tuple[int, ...], list[str]] = {}
    for token in sorted({token for group in groups for token in group.agents}):
        if name := ai_agent(token):
            named.setdefault(_numbers(groups, token), []).append(name)
    return named


def _parsed(groups: list[_Group], named: dict[tuple[int, ...], list[str]]) -> Iterator[tuple[list[str], Protego, int]]:
    """Yield the names of agents, what they may fetch, and how many rules that has."""
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
    """Yield the kind and the words of the refusals that decide for ``url``: of equally long paths one is enough."""
    for kind, _ in _PREFERENCES.values():
        matching = [each for each in statements if each.kind == kind and each.pattern.matches(url)]
        length = max((each.pattern.length for each in matching), default=0)
        for each in matching:
            if each.pattern.length == length and each.refusal:
                yield kind, each.refusal
