"""The frontier: durable requests that are leased to workers and deleted when acknowledged."""

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
