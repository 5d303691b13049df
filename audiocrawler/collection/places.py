"""The URI of a store or warehouse in; nothing out if there may be something at it."""

from audiocrawler.errors import ConfigurationError
from audiocrawler.uris import local_path, scheme_of

LOCAL_SCHEMES = frozenset({"", "file", "sqlite"})


def require_present(uri: str, option: str) -> None:
    """Raise ConfigurationError if ``uri``, which ``option`` gives, names a local path that is not there.

    Opening it would create it, and an empty collection has no problems.
    """
    if scheme_of(uri) in LOCAL_SCHEMES and not local_path(uri).exists():
        raise ConfigurationError(f"{option} {uri}: {local_path(uri)} is not there; run this where the crawl ran")
