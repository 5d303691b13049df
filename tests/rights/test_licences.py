"""Real wordings and URLs, and what they name."""

import pytest

from audiocrawler.rights.licences import identify, is_identifier

NAMED = {
    "http://creativecommons.org/licenses/by/4.0": "CC-BY-4.0",
    "https://creativecommons.org/licenses/by-sa/4.0/deed.de": "CC-BY-SA-4.0",
    "https://www.creativecommons.org/licenses/by-nc-nd/3.0/us/legalcode": "CC-BY-NC-ND-3.0-US",
    "//creativecommons.org/licenses/by/3.0/de/": "CC-BY-3.0-DE",
    "creativecommons.org/licenses/by-nc/2.5/": "CC-BY-NC-2.5",
    "https://creativecommons.org/licenses/by-nd-nc/1.0/": "CC-BY-NC-ND-1.0",
    "https://creativecommons.org/licences/by/4.0/": "CC-BY-4.0",
    "https://creativecommons.org/licenses/by/3.0/igo/": "CC-BY-3.0-IGO",
    "https://creativecommons.org/publicdomain/zero/1.0/": "CC0-1.0",
    "http://creativecommons.org/publicdomain/zero/1.0/legalcode.de": "CC0-1.0",
    "https://creativecommons.org/publicdomain/mark/1.0/deed.en": "CC-PDM-1.0",
    "http://creativecommons.org/licenses/publicdomain/": "CC-PDDC",
    "CC BY-SA 4.0": "CC-BY-SA-4.0",
    "cc-by-nc-sa-3.0-de": "CC-BY-NC-SA-3.0-DE",
    "CC-BY": "CC-BY",
    "CC BY 4": "CC-BY",
    "cc-by-4.0": "CC-BY-4.0",
    "Creative Commons Attribution 4.0 International": "CC-BY-4.0",
    "Creative Commons Attribution 4.0 International (CC BY 4.0)": "CC-BY-4.0",
    "Creative Commons Attribution-NonCommercial-ShareAlike 3.0 Unported License": "CC-BY-NC-SA-3.0",
    "Creative Commons Attribution Non Commercial No Derivatives 4.0": "CC-BY-NC-ND-4.0",
    "Creative Commons Attribution 3.0 Germany": "CC-BY-3.0-DE",
    "Creative Commons Attribution license (reuse allowed)": "CC-BY",
    "Attribution NonCommercial 4.0": "CC-BY-NC-4.0",
    "Attribution 4.0 International": "CC-BY-4.0",
    "CC BY 3.0 by Ada": "CC-BY-3.0",
    "CC0": "CC0-1.0",
    "CC0 1.0 Universal": "CC0-1.0",
    "Creative Commons 0": "CC0-1.0",
    "Creative Commons Zero v1.0 Universal": "CC0-1.0",
    "2024 Ada. Licensed to the public under http://creativecommons.org/licenses/by/3.0/ verify at http://ada.example": (
        "CC-BY-3.0"
    ),
    "Public Domain": "public-domain",
    "Public Domain Mark 1.0": "CC-PDM-1.0",
    "© 2024 Example FM. All rights reserved.": "all-rights-reserved",
    "Alle Rechte vorbehalten": "all-rights-reserved",
    "http://rightsstatements.org/vocab/InC/1.0/": "rightsstatements-InC-1.0",
    "https://rightsstatements.org/page/NoC-US/1.0/?language=en": "rightsstatements-NoC-US-1.0",
    "MIT License": "MIT",
    "https://opensource.org/licenses/MIT": "MIT",
    "GPL-3.0-or-later": "GPL-3.0-or-later",
}
UNNAMED = [
    None,
    "",
    "© 2024 Ada",
    "Royalty free",
    "https://example.org/terms",
    "Creative Commons",
    "https://creativecommons.org/",
    "https://creativecommons.org/licenses/",
    "https://creativecommons.org/licenses/sampling+/1.0/",
    "https://creativecommons.org/licenses/by/9.9/",
    "CC BY 4.0 or CC BY-SA 4.0",
    "Not licensed under CC BY 4.0",
    "CC BY 4.0 except where noted",
    "Recorded in the public domain room of the town hall, which was built when nobody asked for the rights in it",
    "GPL",
    "attribution required",
    "Mitchell",
    "CC",
    "success by 4.0",
    "https://shop.example/?next=https://creativecommons.org/licenses/by/4.0/",
]


@pytest.mark.parametrize("wording", NAMED)
def test_a_wording_names_its_licence(wording):
    assert identify(wording) == NAMED[wording]
    assert is_identifier(NAMED[wording])


@pytest.mark.parametrize("wording", UNNAMED)
def test_what_is_unknown_doubtful_or_ambiguous_names_none(wording):
    assert identify(wording) is None


@pytest.mark.parametrize("text", ["CC-BY-9.0", "CC-NC-4.0", "CC0", "cc-by-4.0", "GPL", "rightsstatements-X-1.0", ""])
def test_what_is_no_identifier_is_told(text):
    assert not is_identifier(text)
