"""The same promises against a real project: opt in with AUDIO_TEST_GCP_PROJECT and AUDIO_TEST_GCP_BUCKET.

    AUDIO_TEST_GCP_PROJECT=my-project AUDIO_TEST_GCP_BUCKET=my-test-bucket pytest tests/test_real_cloud.py

It uses Application Default Credentials, a dataset of its own and a prefix of its own, and removes both at its end.
"""

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.cloud import bigquery, storage

from audiocrawler.warehouse.views import VIEWS
from tests.crawling import crawl
from tests.site.labels import sha256_of
from tests.site.server import Site

PROJECT = os.environ.get("AUDIO_TEST_GCP_PROJECT", "")
BUCKET = os.environ.get("AUDIO_TEST_GCP_BUCKET", "")

pytestmark = pytest.mark.skipif(
    not (PROJECT and BUCKET), reason="opt-in: AUDIO_TEST_GCP_PROJECT and _BUCKET are not set"
)


@dataclass(frozen=True, slots=True)
class Real:
    """A dataset and a prefix that only this test uses."""

    dataset: str
    prefix: str

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a crawl."""
        return {
            "AUDIO_STORE": f"gs://{BUCKET}/{self.prefix}",
            "AUDIO_WAREHOUSE": f"bigquery://{PROJECT}/{self.dataset}/audio_metadata",
            "AUDIO_GCP_PROJECT": PROJECT,
            "AUDIO_BIGQUERY_CREATE": "True",
        }


@pytest.fixture
def real() -> Iterator[Real]:
    name = f"audiocrawler_test_{secrets.token_hex(4)}"
    yield Real(name, name)
    bigquery.Client(project=PROJECT).delete_dataset(name, delete_contents=True, not_found_ok=True)
    for blob in storage.Client(project=PROJECT).bucket(BUCKET).list_blobs(prefix=f"{name}/"):
        blob.delete()


def test_two_crawls_leave_one_object_and_one_row_per_content(real: Real, site: Site, tmp_path: Path) -> None:
    for _ in range(2):
        run = crawl(tmp_path, f"url={site.url}/shore.html {site.url}/copies.html", env=real.env, timeout_s=600)
        assert run.code == 0, run.stderr
    client = bigquery.Client(project=PROJECT)
    rows = list(client.query(f"SELECT * FROM `{PROJECT}.{real.dataset}.audio_metadata`").result())
    bucket = storage.Client(project=PROJECT).bucket(BUCKET)
    blobs = {f"gs://{BUCKET}/{blob.name}": blob for blob in bucket.list_blobs(prefix=f"{real.prefix}/")}
    assert {row["gcp_url"] for row in rows} == set(blobs)
    assert sha256_of("surf.mp3") in {row["sha256"] for row in rows}
    for row in rows:
        assert hashlib.sha256(blobs[row["gcp_url"]].download_as_bytes()).hexdigest() == row["sha256"]
    tables = {table.table_id for table in client.list_tables(real.dataset)}
    assert tables == {"audio_metadata", "audio_sources", "audio_crawls", *VIEWS}
