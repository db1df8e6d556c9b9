"""What is done later is done in order, bounded, and lost rather than waited for."""

import threading

from rpmcore.adapters.telemetry.background import Background


def test_jobs_are_done_in_their_order_on_another_thread():
    done, lost = [], []
    background = Background(100, lost.append)
    for number in range(50):
        assert background.do(lambda number=number: done.append((number, threading.current_thread())))
    assert background.flush()
    assert [number for number, _ in done] == list(range(50))
    assert {thread for _, thread in done} == {background._thread}
    assert background._thread is not threading.current_thread()
    assert lost == []


def test_a_job_that_raises_is_lost_and_the_next_is_done():
    done, lost = [], []
    background = Background(100, lost.append)
    background.do(lambda: 1 / 0)
    background.do(lambda: done.append(1))
    assert background.flush()
    assert (done, lost) == ([1], [1])


def test_a_job_that_ends_its_thread_ends_it_for_no_other():
    def leave():
        raise SystemExit

    done, lost = [], []
    background = Background(100, lost.append)
    background.do(leave)
    background.do(lambda: done.append(1))
    assert background.flush()
    assert (done, lost) == ([1], [1])


def test_a_system_without_threads_loses_a_job_and_the_next_one_tries_again(monkeypatch):
    done, lost = [], []
    background = Background(100, lost.append)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _no_thread)
        assert not background.do(lambda: done.append("lost"))
    assert background.do(lambda: done.append("next"))
    assert background.flush()
    assert (done, lost) == (["next"], [1])


def test_a_thread_that_is_gone_as_after_a_fork_is_begun_anew():
    done = []
    background = Background(100, lambda _: None)
    background.do(lambda: done.append(1))
    assert background.flush()
    background._thread = threading.Thread()  # never started: as one that a fork has left behind
    background.do(lambda: done.append(2))
    assert background.flush()
    assert done == [1, 2]
    background.close()


def _no_thread(_thread):
    raise RuntimeError("can't start new thread")


def test_a_full_queue_loses_but_keeps_room_for_what_is_urgent():
    done, lost, go, started = [], [], threading.Event(), threading.Event()
    background = Background(10, lost.append)

    def hang():
        started.set()
        go.wait(10)

    background.do(hang)
    started.wait(10)
    assert [background.do(lambda: done.append("line")) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [background.do(lambda: done.append("urgent"), urgent=True) for _ in range(11)] == [True] * 10 + [False]
    assert sum(lost) == 3
    assert not background.flush(0.01)
    go.set()
    assert background.flush()
    assert done == ["line"] * 10 + ["urgent"] * 10


def test_closing_does_what_waits_and_takes_no_more():
    done, lost = [], []
    background = Background(100, lost.append)
    for number in range(20):
        background.do(lambda number=number: done.append(number))
    assert background.close()
    assert not background.do(lambda: done.append("late"))
    assert done == list(range(20))
    assert lost == [1]
    background._thread.join(10)
    assert not background._thread.is_alive()


def test_closing_does_not_wait_for_a_job_that_hangs():
    lost, go, started = [], threading.Event(), threading.Event()
    background = Background(100, lost.append)

    def hang():
        started.set()
        go.wait(10)

    background.do(hang)
    started.wait(10)
    background.do(lambda: None)
    assert not background.close(0.01)
    assert lost == [1]
    go.set()
