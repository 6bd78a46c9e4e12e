"""Transitions: against plain arithmetic, and against FFmpeg's `xfade` and `fade` where they do the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playout.pictures import ffmpeg, noise, twin
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.transitions import Transitions, even
from vistterstream.resources.timeline import Direction, TransitionType
from vistterstream.timeline.plan import TransitionPlan

WIDTH, HEIGHT = 160, 96
STEPS = 8  # a transition of 7 frames: shares 1/8 to 7/8
KINDS = [kind for kind in TransitionType if kind is not TransitionType.CUT]


def how(type: TransitionType | str, **rest: Any) -> TransitionPlan:
    return TransitionPlan.model_validate({"type": type, "frames": STEPS - 1, **rest})


def between(mix: float, plan: TransitionPlan, base: Frame, incoming: Frame) -> Frame:
    out = noise(base.width, base.height, seed=99)  # what was there before does not matter
    Transitions().blend(out, base, incoming, mix, plan)
    return out


def pair() -> tuple[Frame, Frame]:
    return noise(WIDTH, HEIGHT, 1), noise(WIDTH, HEIGHT, 2)


def planes(frame: Frame) -> tuple[Bytes, Bytes, Bytes]:
    return frame.y, frame.u, frame.v


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("softness", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_with_the_old_picture_and_ends_with_the_new(
    kind: TransitionType, softness: float, direction: Direction
) -> None:
    base, incoming = pair()
    before = twin(base), twin(incoming)
    plan = how(kind, softness=softness, direction=direction)
    assert between(0.0, plan, base, incoming).buffer == base.buffer
    assert between(1.0, plan, base, incoming).buffer == incoming.buffer
    between(0.4, plan, base, incoming)
    assert (base.buffer, incoming.buffer) == (before[0].buffer, before[1].buffer)


@given(st.sampled_from(KINDS), st.sampled_from(list(Direction)), st.floats(0, 1), st.floats(0, 1))
def test_a_frame_depends_on_its_arguments_alone(
    kind: TransitionType, direction: Direction, mix: float, softness: float
) -> None:
    base, incoming = noise(32, 18, 1), noise(32, 18, 2)
    plan, used = how(kind, direction=direction, softness=softness), Transitions()
    for number, other in enumerate(KINDS):
        used.blend(Frame(32, 18), incoming, base, number / 6, how(other, softness=0.5, color="#803020"))
    again = Frame(32, 18)
    used.blend(again, base, incoming, mix, plan)
    assert again.buffer == between(mix, plan, base, incoming).buffer


@pytest.mark.parametrize("mix", [0.1, 0.25, 0.5, 0.6, 0.93])
def test_a_fade_through_a_colour_is_within_half_a_code_value_of_the_exact_mixture(mix: float) -> None:
    base, incoming = pair()
    red = (63, 102, 240)  # of #FF0000, BT.709 limited range
    out = between(mix, how("fadeThroughBlack", color="#FF0000"), base, incoming)
    for plane, old, new, color in zip(planes(out), planes(base), planes(incoming), red, strict=True):
        far = abs(2 * mix - 1)
        exact = (old if mix < 0.5 else new) * far + color * (1 - far)
        assert np.abs(plane - exact).max() <= 0.501


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("softness", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("mix", [0.05, 0.31, 0.5, 0.87])
def test_a_soft_wipe_is_within_a_code_value_of_the_exact_mixture(
    mix: float, softness: float, direction: Direction
) -> None:
    base, incoming = pair()
    out = between(mix, how("wipe", direction=direction, softness=softness), base, incoming)
    for plane, old, new in zip(planes(out), planes(base), planes(incoming), strict=True):
        height, width = plane.shape
        way = (np.arange(width) + 0.5) / width if direction in ("left", "right") else None
        along = way if way is not None else ((np.arange(height) + 0.5) / height)[:, None]
        along = 1 - along if direction in ("left", "up") else along
        share = np.clip((mix * (1 + softness) - along) / softness, 0, 1)
        exact = old * (1 - share) + new * share
        # Weights have 8 bits: half a step of 255 on a difference of at most 224, and the rounding.
        assert np.abs(plane - exact).max() <= 0.5 * 224 / 255 + 0.51


def test_a_hard_edge_stands_on_an_even_column_so_that_no_colour_is_shared() -> None:
    white, blue = Frame(WIDTH, HEIGHT), Frame(WIDTH, HEIGHT)
    white.fill((235, 128, 128))
    blue.fill((32, 240, 118))
    for step in range(41):
        out = between(step / 40, how("wipe", direction="right"), white, blue)
        edge = int((out.y[0] == 32).sum())
        assert edge % 2 == 0
        assert abs(edge - step / 40 * WIDTH) <= 1
        assert (out.u[:, : edge // 2] == 240).all()
        assert (out.u[:, edge // 2 :] == 128).all()


def test_a_slide_covers_what_stands_still_and_a_push_takes_it_along() -> None:
    base, incoming = pair()
    part = even(0.25 * WIDTH)
    slide = between(0.25, how("slide", direction="left"), base, incoming)
    push = between(0.25, how("push", direction="left"), base, incoming)
    assert (slide.y[:, :-part] == base.y[:, :-part]).all()
    assert (push.y[:, :-part] == base.y[:, part:]).all()
    for out in (slide, push):
        assert (out.y[:, -part:] == incoming.y[:, :part]).all()


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("kind", ["slide", "push"])
def test_pictures_move_pixel_by_pixel_and_their_colour_with_them(kind: str, direction: Direction) -> None:
    """At every offset, against both pictures laid side by side in full resolution and moved there."""
    base, incoming = pair()
    across = direction in ("left", "right")
    length = WIDTH if across else HEIGHT
    for covered in range(length + 1):
        out = between(covered / length, how(kind, direction=direction), base, incoming)
        for plane, old, new, step in zip(planes(out), planes(base), planes(incoming), (1, 2, 2), strict=True):
            wide, other = (source.repeat(step, 0).repeat(step, 1).astype(float) for source in (old, new))
            if not across:
                wide, other = wide.T, other.T
            if direction in ("left", "up"):
                kept = wide[:, covered:] if kind == "push" else wide[:, : length - covered]
                moved = np.hstack([kept, other[:, :covered]])
            else:
                kept = wide[:, : length - covered] if kind == "push" else wide[:, covered:]
                moved = np.hstack([other[:, length - covered :], kept])
            moved = moved if across else moved.T
            height, width = plane.shape
            exact = moved.reshape(height, step, width, step).mean(axis=(1, 3))
            assert np.abs(plane - exact).max() <= (0.5 if step == 2 else 0), covered


def xfade(name: str) -> list[Frame]:
    """Frames 1 to 7 of 8 of FFmpeg's transition between the pair.

    `xfade` works on yuv444p alone; every chroma sample is written out four times for it, and one is read.
    """
    base, incoming = (full_chroma(frame) for frame in pair())
    source = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{WIDTH}x{HEIGHT}", "-r", "8", "-i", "pipe:0"]
    graph = (
        f"[0:v]split[x][y];[x]trim=end_frame={STEPS},setpts=PTS-STARTPTS,fps=8[a];"
        f"[y]trim=start_frame={STEPS},setpts=PTS-STARTPTS,fps=8[b];"
        f"[a][b]xfade=transition={name}:duration=1:offset=0"
    )
    arguments = [*source, "-filter_complex", graph, "-f", "rawvideo", "-pix_fmt", "yuv444p", "pipe:1"]
    made = np.frombuffer(ffmpeg(arguments, base * STEPS + incoming * STEPS), np.uint8)
    frames = []
    for luma, u, v in made.reshape(-1, 3, HEIGHT, WIDTH)[1:STEPS]:
        frame = Frame(WIDTH, HEIGHT)
        frame.y[:], frame.u[:], frame.v[:] = luma, u[::2, ::2], v[::2, ::2]
        frames.append(frame)
    return frames


def full_chroma(frame: Frame) -> bytes:
    chroma = [plane.repeat(2, axis=0).repeat(2, axis=1) for plane in (frame.u, frame.v)]
    return b"".join(plane.tobytes() for plane in (frame.y, *chroma))


def frames_of(data: bytes) -> list[Frame]:
    size = WIDTH * HEIGHT * 3 // 2
    frames = []
    for start in range(0, len(data), size):
        frame = Frame(WIDTH, HEIGHT)
        frame.data[:] = np.frombuffer(data[start : start + size], np.uint8).reshape(frame.data.shape)
        frames.append(frame)
    return frames


def test_a_crossfade_is_that_of_ffmpeg_within_a_code_value() -> None:
    for step, theirs in enumerate(xfade("fade"), 1):
        ours = between(step / STEPS, how("crossfade"), *pair())
        # FFmpeg cuts fractions off, we round.
        assert np.abs(ours.data.astype(int) - theirs.data).max() <= 1


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize(("ours", "theirs"), [("wipe", "wipe"), ("push", "slide"), ("slide", "cover")])
def test_wipes_pushes_and_slides_are_those_of_ffmpeg_but_for_the_edge(
    ours: str, theirs: str, direction: Direction
) -> None:
    """FFmpeg's edge may be on an odd column, and the edge's own column in either picture; its chroma
    with it. So what is within three pixels of the edge is not compared, and the rest to the bit.
    """
    across = direction in ("left", "right")
    length = WIDTH if across else HEIGHT
    for step, wanted in enumerate(xfade(f"{theirs}{direction.value}"), 1):
        made = between(step / STEPS, how(ours, direction=direction), *pair())
        edge = even(step / STEPS * length)
        edge = length - edge if direction in ("left", "up") else edge
        for plane, other, scale in zip(planes(made), planes(wanted), (1, 2, 2), strict=True):
            differs = (plane != other).any(axis=0 if across else 1)
            middles = (np.arange(differs.size) + 0.5) * scale
            assert not differs[np.abs(middles - edge) > 3].any(), (step, np.flatnonzero(differs))


def test_a_fade_through_black_is_ffmpeg_s_fade_out_and_in() -> None:
    base, incoming = pair()
    size = f"{WIDTH}x{HEIGHT}"
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", "8", "-i", "pipe:0"]

    def faded(picture: Frame, type: str) -> list[Frame]:
        fade = f"fade=t={type}:s=0:n=4:c=black"
        data = ffmpeg([*source, "-vf", fade, "-f", "rawvideo", "pipe:1"], bytes(picture.buffer) * STEPS)
        return frames_of(data)

    out, into = faded(base, "out"), faded(incoming, "in")
    for step in range(1, STEPS):
        theirs = out[step] if step < STEPS // 2 else into[step - STEPS // 2]
        ours = between(step / STEPS, how("fadeThroughBlack"), base, incoming)
        assert np.abs(ours.data.astype(int) - theirs.data).max() <= 2


def test_even_numbers_are_the_nearest() -> None:
    assert [even(length) for length in (0, 0.9, 1, 2.9, 3, 96)] == [0, 0, 2, 2, 4, 96]
