"""What holds for every hub."""

import random
from typing import Any

import pytest
from scrapy.http import TextResponse

from audiocrawler.discovery import DEFAULT_FINDERS, find_in, read
from audiocrawler.discovery.hubs import HUBS, SCHEMES, start_of, token_headers
from audiocrawler.model.text import mask_text
from tests.discovery.hubs.answers import in_json

KEYS = {"FREESOUND_TOKEN": "SeCrEt", "XENO_CANTO_KEY": "SeCrEt"}


@pytest.mark.parametrize("hub", HUBS, ids=lambda hub: hub.name)
def test_its_examples_are_its_starts(hub: Any) -> None:
    for example in hub.examples:
        found = start_of(example.replace("ID", "1AbCdEfGhIjKlMn"), KEYS)
        if hub.start is not None and "s3.example.org" not in example and "/s/TOKEN" not in example:
            assert found is not None, example
            assert found.found_by == hub.name
    assert {each for each in (example.partition(":")[0] for example in hub.examples) if each in SCHEMES} <= set(
        hub.schemes
    )


def test_a_token_goes_to_its_own_host_only_and_never_in_the_clear() -> None:
    environment = {hub.token.variable: "SeCrEt" for hub in HUBS if hub.token}
    for hub in HUBS:
        if hub.token is None:
            continue
        for host in hub.token.hosts:
            headers = token_headers(f"https://{host}/x", environment)
            assert headers == {hub.token.header: hub.token.form.format("SeCrEt")}
            for other in (
                f"http://{host}/x",
                f"https://{host}.evil.example/",
                f"https://x{host}/",
                "https://cdn.example/",
            ):
                assert token_headers(other, environment) == {}
            assert token_headers(f"https://{host}/x", {}) == {}
    assert "SeCrEt" not in mask_text((start_of("https://xeno-canto.org/42", KEYS) or HUBS[0]).url)  # type: ignore[union-attr]


def test_hubs_are_switched_off_with_their_finder() -> None:
    value = (
        b'{"metadata": {"title": "x"}, "files": [{"key": "a.wav", "links": {"self": "https://e.example/a/content"}}]}'
    )
    document = read(TextResponse("https://e.example/api/records/1", body=value))
    off = {**DEFAULT_FINDERS, "audiocrawler.discovery.hubs.find_hubs": None}
    found = [[each.found_by for each in find_in(document, finders)] for finders in (DEFAULT_FINDERS, off)]
    assert found == [["zenodo"], ["json"]]


WORDS = """
metadata files entries hits links next kind items name bucket tree path type blob sha truncated full_name key id value
default_branch download_url previews results recordings numPages file books url_rss sections data attributes status
relationships related href latestVersion dataFile query pages imageinfo extmetadata continue response docs identifier
children folder figshare_url authors license size page cursor total_count start prefixes rights creators embeds
"""
URLS = (
    "https://zenodo.org/api/records/1",
    "https://api.github.com/repos/o/r",
    "https://api.github.com/repos/o/r/git/trees/main?recursive=1",
    "https://api.github.com/repos/o/r/contents/x",
    "https://gitlab.com/api/v4/projects/1",
    "https://gitlab.com/api/v4/projects/1/repository/tree",
    "https://huggingface.co/api/datasets/o/d",
    "https://huggingface.co/api/datasets/o/d/tree/main",
    "https://api.figshare.com/v2/articles/1/files",
    "https://api.osf.io/v2/nodes/x/",
    "https://archive.org/services/search/v1/scrape?q=x",
    "https://api.onedrive.com/v1.0/shares/u!x/root",
    "https://commons.wikimedia.org/w/api.php",
    "https://freesound.org/apiv2/search/text/",
)


def value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(8 if depth < 5 else 5)
    if kind < 5:
        leaves = [
            "a.wav",
            "file",
            "nodes",
            "files",
            "dir",
            "OK",
            "storage#objects",
            "https://e.example/a.wav",
            "//x",
            "\ud800",
            "",
        ]
        return rng.choice([None, True, -1, 0, 7, 1.5, 10**30, float("nan"), *leaves])
    if kind == 5:
        return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {word: value(rng, depth + 1) for word in rng.sample(WORDS.split(), rng.randrange(12))}


@pytest.mark.parametrize("url", URLS)
def test_no_answer_however_wrong_raises(url: str) -> None:
    rng = random.Random(url)
    for _ in range(300):
        in_json(url, value(rng))
