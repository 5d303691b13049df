"""The rows and the objects of a finished crawl in; sent to another place, or checked against each other, out."""

from audiocrawler.collection.inventory import require_present
from audiocrawler.collection.sync import Sync, SyncResult
from audiocrawler.collection.verify import Verified, verify

__all__ = ["Sync", "SyncResult", "Verified", "require_present", "verify"]
