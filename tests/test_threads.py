import asyncio
import threading
import time
from functools import partial

import pytest

from audiocrawler.crawl.rows import Threads


def test_results_and_errors_come_back_to_their_callers() -> None:
    def fail(number: int) -> int:
        raise ValueError(str(number))

    async def main() -> list[object]:
        threads = Threads(3, "test")
        work = [lambda n=n: n if n % 2 else fail(n) for n in range(50)]
        results = await asyncio.gather(*map(threads.run, work), return_exceptions=True)
        threads.close()
        return results

    results = asyncio.run(main())
    assert results[1::2] == list(range(1, 50, 2))
    assert [str(error) for error in results[::2]] == [str(n) for n in range(0, 50, 2)]


def test_no_more_work_at_a_time_than_there_are_threads() -> None:
    lock, at_once, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.01)
        with lock:
            at_once -= 1

    async def main() -> None:
        threads = Threads(2, "test")
        await asyncio.gather(*(threads.run(work) for _ in range(12)))
        threads.close()

    asyncio.run(main())
    assert most == 2


def test_one_thread_does_the_work_in_order() -> None:
    done: list[int] = []

    async def main() -> None:
        threads = Threads(1, "test")
        await asyncio.gather(*(threads.run(partial(done.append, n)) for n in range(100)))
        threads.close()

    asyncio.run(main())
    assert done == list(range(100))


def test_closing_waits_for_what_was_begun_and_leaves_no_thread() -> None:
    done: list[int] = []
    before = threading.active_count()

    def work() -> None:
        time.sleep(0.05)
        done.append(1)

    async def main() -> None:
        threads = Threads(1, "test")
        tasks = [asyncio.ensure_future(threads.run(work)) for _ in range(3)]
        await asyncio.sleep(0)
        threads.close()
        assert len(done) == 3
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert threading.active_count() == before


def test_work_whose_caller_was_cancelled_is_not_begun() -> None:
    done: list[str] = []

    async def main() -> None:
        threads, may_end = Threads(1, "test"), threading.Event()
        first = asyncio.ensure_future(threads.run(lambda: may_end.wait(5)))
        second = asyncio.ensure_future(threads.run(lambda: done.append("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        may_end.set()
        assert await first
        threads.close()

    asyncio.run(main())
    assert done == []
