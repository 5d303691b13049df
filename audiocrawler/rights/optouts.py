"""The headers of an answer and the meta elements of a page in; what they say of training AI models out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from audiocrawler.rights.optouts_agents import ai_agent, product_token
from audiocrawler.rights.optouts_preferences import content_signal, content_usage
from audiocrawler.rights.optouts_tdm import reservation

SEPARATOR = "; "
"""What stands between several signals in a row's ``opt_out``."""

_REFUSALS = ("noai", "noml")
"""``noimageai`` speaks of pictures."""
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""Directives that a colon follows, as it follows the name of an agent."""


def header_signals(headers: Mapping[str, Sequence[str]], agent: str) -> list[str]:
    """Return what the headers (names in lower case, all values of each) say against training, in a few words each.

    ``agent`` is our own name: what is said to it, to an AI agent or to everybody counts.
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
    """Return what meta elements (name, content) say against training, in a few words each; see header_signals."""
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
    """Return the signals, which may be joined already, as a row has them: each once; None where there is none."""
    single = [each for signal in signals if signal for each in signal.split(SEPARATOR)]
    return SEPARATOR.join(dict.fromkeys(single)) or None


def _in_robots_tags(values: Sequence[str], agent: str) -> list[str]:
    found = (refusal for value in values for refusal in _refusals(_addressed(value, agent)))
    return list(dict.fromkeys(found))


def _addressed(value: str, agent: str) -> Iterator[str]:
    """Yield the directives of an X-Robots-Tag that speak to us; a name with a colon says to whom the rest speaks."""
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
