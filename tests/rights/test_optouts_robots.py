import pytest

from audiocrawler.rights.optouts import AI_AGENTS, MAX_RULES, MAX_STATEMENTS, RobotsOptOuts

URL = "https://example.org/audio/a.mp3"
USAGE = "robots.txt: Content-Usage train-ai=n"
SIGNAL = "robots.txt: Content-Signal ai-train=no"


def signals(text: str, url: str = URL) -> list[str]:
    return RobotsOptOuts(text, "audiocrawler").signals(url)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("User-agent: *\nDisallow: /", []),
        ("User-agent: Googlebot\nDisallow: /", []),
        ("User-agent: GPTBot\nDisallow: /", ["robots.txt: GPTBot may not"]),
        ("user-agent: gptbot/1.2\nDISALLOW: /audio # ours", ["robots.txt: GPTBot may not"]),
        ("User-agent: GPTBot\nDisallow: /video/", []),
        ("User-agent: GPTBot\nDisallow: /\nAllow: /audio/", []),
        ("User-agent: GPTBot\nDisallow:", []),
        ("User-agent: GPTBot\nUser-agent: Bytespider\nDisallow: *.mp3$", ["robots.txt: Bytespider, GPTBot may not"]),
        ("User-agent: CCBot\nAllow: /x\nUser-agent: *\nDisallow: /", []),
        ("User-agent: CCBot\nAllow: /x\n\nUser-agent: CCBot\nDisallow: /audio", ["robots.txt: CCBot may not"]),
        ("\ufeffUser-agent: ClaudeBot\r\nDisallow: /\r\n", ["robots.txt: ClaudeBot may not"]),
    ],
)
def test_what_ai_agents_may_not_fetch_is_opted_out(text: str, expected: list[str]) -> None:
    assert signals(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("User-agent: *\nContent-Signal: search=yes,ai-train=no,use=reference\nAllow: /", [SIGNAL]),
        ("User-agent: *\nContent-Signal: search=no, ai-train=yes", []),
        ("Content-Signal: ai-train=no", [SIGNAL]),
        ("User-agent: *\nContent-Usage: train-ai=n", [USAGE]),
        ("User-agent: *\nContent-Usage: bots=n", ["robots.txt: Content-Usage bots=n"]),
        ("User-agent: *\nContent-Usage: bots=n, train-ai=y", []),
        ("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /audio/ train-ai=y", []),
        ("User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: /audio/ train-ai=n", [USAGE]),
        ("User-agent: *\nContent-Usage: /audio/*.mp3$ train-ai=n\nContent-Usage: /audio/ train-ai=y", [USAGE]),
        ("User-agent: *\nContent-Usage: /video/ train-ai=n", []),
        ("User-agent: *\nContent-Usage: train-ai=y\nContent-Usage: train-ai=n", [USAGE]),
        ("User-agent: Bingbot\nContent-Usage: train-ai=n", []),
        ("User-agent: GPTBot\nContent-Usage: train-ai=n", [USAGE]),
        ("User-agent: *\nContent-Usage: train-ai=n\nUser-agent: audiocrawler\nAllow: /", []),
        ("User-agent: audiocrawler\nContent-Usage: train-ai=n", [USAGE]),
    ],
)
def test_statements_of_preference_count_by_group_and_path(text: str, expected: list[str]) -> None:
    assert signals(text) == expected


def test_all_signals_are_told() -> None:
    text = "User-agent: GPTBot\nDisallow: /\nUser-agent: *\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no"
    assert signals(text) == ["robots.txt: GPTBot may not", SIGNAL, USAGE]


def test_nonsense_says_nothing() -> None:
    assert signals("<html>User-agent</html>\n:::\nContent-Usage:\nContent-Signal: /only-a-path\n\x00" * 50) == []


RULES = "".join(f"Disallow: /{number}\n" for number in range(20_000))
NAMES = "".join(f"User-agent: {name}\n" for name in AI_AGENTS)


def size_bytes(text: str) -> int:
    return RobotsOptOuts(text, "audiocrawler").size_bytes


def test_thousands_of_names_over_thousands_of_rules_cost_no_more_than_one_name() -> None:
    one = "User-agent: GPTBot\n" + RULES
    many = "".join(f"User-agent: bot{number}\n" for number in range(2_000)) + "User-agent: gptbot/2\n" * 500 + one
    assert size_bytes(many) == size_bytes(one) > 0
    assert signals(many, "https://example.org/19999.mp3") == ["robots.txt: GPTBot may not"]


def test_agents_with_the_same_rules_share_them_and_others_have_a_bound_in_all() -> None:
    own_rules = "".join(f"User-agent: {name}\nDisallow: /{name}\n" for name in AI_AGENTS)
    assert size_bytes(NAMES + RULES) == size_bytes("User-agent: GPTBot\n" + RULES)
    assert size_bytes(own_rules + NAMES + RULES) == MAX_RULES * size_bytes("User-agent: GPTBot\nDisallow: /a")
    assert signals(own_rules, "https://example.org/CCBot/a.mp3") == ["robots.txt: CCBot may not"]


def test_statements_have_a_bound_for_each_agent() -> None:
    stated = "".join(f"Content-Usage: /{number} train-ai=n\n" for number in range(MAX_STATEMENTS))
    assert size_bytes(NAMES + stated * 3) == size_bytes(NAMES + stated) > 0
