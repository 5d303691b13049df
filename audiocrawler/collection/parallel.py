"""Work and its inputs in; results out as they come, from threads, with a bounded number of inputs taken."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_parallel(work: Callable[[T], R], inputs: Iterable[T], threads: int) -> Iterator[R]:
    """Yield what ``work`` returns for each input, in the order in which the threads end; raises what it raises.

    When the caller stops early, work that runs ends and no other begins.
    """
    pool = ThreadPoolExecutor(threads)
    running: set[Future[R]] = set()
    try:
        for each in inputs:
            running.add(pool.submit(work, each))
            if len(running) >= 2 * threads:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        yield from (future.result() for future in as_completed(running))
    finally:
        pool.shutdown(cancel_futures=True)
