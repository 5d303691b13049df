"""The MERGE statements from a batch's staging tables into BigQuery's tables.

The SQL has the same result as ``merge_rows``, ``recompute_statuses`` and ``derive`` row by row.
"""

from collections.abc import Callable, Iterable, Mapping

from audiocrawler.model.rows import AUDIO_CRAWLS, AUDIO_METADATA, AUDIO_SOURCES, Merge, TableSpec
from audiocrawler.model.statuses import Status, Trait, quoted

SEQUENCE = "outbox_sequence"
"""The extra column of staging tables: later rows have larger numbers."""

_PENDING = f"n.status = '{Status.PENDING}'"
_FINAL = quoted(Trait.FINAL)
_IS_OUTCOME_NEW = f"(o.status IS NULL OR NOT {_PENDING} AND (n.status IN ({_FINAL}) OR o.status NOT IN ({_FINAL})))"


def merge_sources(target: str, staged_sources: str, staged_audio: str) -> str:
    """Return the MERGE into audio_sources, which also recomputes which sources are stored and which duplicates.

    It covers all sources of the files affected by the batch, so no second statement is needed: the smallest source_url
    of equal bytes is stored, the others are its duplicates, and all get the URL of the batch's object.
    """
    return f"""
MERGE `{target}` AS t USING (
  WITH staged AS ({_latest(staged_sources, "source_url")}),
  placed AS (SELECT sha256, gcp_url FROM ({_latest(staged_audio, _FILE, "gcp_url")}) WHERE sha256 IS NOT NULL),
  met AS (
    SELECT n.* REPLACE ({_merged_sources()}), o.sha256 AS sha256_before
    FROM staged AS n LEFT JOIN `{target}` AS o ON o.source_url = n.source_url
  ),
  concerned AS (
    SELECT sha256 FROM met WHERE sha256 IS NOT NULL
    UNION DISTINCT SELECT sha256_before FROM met WHERE sha256_before IS NOT NULL
    UNION DISTINCT SELECT sha256 FROM placed
  ),
  found AS (
    SELECT * EXCEPT (sha256_before) FROM met
    UNION ALL
    SELECT {_names(AUDIO_SOURCES)} FROM `{target}`
    WHERE sha256 IN (SELECT sha256 FROM concerned) AND source_url NOT IN (SELECT source_url FROM staged)
  ),
  smallest AS (
    SELECT sha256, MIN(source_url) AS smallest_url FROM found
    WHERE sha256 IS NOT NULL AND status IN ({quoted(Trait.STORED)}) GROUP BY sha256
  ),
  ranked AS (
    SELECT found.*, placed.gcp_url AS placed_url, smallest_url,
      CASE WHEN status IN ({quoted(Trait.RANKED)}) AND smallest_url IS NOT NULL
        THEN IF(source_url = smallest_url, '{Status.STORED}', '{Status.DUPLICATE}') END AS settled
    FROM found
    LEFT JOIN smallest ON smallest.sha256 = found.sha256
    LEFT JOIN placed ON placed.sha256 = found.sha256
  )
  SELECT * REPLACE ({_aliased(_SETTLED_COLUMNS)}) FROM ranked
) AS s ON t.source_url = s.source_url
{_written(AUDIO_SOURCES)}"""  # noqa: S608 - names of tables and columns, no values


_FILE = "COALESCE(sha256, gcp_url)"
"""What identifies a file, so that it keeps its row when its folder or bucket moves."""

_SETTLED_COLUMNS = {
    "gcp_url": "IF(gcp_url IS NULL, NULL, COALESCE(placed_url, gcp_url))",
    "status": "COALESCE(settled, status)",
    "reason": (
        f"CASE settled WHEN '{Status.STORED}' THEN IF(STARTS_WITH(reason, 'the same bytes as '), NULL, reason) "
        f"WHEN '{Status.DUPLICATE}' THEN CONCAT('the same bytes as ', smallest_url) ELSE reason END"
    ),
    "last_status": f"IF(settled IS NOT NULL AND last_status IN ({quoted(Trait.RANKED)}), settled, last_status)",
}


