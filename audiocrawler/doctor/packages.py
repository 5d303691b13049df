"""Check the versions of Python, the packages and the extras against pyproject.toml."""

import platform
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import audiocrawler
from audiocrawler.doctor.check import Check, broken, missing, ok

PROJECT = "audiocrawler"


def of_packages() -> Iterator[Check]:
    """Check Python, the required packages, and each extra."""
    python, required, extras = _declared()
    yield python_within(python, platform.python_version())
    yield from of_required(required)
    for name, wanted in extras.items():
        yield of_extra(name, wanted)


def python_within(bounds: str, version: str) -> Check:
    """Check the version of Python."""
    if SpecifierSet(bounds).contains(version, prereleases=True):
        return ok("python", version)
    return broken("python", f"{version} is outside {bounds}", f"make a virtual environment with Python {bounds}")


def of_required(required: Sequence[Requirement]) -> Iterator[Check]:
    """Check the required packages."""
    problems = {str(wanted): problem for wanted in required if (problem := _problem(wanted))}
    for wanted, problem in problems.items():
        yield broken("packages", problem, f"pip install '{wanted.partition(';')[0].strip()}'")
    if not problems:
        yield ok("packages", f"{len(required)}, all within their bounds")


def of_extra(name: str, required: Sequence[Requirement]) -> Check:
    """Check the packages of an extra."""
    absent = [each.name for each in required if _version(each.name) is None]
    if absent:
        return missing(f"[{name}]", f"{', '.join(absent)} not installed", f"pip install '{PROJECT}[{name}]'")
    if problem := next(filter(None, map(_problem, required)), None):
        return broken(f"[{name}]", problem, f"pip install '{PROJECT}[{name}]'")
    return ok(f"[{name}]", ", ".join(f"{each.name} {_version(each.name)}" for each in required))


def _problem(wanted: Requirement) -> str | None:
    version = _version(wanted.name)
    if version is None:
        return f"{wanted.name} is not installed"
    is_within = wanted.specifier.contains(version, prereleases=True)
    return None if is_within else f"{wanted.name} {version} is outside {wanted.specifier}"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _declared() -> tuple[str, list[Requirement], dict[str, list[Requirement]]]:
    """Return the bounds of Python, the requirements and the extras, from pyproject.toml or the installed wheel."""
    path = Path(audiocrawler.__file__).parents[1] / "pyproject.toml"
    if path.exists():
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        return project["requires-python"], _needed(project["dependencies"]), _each(project["optional-dependencies"])
    about = metadata.metadata(PROJECT)
    given = metadata.requires(PROJECT) or []
    names = about.get_all("Provides-Extra") or []
    extras = {name: [each for each in given if f'extra == "{name}"' in each.replace("'", '"')] for name in names}
    base = [each for each in given if "extra ==" not in each]
    return about["Requires-Python"], _needed(base), _each(extras)


def _each(extras: Mapping[str, Sequence[str]]) -> dict[str, list[Requirement]]:
    return {name: _needed(given, name) for name, given in extras.items()}


def _needed(given: Sequence[str], extra: str = "") -> list[Requirement]:
    """Return the requirements whose markers apply here."""
    wanted = map(Requirement, given)
    return [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": extra})]
