"""Work on a finished collection: copy it elsewhere, verify it, take parts of it down."""

from audiocrawler.collection.inventory import require_present
from audiocrawler.collection.sync import Sync, SyncResult
from audiocrawler.collection.verify import Verified, verify

__all__ = ["Sync", "SyncResult", "Verified", "require_present", "verify"]