def merge_audio(target: str, sources: str, staged_audio: str) -> str:
    """Return the MERGE into audio_metadata, which derives columns from the current audio_sources.

    It derives them for every file with sources and writes only changes: a source may have switched from a file of an
    earlier batch to other bytes, and the price of a MERGE does not depend on the number of rows it reads.
    """
    return f"""
MERGE `{target}` AS t USING (
  WITH taken AS (
    SELECT SUBSTR(source_url, 8) AS taken_sha256 FROM `{sources}`
    WHERE status = '{Status.TAKEN_DOWN}' AND STARTS_WITH(source_url, 'sha256:')
  ),
  staged AS (
    SELECT * FROM ({_latest(staged_audio, _FILE, "gcp_url")})
    WHERE sha256 IS NULL OR sha256 NOT IN (SELECT taken_sha256 FROM taken)
  ),
  known AS (
    SELECT sha256, MIN(gcp_url) AS known_url FROM `{target}`
    WHERE sha256 IN (SELECT sha256 FROM staged WHERE sha256 IS NOT NULL) GROUP BY sha256
  ),
  located AS (
    SELECT staged.*, COALESCE(known_url, gcp_url) AS old_url FROM staged LEFT JOIN known ON known.sha256 = staged.sha256
  ),
  met AS (
    SELECT n.* REPLACE ({_merged(AUDIO_METADATA)}) FROM located AS n LEFT JOIN `{target}` AS o ON o.gcp_url = n.old_url
  ),
  found AS (
    SELECT *, TRUE AS is_written, FALSE AS is_replaced FROM met
    UNION ALL
    SELECT {_names(AUDIO_METADATA)}, gcp_url, FALSE,
      gcp_url IN (SELECT gcp_url FROM met) OR COALESCE(sha256 IN (SELECT taken_sha256 FROM taken), FALSE)
    FROM `{target}`
    WHERE gcp_url NOT IN (SELECT old_url FROM met)
      AND (sha256 IS NULL OR sha256 NOT IN (SELECT sha256 FROM met WHERE sha256 IS NOT NULL))
  ),
  stated AS (
    SELECT sha256 AS stated_sha256,
      {_of_first("title")} AS stated_title,
      {_of_first("artist")} AS stated_artist,
      MIN(source_url) AS stated_source_url,
      MIN_BY(page_url, source_url) AS stated_page_url,
      MIN_BY(found_by, source_url) AS stated_found_by,
      MIN(license) AS stated_license,
      {_of_first("license_url")} AS stated_license_url,
      COUNT(DISTINCT license) = 1 AND COUNTIF(license IS NULL) = 0 AS is_agreed,
      COUNT(DISTINCT license) > 1 OR COUNTIF(license IS NULL AND license_found_in LIKE '%=%') > 0 AS is_conflict
    FROM `{sources}` WHERE sha256 IS NOT NULL GROUP BY sha256
  ),
  derived AS (
    SELECT found.*, {_list(f"{_derived(name)} AS derived_{name}" for name in _DERIVED_COLUMNS)}
    FROM (
      SELECT *, source_url IN (SELECT source_url FROM `{sources}` WHERE status = '{Status.TAKEN_DOWN}') AS is_orphaned
      FROM found
    ) AS found LEFT JOIN stated ON stated_sha256 = sha256
  )
  SELECT * REPLACE ({_list(f"derived_{name} AS {name}" for name in _DERIVED_COLUMNS)}) FROM derived
  WHERE is_written OR is_replaced
    OR {" OR ".join(f"{name} IS DISTINCT FROM derived_{name}" for name in _DERIVED_COLUMNS)}
) AS s ON t.gcp_url = s.old_url
WHEN MATCHED AND s.is_replaced THEN DELETE
{_written(AUDIO_METADATA)}"""  # noqa: S608 - names of tables and columns, no values


def merge_crawls(target: str, staged_crawls: str) -> str:
    """Return the MERGE into audio_crawls."""
    return f"""
MERGE `{target}` AS t USING (
  SELECT n.* REPLACE ({_merged(AUDIO_CRAWLS)})
  FROM ({_latest(staged_crawls, "crawl_id")}) AS n LEFT JOIN `{target}` AS o ON o.crawl_id = n.crawl_id
) AS s ON t.crawl_id = s.crawl_id
{_written(AUDIO_CRAWLS)}"""  # noqa: S608 - names of tables and columns, no values


def _of_first(name: str) -> str:
    """Return SQL for the value of the smallest source_url that has one."""
    return f"MIN_BY({name}, IF({name} IS NULL, NULL, source_url))"


_DERIVED_COLUMNS = {
    **{name: f"IF(is_orphaned, stated_{name}, {name})" for name in ("source_url", "page_url", "found_by")},
    "title": "COALESCE(NULLIF(stated_title, ''), JSON_VALUE(tags, '$.title'))",
    "artist": "COALESCE(NULLIF(stated_artist, ''), JSON_VALUE(tags, '$.artist'))",
    "license": "IF(is_agreed, stated_license, NULL)",
    "license_url": "IF(is_agreed, stated_license_url, NULL)",
    "license_conflict": "is_conflict",
}


