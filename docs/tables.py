"""Prints the tables of README from what the code declares: ``python -m docs.tables`` rewrites them in place.

A table stands between ``<!-- NAME: python -m docs.tables -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery.hubs import HUBS
from audiocrawler.model.declared import takes
from audiocrawler.model.rows import TABLES, TableSpec
from audiocrawler.model.settings import NAMES, AudioSettings

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"(<!-- (\w+): python -m docs\.tables -->\n).*?(<!-- end -->)", re.DOTALL)
_SIZES = ((1024**3, "GiB"), (1024**2, "MiB"))


def settings_table() -> str:
    """Return a row for each AUDIO_ setting."""
    fields = AudioSettings.model_fields.items()
    rows = ((f"`{NAMES[name]}`", *_cells(AudioSettings, name, field)) for name, field in fields)
    return table(("setting", "default", "value", "meaning"), rows)


def arguments_table() -> str:
    """Return a row for each argument of the spider."""
    rows = ((f"`{name}`", *_cells(Arguments, name, field)) for name, field in Arguments.model_fields.items())
    return table(("argument", "default", "value", "meaning"), rows)


def columns_table(declared: TableSpec) -> str:
    """Return a row for each column."""
    rows = ((f"`{each.name}`", each.type, each.mode, each.description) for each in declared.columns)
    return table(("column", "type", "mode", "meaning"), rows)


def hubs_table() -> str:
    """Return a row for each hub: an example of every kind of start, and the variables that it reads."""
    rows = (
        (
            each.title,
            "<br>".join(f"`{example}`" for example in each.examples),
            ", ".join(f"`{name}`" for name in (*each.variables, *([each.token.variable] if each.token else ())))
            or "none",
        )
        for each in HUBS
    )
    return table(("start", "for example", "variable with a token or key"), rows)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    first, *others = ("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in (head, *rows))
    return "".join((first, "|---" * len(head), "|\n", *others))


PRINTED: dict[str, Callable[[], str]] = {
    "settings": settings_table,
    "arguments": arguments_table,
    "hubs": hubs_table,
    **{each.name: lambda each=each: columns_table(each) for each in TABLES},  # type: ignore[misc]
}


def rewritten(text: str) -> str:
    """Return README with its tables as the code has them now."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{PRINTED[block[2]]()}\n{block[3]}", text)


def _cells(model: type[BaseModel], name: str, field: FieldInfo) -> tuple[str, str, str]:
    words: Any = field.json_schema_extra or {}
    default = words.get("shown") or _default_text(field.default, words.get("unit", ""))
    return default, takes(model, name), field.description or ""


def _default_text(value: object, unit: str) -> str:
    if value is None or value == ():
        return "none"
    if unit == "bytes" and isinstance(value, int):
        return next((f"{value // size} {name}" for size, name in _SIZES if value % size == 0), str(value))
    if isinstance(value, str | Path):
        return f"`{value}`"
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
