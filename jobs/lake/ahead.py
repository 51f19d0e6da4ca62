"""Work done a little ahead of who needs it, in a thread of its own: Arrow reads and writes without Python's lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
DEPTH = 2


def ahead(items: Iterator[T], depth: int = DEPTH) -> Generator[T]:
    """The same items in the same order, up to ``depth`` of them made ahead; what their making raises is raised here."""
    end = object()
    pool = ThreadPoolExecutor(1, "ahead")
    try:
        waiting = deque(pool.submit(next, items, end) for _ in range(depth))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # the end is no item
    finally:
        pool.shutdown(cancel_futures=True)
