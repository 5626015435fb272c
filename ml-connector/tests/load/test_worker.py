"""Jobs in order, and none after one that failed."""

from __future__ import annotations

import threading

import pytest

from ml_connector.load.worker import Worker


def test_jobs_are_done_in_order_in_another_thread():
    worker, done = Worker(), []
    for number in range(5):
        worker.submit(lambda number=number: done.append((number, threading.current_thread().name)))
    worker.wait()
    assert done == [(number, "loader") for number in range(5)]


def test_the_giver_goes_on_while_a_job_is_done():
    worker, go, done = Worker(), threading.Event(), []
    worker.submit(lambda: (go.wait(5), done.append("first")))
    assert done == []
    go.set()
    worker.wait()
    assert done == ["first"]


def test_no_more_wait_than_may():
    worker, go, given = Worker(waiting=1), threading.Event(), []

    def give():
        for number in range(3):
            worker.submit(lambda: go.wait(5))
            given.append(number)

    giver = threading.Thread(target=give)
    giver.start()
    giver.join(0.2)
    assert giver.is_alive()
    assert given == [0, 1]
    go.set()
    giver.join(5)
    worker.wait()
    assert given == [0, 1, 2]


def test_nothing_is_done_after_a_failure_and_everybody_is_told():
    worker, done = Worker(waiting=3), []

    def fail():
        raise ValueError("no")

    worker.submit(fail)
    worker.settle()
    for call in (lambda: worker.submit(lambda: done.append(1)), worker.wait):
        with pytest.raises(ValueError, match="no"):
            call()
    assert done == []


def test_jobs_that_waited_behind_a_failure_are_dropped():
    worker, go, done = Worker(waiting=2), threading.Event(), []

    def fail():
        go.wait(5)
        raise ValueError("no")

    worker.submit(fail)
    worker.submit(lambda: done.append("after"))
    go.set()
    worker.settle()
    assert done == []
