import json

import pytest

from audiocrawler.rights.optouts import TdmRules, header_signals, joined, meta_signals


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("noai", ["X-Robots-Tag: noai"]),
        ("noindex, NoML", ["X-Robots-Tag: noml"]),
        ("noai, noimageai, noml", ["X-Robots-Tag: noai", "X-Robots-Tag: noml"]),
        ("noimageai", []),
        ("noindex, nofollow", []),
        ("audiocrawler: noai", ["X-Robots-Tag: noai"]),
        ("*: noai", ["X-Robots-Tag: noai"]),
        ("GPTBot: noindex, noai", ["X-Robots-Tag: noai"]),
        ("bingbot: noindex, noai", []),
        ("bingbot: noai, audiocrawler: noindex", []),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST, noai", ["X-Robots-Tag: noai"]),
    ],
)
def test_x_robots_tag_counts_where_it_speaks_to_us(value: str, expected: list[str]) -> None:
    assert header_signals({"x-robots-tag": [value]}, "audiocrawler") == expected


def test_each_x_robots_tag_is_read_for_itself() -> None:
    assert header_signals({"x-robots-tag": ["bingbot: noindex", "noai"]}, "audiocrawler") == ["X-Robots-Tag: noai"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("content-signal", "search=yes, ai-train=no", ["Content-Signal: ai-train=no"]),
        ("content-signal", "ai-train=yes", []),
        ("content-usage", "train-ai=n", ["Content-Usage: train-ai=n"]),
        ("content-usage", "train-ai=n;why=x, search=y", ["Content-Usage: train-ai=n"]),
        ("content-usage", "train-ai=n, train-ai=y", []),
        ("content-usage", 'note="train-ai=n, x", search=n', []),
        ("content-usage", "bots=n", ["Content-Usage: bots=n"]),
        ("content-usage", "train-ai", []),
        ("tdm-reservation", "1", ["header tdm-reservation=1"]),
        ("tdm-reservation", "0", []),
        ("tdm-reservation", "yes", []),
        ("tdm-policy", "https://example.org/policy", []),
    ],
)
def test_other_headers(name: str, value: str, expected: list[str]) -> None:
    assert header_signals({name: [value]}, "audiocrawler") == expected


def test_a_tdm_policy_is_told_and_its_secrets_are_not() -> None:
    headers = {"tdm-reservation": ["1"], "tdm-policy": ["https://example.org/p?token=abc123"]}
    (signal,) = header_signals(headers, "audiocrawler")
    assert signal.startswith("header tdm-reservation=1, policy https://example.org/p?token=~")
    assert header_signals({**headers, "tdm-policy": ["javascript:x; y"]}, "a") == ["header tdm-reservation=1"]


@pytest.mark.parametrize(
    ("metas", "expected"),
    [
        ([("robots", "noindex, NOAI")], ["meta robots: noai"]),
        ([("ROBOTS", "noimageai")], []),
        ([("robots", "noml")], ["meta robots: noml"]),
        ([("audiocrawler", "noai")], ["meta audiocrawler: noai"]),
        ([("gptbot", "noai")], ["meta gptbot: noai"]),
        ([("googlebot", "noai")], []),
        ([("description", "noai")], []),
        ([("tdm-reservation", "1")], ["meta tdm-reservation=1"]),
        ([("tdm-reservation", "0"), ("tdm-reservation", "1")], []),
        (
            [("tdm-policy", "https://example.org/p"), ("tdm-reservation", " 1 ")],
            ["meta tdm-reservation=1, policy https://example.org/p"],
        ),
    ],
)
def test_meta_elements(metas: list[tuple[str, str]], expected: list[str]) -> None:
    assert meta_signals(metas, "audiocrawler") == expected


RULES = [
    {"location": "/free/", "tdm-reservation": 0},
    {"location": "/audio/*.mp3", "tdm-reservation": 1, "tdm-policy": "https://example.org/policy"},
    {"location": "/", "tdm-reservation": 0},
]


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        (RULES, "/audio/a.mp3", ["tdmrep.json: tdm-reservation=1, policy https://example.org/policy"]),
        (RULES, "/audio/a.ogg", []),
        ([{"location": "/", "tdm-reservation": 1}, *RULES], "/free/a.mp3", ["tdmrep.json: tdm-reservation=1"]),
        ([*RULES[:1], {"location": "/", "tdm-reservation": 1}], "/free/a.mp3", []),
        ([{"location": "/a.mp3$", "tdm-reservation": 1}], "/a.mp3x", []),
        ([{"location": "/x\nDisallow: /", "tdm-reservation": 1}], "/a.mp3", []),
        ([{"location": 5, "tdm-reservation": 1}, "x", None], "/a.mp3", []),
        ([{"location": "/", "tdm-reservation": "no"}], "/a.mp3", []),
    ],
)
def test_the_first_rule_of_tdmrep_json_that_matches_decides(
    rules: list[object], path: str, expected: list[str]
) -> None:
    assert TdmRules(json.dumps(rules)).signals(f"https://example.org{path}") == expected


@pytest.mark.parametrize("text", ["", "<!doctype html>", "[" * 100_000, "3", "null"])
def test_what_is_no_tdmrep_json_reserves_nothing(text: str) -> None:
    assert TdmRules(text).signals("https://example.org/a.mp3") == []


def test_signals_are_joined_once_each() -> None:
    assert joined(["a: b; c", None, "c", "d"]) == "a: b; c; d"
    assert joined([None]) is None
