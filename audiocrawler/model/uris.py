"""Resolve store, warehouse and frontier URIs to a class or a local path."""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from audiocrawler.model.errors import ConfigurationError

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)


def scheme_of(uri: str) -> str:
    """Return the scheme in lower case; empty for a plain path."""
    match = _SCHEME.match(uri)
    return match[1].lower() if match else ""


_EXTRAS = {"google": "gcp", "redis": "redis"}
"""Package -> the extra that installs it."""


def load_registered(uri: str, registry: Mapping[str, str], setting: str) -> Any:
    """Import and return the object registered for the scheme of ``uri`` (``registry``: scheme -> dotted path).

    Raises ConfigurationError, which names ``setting``, if the scheme is not registered, or the object cannot be
    imported or needs a package that is not installed.
    """
    scheme = scheme_of(uri)
    if scheme not in registry:
        known = ", ".join(f"{name}:" for name in registry if name)
        raise ConfigurationError(f"{setting}={uri}: unknown scheme {scheme or '(none)'}; use one of {known}")
    module, _, name = registry[scheme].rpartition(".")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if extra := _EXTRAS.get((error.name or "").partition(".")[0]):
            missing = f"{setting}={uri}: needs packages that are not installed"
            raise ConfigurationError(f"{missing}: pip install 'audiocrawler[{extra}]'") from error
        raise _wrong_path(uri, registry[scheme], setting, error) from error
    except (ImportError, AttributeError, ValueError) as error:
        raise _wrong_path(uri, registry[scheme], setting, error) from error


def _wrong_path(uri: str, path: str, setting: str, error: Exception) -> ConfigurationError:
    return ConfigurationError(f"{setting}={uri}: {path} cannot be imported: {error}; correct its path")


def local_path(uri: str) -> Path:
    """Return the absolute path of ``scheme:relative/path``, ``scheme:///absolute/path`` or a plain path.

    Raises ConfigurationError if ``scheme://`` is followed by a host, as when a relative path was meant.
    """
    rest = uri[len(scheme_of(uri)) :].removeprefix(":") if scheme_of(uri) else uri
    if rest.startswith("//"):
        host, _, path = rest[2:].partition("/")
        if host not in {"", "localhost"}:
            raise ConfigurationError(f"{uri}: {host} is not a local folder; write {scheme_of(uri)}:{rest[2:]}")
        rest = "/" + unquote(path).lstrip("/")
    if not rest:
        raise ConfigurationError(f"{uri}: path is missing")
    return Path(rest).absolute()
