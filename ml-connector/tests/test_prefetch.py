from __future__ import annotations

import threading

import pytest

from ml_connector.extract.prefetch import prefetch


def prefetch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


class Source:
    """Pages 1 to `count`; notes which were asked for, and lets a test wait until one is."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.count, self.fail_at = count, fail_at
        self.asked = 0
        self.closed = threading.Event()
        self.moved = threading.Condition()

    def __iter__(self):
        try:
            for page in range(1, self.count + 1):
                with self.moved:
                    self.asked = page
                    self.moved.notify_all()
                if page == self.fail_at:
                    raise ConnectionError(f"page {page}")
                yield page
        finally:
            self.closed.set()

    def wait_until_asked_for(self, page: int) -> None:
        with self.moved:
            assert self.moved.wait_for(lambda: self.asked >= page, timeout=30)


@pytest.mark.parametrize("ahead", [0, 1, 3, 100])
def test_pages_keep_their_order(ahead):
    assert list(prefetch(Source(20), ahead)) == list(range(1, 21))
    assert prefetch_threads() == []


def test_no_prefetching_asks_for_a_page_only_when_it_is_wanted():
    source = Source(3)
    pages = prefetch(source, 0)
    assert source.asked == 0
    next(pages)
    assert source.asked == 1
    assert prefetch_threads() == []


def test_the_next_pages_are_fetched_while_the_first_is_worked_on():
    source = Source(10)
    pages = prefetch(source, 2)
    assert next(pages) == 1
    source.wait_until_asked_for(3)
    pages.close()
    assert source.closed.wait(30)


def test_no_more_pages_wait_than_agreed():
    source = Source(10)
    pages = prefetch(source, 2)
    next(pages)
    source.wait_until_asked_for(3)
    # Page 4 may be asked for only after page 2 has been taken.
    assert source.asked == 3
    assert next(pages) == 2
    source.wait_until_asked_for(4)
    assert source.asked == 4
    pages.close()


@pytest.mark.parametrize("ahead", [0, 5])
def test_a_failure_surfaces_after_the_pages_before_it(ahead):
    pages = prefetch(Source(9, fail_at=4), ahead)
    assert [next(pages) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ConnectionError, match="page 4"):
        next(pages)
    assert prefetch_threads() == []


@pytest.mark.parametrize("ahead", [1, 4])
def test_closing_stops_the_thread_and_closes_the_source(ahead):
    source = Source(1000)
    pages = prefetch(source, ahead)
    next(pages)
    pages.close()
    assert source.closed.wait(30)
    assert source.asked <= 1 + ahead + 1
    assert prefetch_threads() == []


def test_an_interrupted_loop_leaves_no_thread_behind():
    source = Source(1000)

    def consume():
        for page in prefetch(source, 3):
            if page == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        consume()
    assert source.closed.wait(30)


def test_an_empty_source_yields_nothing():
    assert list(prefetch([], 3)) == []


def test_a_negative_number_of_pages_is_refused():
    with pytest.raises(ValueError, match="prefetch_pages is -1"):
        next(prefetch([], -1))