def _derived(name: str) -> str:
    """Return SQL for the derived value; a file without sources keeps its own."""
    return f"IF(stated_sha256 IS NULL, {name}, {_DERIVED_COLUMNS[name]})"


def _latest(staged: str, *keys: str) -> str:
    """Return a query for the latest staged row of each key, because MERGE would insert equal new keys twice."""
    is_latest = (f"ROW_NUMBER() OVER (PARTITION BY {key} ORDER BY {SEQUENCE} DESC) = 1" for key in keys)
    return (
        f"SELECT * EXCEPT ({SEQUENCE}) FROM `{staged}` "  # noqa: S608 - names, no values
        f"WHERE TRUE QUALIFY {' AND '.join(is_latest)}"
    )


def _names(table: TableSpec) -> str:
    return _list(column.name for column in table.columns)


def _merged(table: TableSpec) -> str:
    """Return SQL that merges staged row ``n`` with existing row ``o``, which is all NULL if there is none."""
    rules = {column.name: _RULES[column.merge](column.name) for column in table.columns}
    return _aliased({name: rule for name, rule in rules.items() if rule != _newer(name)})


def _merged_sources() -> str:
    """Return SQL that merges columns; a tombstone replaces all of them, and is permanent."""
    rules = {column.name: _RULES[column.merge](column.name) for column in AUDIO_SOURCES.columns}
    new, old = (f"{row}.status = '{Status.TAKEN_DOWN}'" for row in ("n", "o"))
    return _aliased(
        {
            name: f"CASE WHEN {new} THEN n.{name} WHEN {old} THEN o.{name} ELSE {rule} END"
            for name, rule in rules.items()
            if name != AUDIO_SOURCES.key
        }
    )


def _aliased(values: Mapping[str, str]) -> str:
    return _list(f"{value} AS {name}" for name, value in values.items())


def _written(table: TableSpec) -> str:
    columns = [column.name for column in table.columns]
    changes, values = _list(f"{name} = s.{name}" for name in columns), _list(f"s.{name}" for name in columns)
    return f"WHEN MATCHED THEN UPDATE SET {changes}\nWHEN NOT MATCHED THEN INSERT ({_list(columns)}) VALUES ({values})"  # noqa: S608 - the same


def _list(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _newer(name: str) -> str:
    return f"n.{name}"


def _coalesce(name: str) -> str:
    return f"COALESCE(n.{name}, o.{name})"


def _earliest(name: str) -> str:
    return f"IF(o.{name} IS NULL OR n.{name} < o.{name}, n.{name}, o.{name})"


def _latest_time(name: str) -> str:
    return f"IF(o.{name} IS NULL OR n.{name} > o.{name}, n.{name}, o.{name})"


def _of_smallest(origin: str) -> Callable[[str], str]:
    def rule(name: str) -> str:
        is_new_preferred = f"o.{origin} IS NULL OR n.{origin} <= o.{origin}"
        return f"IF({is_new_preferred}, COALESCE(n.{name}, o.{name}), COALESCE(o.{name}, n.{name}))"

    return rule


def _stated(name: str) -> str:
    is_new_preferred = (
        "n.license_raw IS NOT NULL AND (o.license_raw IS NULL OR n.sha256 IS NOT NULL OR o.page_url IS NULL "
        "OR n.page_url = o.page_url OR (o.sha256 IS NULL AND n.page_url < o.page_url))"
    )
    return f"IF({is_new_preferred} OR (o.license_raw IS NULL AND o.license IS NULL), n.{name}, o.{name})"


def _attempt(name: str) -> str:
    return f"IF(o.status IS NOT NULL AND {_PENDING}, o.{name}, n.{name})"


def _outcome(name: str) -> str:
    return f"IF({_IS_OUTCOME_NEW}, n.{name}, o.{name})"


def _known(name: str) -> str:
    return f"IF({_IS_OUTCOME_NEW}, IF(n.sha256 IS NULL, COALESCE(n.{name}, o.{name}), n.{name}), o.{name})"


_RULES: dict[Merge, Callable[[str], str]] = {
    Merge.KEY: _newer,
    Merge.OVERWRITE: _newer,
    Merge.COALESCE: _coalesce,
    Merge.EARLIEST: _earliest,
    Merge.LATEST: _latest_time,
    Merge.SMALLEST_SOURCE: _of_smallest("source_url"),
    Merge.SMALLEST_PAGE: _of_smallest("page_url"),
    Merge.FROM_SOURCES: _coalesce,
    Merge.STATED: _stated,
    Merge.ATTEMPT: _attempt,
    Merge.OUTCOME: _outcome,
    Merge.KNOWN: _known,
}
