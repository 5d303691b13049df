"""The text of a robots.txt: which of its groups speak to a given crawler (RFC 9309, section 2.2.1)."""

import re

_AGENT = re.compile(r"[ \t]*user[- ]?agent(?:[ \t]*:|[ \t]+)([^#]*)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z_-]+")
_ANY = "User-agent: *"
_OTHERS = "User-agent: others"


def text_of(body: bytes) -> str:
    """Return the text: UTF-8, whatever the header says, and without what is none."""
    return body.decode("utf-8-sig", "ignore")


def for_agent(text: str, agent: str) -> str:
    """Return the same rules with the names of all agents but ``agent`` made one.

    A parser keeps every rule for each agent that its group names: thousands of names over thousands of rules would
    take it minutes and gigabytes. Names are compared as whole product tokens, in any case.
    """
    lines: list[str] = []
    for line in text.splitlines():
        named = _AGENT.match(line)
        kept = _name_line(named[1].strip(), agent) if named else line
        if not (kept == _OTHERS and lines and lines[-1] == _OTHERS):
            lines.append(kept)
    return "\n".join(lines)


def _name_line(named: str, agent: str) -> str:
    if named.startswith("*"):
        return _ANY
    token = _TOKEN.match(named)
    is_ours = token is not None and token[0].lower() == agent.lower()
    return f"User-agent: {agent}" if is_ours else _OTHERS
