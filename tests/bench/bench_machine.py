"""How fast the machine is, for comparing figures in milliseconds with those of another one.

The limits in milliseconds were set on a machine where these took 1.1 and 6.1 ms (a full-frame crossfade of
1080p yuv420p, once by OpenCV and once by NumPy, on one thread).
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.figures import Figure, main

OPENCV, NUMPY = 1.1, 6.1  # ms, where the limits were set
_TIMES = 60
_COPIES = 30_000  # for some ten seconds, in which it comes and goes


def _milliseconds(work: Callable[[], object]) -> float:
    """The median of what it takes, in processor time."""
    spent = []
    for _ in range(_TIMES):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return sorted(spent)[_TIMES // 2] * 1000


def _unevenness(pictures: NDArray[np.uint8], out: NDArray[np.uint8]) -> float:
    """How many times longer than the median the slowest in a thousand copies takes, in processor time."""
    spent = np.empty(_COPIES)
    for number in range(_COPIES):
        began = time.thread_time()
        np.copyto(out, pictures[number % len(pictures)])
        spent[number] = time.thread_time() - began
    return float(np.quantile(spent, 0.999) / np.median(spent))


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures; `quick` changes nothing, since they take seconds."""
    del quick
    cv2.setNumThreads(1)
    random = np.random.default_rng(1)
    one, other = (random.integers(16, 235, (1620, 1920), np.uint8) for _ in range(2))
    out = np.empty_like(one)

    def by_numpy() -> object:
        return (one.astype(np.uint16) * 102 + other.astype(np.uint16) * 154 + 128 >> 8).astype(np.uint8)

    blend = _milliseconds(lambda: cv2.addWeighted(one, 0.4, other, 0.6, 0, out))
    plain = _milliseconds(by_numpy)
    uneven = _unevenness(random.integers(16, 235, (6, *one.shape), np.uint8), out)
    return [
        Figure(
            "this machine: a crossfade of 1080p by OpenCV", blend, "ms", None, "lower", f"{OPENCV} ms there"
        ),
        Figure("this machine: the same by NumPy", plain, "ms", None, "lower", f"{NUMPY} ms there"),
        Figure(
            "this machine: the slowest of 1,000 copies of such a picture, to their median",
            uneven, "×", None, "lower", "by others that use the same memory: nothing else is in such a copy",
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure)
