"""The licences that are told by name or URL besides those of Creative Commons, and the names of ported versions."""

ALL_RIGHTS_RESERVED = "all-rights-reserved"
PUBLIC_DOMAIN = "public-domain"

NAMES = {
    "MIT": ("mit", "mit license"),
    "Apache-2.0": ("apache-2.0", "apache 2.0", "apache license 2.0", "apache license, version 2.0"),
    "GPL-2.0-only": ("gpl-2.0-only",),
    "GPL-2.0-or-later": ("gpl-2.0-or-later", "gplv2+"),
    "GPL-3.0-only": ("gpl-3.0-only",),
    "GPL-3.0-or-later": ("gpl-3.0-or-later", "gplv3+"),
    "LAL-1.3": ("lal-1.3", "free art license 1.3", "licence art libre 1.3"),
    "OGL-UK-3.0": ("ogl-uk-3.0", "open government licence v3.0"),
    "ODbL-1.0": ("odbl-1.0", "open database license 1.0"),
    "Unlicense": ("unlicense", "the unlicense"),
}
"""SPDX identifiers (spdx.org/licenses) with what names them and nothing else; the GPL without a word of later versions
is not among them, since its version alone does not say which of the two is meant."""

URLS = {
    "opensource.org/licenses/mit": "MIT",
    "opensource.org/license/mit": "MIT",
    "apache.org/licenses/license-2.0": "Apache-2.0",
    "artlibre.org/licence/lal": "LAL-1.3",
    "artlibre.org/licence/lal/en": "LAL-1.3",
    "nationalarchives.gov.uk/doc/open-government-licence/version/3": "OGL-UK-3.0",
    "opendatacommons.org/licenses/odbl/1-0": "ODbL-1.0",
    "unlicense.org": "Unlicense",
}
"""URLs in lower case, without scheme, ``www.``, last slash and ``.html``."""

PORTS = {
    "australia": "AU",
    "austria": "AT",
    "brazil": "BR",
    "canada": "CA",
    "france": "FR",
    "germany": "DE",
    "deutschland": "DE",
    "igo": "IGO",
    "italy": "IT",
    "japan": "JP",
    "netherlands": "NL",
    "poland": "PL",
    "spain": "ES",
    "switzerland": "CH",
    "united states": "US",
}
"""Countries as the names of ported Creative Commons licences give them, and how URLs and SPDX write them."""
