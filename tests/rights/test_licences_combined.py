"""Statements about one file meet."""

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.statements import Statement
from audiocrawler.rights.licences import (
    Stated,
    credit_in,
    refusal,
    refusal_before,
    statements_in,
    wanted_licences,
    with_statements,
)

BY = "https://creativecommons.org/licenses/by/4.0/"
LINK = Statement("CC BY", BY, "page_link")
ZERO = Statement("CC0", None, "json_ld")
TERMS = Statement(None, "https://site.example/terms", "json_ld")
NOTICE = Statement("© Ada", None, "feed_item_notice")


def test_words_and_url_of_one_licence_are_one():
    assert with_statements(Stated(), [LINK]) == Stated("CC-BY-4.0", BY, f"CC BY {BY}", "page_link=CC-BY-4.0")


def test_a_notice_of_copyright_says_nothing_against_a_licence():
    stated = with_statements(Stated(), [LINK, NOTICE])
    assert (stated.license, stated.found_in) == ("CC-BY-4.0", "page_link=CC-BY-4.0 | feed_item_notice")
    assert stated.raw == f"CC BY {BY} | © Ada"


def test_different_licences_are_shown_and_none_is_taken():
    stated = with_statements(Stated(), [LINK, ZERO])
    assert (stated.license, stated.url, stated.is_conflict) == (None, None, True)
    assert stated.found_in == "page_link=CC-BY-4.0 | json_ld=CC0-1.0"


def test_a_link_whose_words_and_url_differ_is_a_conflict():
    assert with_statements(Stated(), [Statement("CC0", BY, "page_link")]).is_conflict


def test_a_licence_that_is_not_known_keeps_its_words_and_contradicts_a_known_one():
    alone = with_statements(Stated(), [TERMS])
    assert (alone.license, alone.url, alone.found_in, alone.is_conflict) == (None, TERMS.url, "json_ld", False)
    both = with_statements(alone, [LINK])
    assert (both.license, both.found_in, both.is_conflict) == (None, "json_ld=? | page_link=CC-BY-4.0", True)


def test_the_more_precise_of_two_names_counts():
    assert with_statements(Stated(), [Statement("CC BY", None, "json_ld"), LINK]).license == "CC-BY-4.0"


@pytest.mark.parametrize("first", [[LINK], [NOTICE], [TERMS], [ZERO, TERMS]])
@pytest.mark.parametrize("then", [[ZERO], [NOTICE], [LINK, TERMS]])
def test_what_is_added_later_counts_as_if_it_had_been_there_at_once_and_only_once(first, then):
    added = with_statements(with_statements(Stated(), first), then)
    assert added == with_statements(Stated(), [*first, *then])
    assert with_statements(added, then) == added


@pytest.mark.parametrize(
    ("tags", "license_"),
    [
        ({"license": BY}, "CC-BY-4.0"),
        ({"copyright": f"2024 Ada. Licensed to the public under {BY}"}, "CC-BY-4.0"),
        ({"wcop": BY}, "CC-BY-4.0"),
        ({"comment": f"see {BY}"}, "CC-BY-4.0"),
        ({"comment": "recorded at home", "title": "CC0"}, None),
        ({"copyright-eng": "CC0"}, "CC0-1.0"),
        (None, None),
    ],
)
def test_tags_state_licences(tags, license_):
    assert with_statements(Stated(), statements_in(tags)).license == license_


def test_tags_name_whom_to_credit():
    assert credit_in({"attribution": "Ada"}) == "Ada"
    assert credit_in(None) is None


def test_wanted_are_files_of_the_licences_named():
    wanted = wanted_licences("CC0-1.0, CC-BY-4.0")
    assert refusal(with_statements(Stated(), [LINK]), wanted) is None
    assert "CC-BY-4.0" in str(refusal(with_statements(Stated(), [LINK]), wanted_licences("CC0-1.0")))
    assert "conflicting" in str(refusal(with_statements(Stated(), [LINK, ZERO]), wanted))
    assert refusal(Stated(), wanted) == "no licence found"
    assert "© Ada" in str(refusal(with_statements(Stated(), [NOTICE]), wanted))
    assert refusal(Stated(), frozenset()) is None


def test_where_a_page_names_no_licence_the_file_itself_may():
    wanted = wanted_licences("CC0-1.0")
    assert refusal_before(Stated(), wanted) is None
    assert refusal_before(with_statements(Stated(), [NOTICE]), wanted) is None
    assert refusal_before(with_statements(Stated(), [LINK]), wanted)


def test_a_licence_that_does_not_exist_cannot_be_wanted():
    with pytest.raises(ConfigurationError, match=r"AUDIO_LICENSES=CC-BY-9\.0"):
        wanted_licences("CC0-1.0,CC-BY-9.0")
