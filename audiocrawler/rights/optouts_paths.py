"""Path patterns as robots.txt has them in; whether they match a URL out."""

from protego import Protego

AGENT = "pattern"


class PathPattern:
    """A pattern with ``*`` and ``$`` (RFC 9309, section 2.2.3); an empty one matches everything."""

    def __init__(self, pattern: str) -> None:
        self.length = len(pattern)
        self._rules = None if pattern in {"", "/", "*", "/*"} else Protego.parse(_refusing(pattern))

    def matches(self, url: str) -> bool:
        """Tell whether the path and query of ``url`` match."""
        return self._rules is None or not self._rules.can_fetch(url, AGENT)


def _refusing(pattern: str) -> str:
    path = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    return f"User-agent: {AGENT}\nDisallow: {''.join(path.splitlines())}"
