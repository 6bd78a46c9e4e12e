from __future__ import annotations

import os
import signal
import threading

import anyio

from vistterstream.cli import signals


def test_a_signal_is_heard_although_the_main_thread_is_busy() -> None:
    """The main thread is in a call that only the signal's own thread can end."""
    heard = threading.Lock()
    heard.acquire()
    numbers: list[str] = []

    def act() -> None:
        numbers.append(threading.current_thread().name)
        heard.release()

    with signals.heard(act) as told:
        os.kill(os.getpid(), signal.SIGTERM)
        assert heard.acquire(timeout=5)
        anyio.run(signals.one, told)
    assert numbers == ["signals"]


def test_what_was_there_before_is_there_again() -> None:
    before = [signal.getsignal(number) for number in signals.END]
    with signals.heard(lambda: None):
        assert signal.getsignal(signal.SIGINT) not in before
    assert [signal.getsignal(number) for number in signals.END] == before
