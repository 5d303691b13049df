"""A query over a view, and its SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.warehouse.views import SELECTABLE, Selectable, View

MAX_WHERE_LENGTH = 100_000


@dataclass(frozen=True, slots=True)
class Tally:
    """Group by the expressions ``by`` (name -> SQL); count the rows as ``n``, and sum columns.

    The expressions must never come from a user.
    """

    by: Mapping[str, str] = field(default_factory=dict)
    sums: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """The argument of Warehouse.select: which rows and columns of a view, in which order."""

    view: Selectable
    where: str = ""
    """One SQL expression over the view's columns, as given by the user; empty for all rows."""
    columns: tuple[str, ...] = ()
    """Empty for all."""
    order_by: str = ""
    """A column; empty for any order."""
    limit: int | None = None
    tally: Tally | None = None
    """Instead of columns."""


@dataclass(frozen=True, slots=True)
class Statements:
    """A query as SQL: ``probes`` are only compiled, ``select`` returns the rows.

    One probe has the expression in brackets and the other has not: only one whole expression compiles in both.
    """

    probes: tuple[str, ...]
    select: str


def statements_of(query: Query, views: str) -> Statements:
    """Return the SQL of a query; ``views`` are the WITH clauses of all views. Raises ConfigurationError.

    The expression is on lines of its own, so that a comment in it ends there.
    """
    view = SELECTABLE[query.view]
    columns = _tallied(query.tally, view) if query.tally else ", ".join(_known(query.columns or view.types, view))
    order = "".join(f" ORDER BY {name}" for name in _known(filter(None, [query.order_by]), view))
    group = ", ".join(str(1 + place) for place in range(len(query.tally.by))) if query.tally else ""
    order = f" GROUP BY {group}{order}" if group else order
    limit = "" if query.limit is None else f" LIMIT {int(query.limit)}"
    # The name of a view that is that of a column, too, might mean whole rows in BigQuery.
    source = f"{view.name} AS all_{view.name}" if view.name in view.types else view.name
    where = _where_of(query)
    condition = f" WHERE (\n{where}\n)" if where else ""
    select = f"{views}\nSELECT {columns} FROM {source}{condition}{order}{limit}"
    whole = f"{views}\nSELECT CASE WHEN\n{where}\nTHEN 1 END FROM {source}"
    return Statements((whole, select) if where else (select,), select)


def _tallied(tally: Tally, view: View) -> str:
    given = [f"{expression} AS {name}" for name, expression in tally.by.items()]
    return ", ".join([*given, "COUNT(*) AS n", *(f"SUM({name}) AS {name}" for name in _known(tally.sums, view))])


def _where_of(query: Query) -> str:
    where = query.where.strip()
    if len(where) > MAX_WHERE_LENGTH:
        raise refusal(query, f"is {len(where)} characters long, of at most {MAX_WHERE_LENGTH}")
    return where


def _known(names: Iterable[str], view: View) -> list[str]:
    given = list(names)
    for name in given:
        if name not in view.types:
            raise ConfigurationError(f"{name}: no such column in {view.name}; choose from {', '.join(view.types)}")
    return given


def refusal(query: Query, words: object) -> ConfigurationError:
    """Return the error for an expression that the database refuses in these words."""
    where = " ".join(query.where.split())
    shown = where if len(where) <= _SHOWN_LENGTH else f"{where[:_SHOWN_LENGTH]}..."
    return ConfigurationError(
        f"--where {shown!r}: {' '.join(str(words).split())}; "
        f"write one SQL expression over the columns of {query.view}, such as {SELECTABLE[query.view].example}"
    )


_SHOWN_LENGTH = 120
