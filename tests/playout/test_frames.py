"""Frames, their pool, and conversion from RGB."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from playout.pictures import ffmpeg, quarters, to_yuv, twin
from vistterstream.playout.frames import BLACK, Bytes, Frame, FramePool, planes
from vistterstream.playout.frames import to_yuv as color_to_yuv


def random_rgb(width: int, height: int) -> Bytes:
    return np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)


class TestFrame:
    def test_the_buffer_is_one_yuv420p_picture(self) -> None:
        frame = Frame(6, 4)
        frame.y[:], frame.u[:], frame.v[:] = 1, 2, 3
        assert bytes(frame.buffer) == b"\1" * 24 + b"\2" * 6 + b"\3" * 6
        frame.buffer[24:30] = b"\7" * 6
        assert (frame.u == 7).all()
        assert (frame.uv[0] == 7).all()
        assert (frame.data.reshape(-1)[24:30] == 7).all()

    def test_odd_sides_are_refused(self) -> None:
        with pytest.raises(ValueError, match="even"):
            Frame(5, 4)

    def test_filling_and_copying(self) -> None:
        frame = Frame(8, 8)
        frame.fill((40, 50, 60))
        copy = twin(frame)
        frame.fill(BLACK)
        assert (copy.y == 40).all()
        assert (copy.u == 50).all()
        assert (copy.v == 60).all()
        assert frame.y[0, 0] == 16


class TestColours:
    @pytest.mark.parametrize(
        ("rgb", "yuv"),
        [
            # BT.709 limited range: black, white, and the primaries as EBU Tech 3325 and others list them
            ((0, 0, 0), (16, 128, 128)),
            ((255, 255, 255), (235, 128, 128)),
            ((255, 0, 0), (63, 102, 240)),
            ((0, 255, 0), (173, 42, 26)),
            ((0, 0, 255), (32, 240, 118)),
        ],
    )
    def test_known_colours(self, rgb: tuple[int, int, int], yuv: tuple[int, int, int]) -> None:
        assert color_to_yuv(rgb) == yuv

    def test_a_picture_is_within_a_rounding_of_the_exact_conversion(self) -> None:
        rgb = random_rgb(32, 16)
        frame = Frame(32, 16)
        frame.put_rgb(rgb)
        y, u, v = to_yuv(rgb)
        for found, wanted in ((frame.y, y), (frame.u, quarters(u)), (frame.v, quarters(v))):
            assert np.abs(found - wanted).max() <= 0.501

    def test_ffmpeg_converts_to_the_same_colours(self) -> None:
        width, height = 96, 64
        rgb = random_rgb(width, height)
        scale = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+area"
        size = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "-"]
        out = ffmpeg([*size, "-vf", scale, "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"], rgb.tobytes())
        wanted = np.frombuffer(out, np.uint8).reshape(height * 3 // 2, width)
        frame = Frame(width, height)
        frame.put_rgb(rgb)
        assert np.abs(frame.data.astype(int) - wanted).max() <= 2

    def test_transparent_pixels_lend_no_colour_to_their_neighbours(self) -> None:
        rgba = np.zeros((2, 2, 4), np.uint8)
        rgba[..., :3] = (0, 255, 0)  # invisible green
        rgba[0, 0] = (255, 0, 0, 255)
        found = planes(rgba)
        alpha = 255 - found.chroma_rest.astype(np.float64)
        assert alpha[0, 0] == 64  # a quarter
        assert [round(float(light[0, 0] - 128) / 64) for light in found.chroma_light] == [102, 240]

    def test_alpha_of_chroma_is_the_mean_of_its_four_pixels(self) -> None:
        rgba = np.full((2, 2, 4), 200, np.uint8)
        rgba[..., 3] = [[0, 100], [200, 255]]
        assert planes(rgba).chroma_rest[0, 0] == 255 - 139  # 138.75
        assert (planes(rgba).rest == 255 - rgba[..., 3]).all()

    def test_no_value_overflows_a_word(self) -> None:
        """out * rest + light stays below 65536 - 255 for every alpha, over the brightest background."""
        for alpha in range(256):
            rgba = np.full((2, 2, 4), 255, np.uint8)
            rgba[..., 3] = [[alpha, max(alpha - 1, 0)], [alpha, max(alpha - 1, 0)]]
            found = planes(rgba)
            for rest, light in (
                (found.rest, found.light),
                (found.chroma_rest, found.chroma_light[0]),
            ):
                worst = 255 * rest.astype(np.int64) + light
                assert worst.max() < 65536 - 255


class TestPool:
    def test_it_lends_so_many_frames_and_no_more(self) -> None:
        pool = FramePool(4, 4, 2)
        first, second = pool.take(), pool.take()
        assert first is not None
        assert second is not None
        assert first is not second
        assert pool.take() is None
        pool.give(first)
        assert pool.free == 1
        assert pool.take() is first

    def test_more_than_its_own_are_made_when_needed_and_let_go_afterwards(self) -> None:
        pool = FramePool(4, 4, 1, extra=2)
        frames = [pool.take() for _ in range(4)]
        assert frames[3] is None
        taken = [frame for frame in frames if frame is not None]
        assert len({id(frame.data) for frame in taken}) == 3
        assert pool.free == -2
        for frame in taken:
            pool.give(frame)
        assert pool.free == pool.count == 1
        assert pool.take() is taken[2], "the others are gone"

    def test_a_frame_with_two_users_is_free_when_both_gave_it_back(self) -> None:
        pool = FramePool(4, 4, 1)
        frame = pool.take()
        assert frame is not None
        assert pool.keep(frame) is frame
        pool.give(frame)
        assert pool.take() is None
        pool.give(frame)
        assert pool.take() is frame

    def test_giving_back_twice_and_keeping_a_free_frame_are_mistakes(self) -> None:
        pool = FramePool(4, 4, 1)
        frame = pool.take()
        assert frame is not None
        pool.give(frame)
        with pytest.raises(RuntimeError, match="twice"):
            pool.give(frame)
        with pytest.raises(RuntimeError, match="nobody uses"):
            pool.keep(frame)
        assert pool.free == 1

    def test_threads_never_get_the_same_frame_at_once(self) -> None:
        pool = FramePool(4, 4, 3)
        clashes: list[int] = []

        def work(mark: int) -> None:
            for _ in range(2000):
                frame = pool.take()
                if frame is None:
                    continue
                frame.y[:] = mark
                if not (frame.y == mark).all():
                    clashes.append(mark)
                pool.give(frame)

        threads = [threading.Thread(target=work, args=(mark,)) for mark in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not clashes
        assert pool.free == pool.count == 3
