"""What is still to be requested: kept where a crash does not reach it, leased to workers, and dropped when done."""

from audiocrawler.frontier.frontier import (
    Frontier,
    Leased,
    Limit,
    NewRequest,
    OpenCrawl,
    RequestClass,
    Start,
    SyncRequest,
    SyncResponse,
    open_frontier,
)
from audiocrawler.frontier.leases import Leases

__all__ = [
    "Frontier",
    "Leased",
    "Leases",
    "Limit",
    "NewRequest",
    "OpenCrawl",
    "RequestClass",
    "Start",
    "SyncRequest",
    "SyncResponse",
    "open_frontier",
]
