"""A strip keeps pictures by number and sound by sample."""

from __future__ import annotations

import numpy as np
import pytest

from vistterstream.playout.frames import Frame
from vistterstream.playout.strip import Strip


def filled(first: int, count: int) -> tuple[Strip, list[Frame]]:
    strip, frames = Strip(first, first * 10), [Frame(2, 2) for _ in range(count)]
    for number, frame in enumerate(frames, start=first):
        strip.put(number, frame)
    return strip, frames


def test_pictures_are_given_by_number_and_the_last_one_stays_until_another_is() -> None:
    strip, frames = filled(5, 4)
    assert (strip.low, strip.head, strip.last, strip.next, len(strip)) == (5, 5, 8, 9, 4)
    assert [strip.holds(number) for number in (4, 5, 8, 9)] == [False, True, True, False]
    assert strip.take(5) == []
    assert strip.drop_before(7) == [frames[1]]
    assert strip.current == (5, frames[0])
    assert strip.take(7) == [frames[0]]
    assert (strip.low, strip.head) == (7, 8)
    with pytest.raises(ValueError, match="is not the next"):
        strip.take(9)


def test_sound_is_given_by_sample_and_is_silence_where_there_is_none() -> None:
    strip = Strip(0, 100)
    strip.put_sound(np.arange(1, 21, dtype=np.int16).reshape(-1, 2).tobytes())
    assert strip.sound_end == 110
    assert strip.sound(96, 8)[:, 0].tolist() == [0, 0, 0, 0, 1, 3, 5, 7]
    assert strip.sound(104, 8)[:, 0].tolist() == [9, 11, 13, 15, 17, 19, 0, 0]
    assert strip.sound(120, 3).any() == np.False_


def test_sound_that_nobody_asks_for_does_not_fill_the_memory() -> None:
    strip = Strip(0, 0)
    for _ in range(100):
        strip.put_sound(bytes(1 << 18))
    assert strip.sound_end == 100 * (1 << 16)
    assert len(strip._sound) <= 8 << 20
