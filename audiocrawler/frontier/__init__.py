"""What is still to be requested: kept where a crash does not reach it, leased to workers, and dropped when done."""

from audiocrawler.frontier.frontier import (
    Answer,
    Exchange,
    Frontier,
    Kind,
    Leased,
    Limit,
    NewRequest,
    OpenCrawl,
    Start,
    open_frontier,
)
from audiocrawler.frontier.leases import Leases

__all__ = [
    "Answer",
    "Exchange",
    "Frontier",
    "Kind",
    "Leased",
    "Leases",
    "Limit",
    "NewRequest",
    "OpenCrawl",
    "Start",
    "open_frontier",
]
