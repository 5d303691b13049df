"""A URI of a store or warehouse in; the class registered for its scheme, or the local path it names, out."""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from audiocrawler.model.errors import ConfigurationError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def scheme_of(uri: str) -> str:
    """Return the scheme in lower case; a plain path has none."""
    match = _SCHEME.match(uri)
    return match[1].lower() if match else ""


def load_registered(uri: str, registry: Mapping[str, str]) -> Any:
    """Return the object that ``registry`` (scheme -> dotted path) names for ``uri``, imported now.

    Raises ConfigurationError where the scheme is not in the registry, or what it names cannot be imported.
    """
    scheme = scheme_of(uri)
    if scheme not in registry:
        known = ", ".join(f"{name}:" for name in registry if name)
        raise ConfigurationError(f"{uri}: unknown scheme {scheme or '(none)'}; known are {known}")
    module, _, name = registry[scheme].rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"{uri}: {registry[scheme]} cannot be imported: {error}; correct its path") from error


def local_path(uri: str) -> Path:
    """Return the absolute path that ``scheme:relative/path``, ``scheme:///absolute/path`` or a plain path names.

    Raises ConfigurationError where ``scheme://`` is followed by a host, which a relative path looks like.
    """
    rest = uri[len(scheme_of(uri)) :].removeprefix(":") if scheme_of(uri) else uri
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host not in {"", "localhost"}:
            raise ConfigurationError(f"{uri}: {host} is no folder of this machine; write {scheme_of(uri)}:{rest[2:]}")
        rest = "/" + unquote(path).lstrip("/")
    if not rest:
        raise ConfigurationError(f"{uri}: names no path")
    return Path(rest).absolute()
