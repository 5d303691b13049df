"""Whose wishes count: the robots that collect for AI models, under the names by which sites refuse them."""

AI_AGENTS = (
    "GPTBot",
    "CCBot",
    "ClaudeBot",
    "Claude-Web",
    "anthropic-ai",
    "Google-Extended",
    "Google-CloudVertexBot",
    "Applebot-Extended",
    "Meta-ExternalAgent",
    "FacebookBot",
    "Bytespider",
    "Amazonbot",
    "AI2Bot",
    "Ai2Bot-Dolma",
    "cohere-ai",
    "cohere-training-data-crawler",
    "DeepSeekBot",
    "Diffbot",
    "omgili",
    "omgilibot",
    "PanguBot",
    "SBIntuitionsBot",
    "Timpibot",
)
"""Collectors of training data. Assistants that fetch one page for one user, and search engines, are not among them."""

_NAMES = {name.lower(): name for name in AI_AGENTS}


def ai_agent(name: str) -> str | None:
    """Return the usual spelling if ``name`` is an AI agent's product token, in any case and with any version."""
    return _NAMES.get(product_token(name))


def product_token(name: str) -> str:
    """Return the name without version, in lower case (RFC 9309, section 2.2.1)."""
    return name.partition("/")[0].strip().lower()
