"""Countdown, ticker, QR code, animation, rounded corners, text effects: as composed frames show them."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image, ImageFont

from playout.pictures import ffmpeg, noise, quarters, to_yuv
from vistterstream.playout import compositor, frames, items, lettering
from vistterstream.playout.clocks import time_left
from vistterstream.playout.compositor import Scene, compose, prepare
from vistterstream.playout.frames import Bytes, Frame
from vistterstream.playout.pictures import frames_of, open_picture
from vistterstream.playout.pieces import Unusable
from vistterstream.resources.manifests import load
from vistterstream.resources.overlay import CountdownLayer, OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.evaluate import TimelineIndex, picture
from vistterstream.timeline.plan import OverlayCuePlan, OverlayInstance, TimelinePlan

WALL = datetime(2026, 5, 17, 9, 30, tzinfo=UTC)
FORMAT = Format(width=640, height=360)
RATE = FORMAT.frame_rate.fraction


def scene(*layers: dict[str, Any]) -> Scene:
    named = [{"name": f"l{number}"} | layer for number, layer in enumerate(layers)]
    spec = OverlaySpec.model_validate({"canvas": {"width": 640, "height": 360}, "layers": named})
    return prepare(FORMAT, [OverlayInstance(id="o", overlay="o", spec=spec)], Fallback(), wall=WALL)


def black() -> Frame:
    frame = Frame(640, 360)
    frame.fill((16, 128, 128))
    return frame


def frame(made: Scene, age: int = 0, wall: datetime = WALL, base: Frame | None = None) -> Frame:
    out = Frame(640, 360)
    compose(made, out, base or black(), None, 0.0, [("o", age, None)], age, wall)
    return out


class TestCountdown:
    @pytest.mark.parametrize(
        ("format", "left", "text"),
        [
            ("%M:%S", 0, "00:00"),
            ("%M:%S", 61, "01:01"),
            ("%M:%S", 6000, "100:00"),
            ("%H:%M:%S", 86400 + 3661, "25:01:01"),
            ("%Dd %H h", 86400 * 3 + 7200, "3d 02 h"),
            ("%S %%", 90, "90 %"),
        ],
    )
    def test_what_is_left(self, format: str, left: int, text: str) -> None:
        say = time_left(CountdownLayer.model_validate({"to": "2026-05-17T09:30:00Z", "format": format}), RATE)
        assert say(WALL - timedelta(seconds=left)) == text
        if left:
            assert say(WALL - timedelta(seconds=left) + timedelta(milliseconds=999)) == text

    def test_it_says_zero_when_the_time_has_come_and_what_is_wanted_after(self) -> None:
        layer = {"to": "2026-05-17T11:30:00+02:00", "done": "Live"}
        say = time_left(CountdownLayer.model_validate(layer), RATE)
        moments = [timedelta(milliseconds=ms) for ms in (-1000, -1, 0, 5000)]
        assert [say(WALL + moment) for moment in moments] == ["00:01", "00:01", "Live", "Live"]

    def test_it_may_say_nothing_after(self) -> None:
        layer = CountdownLayer.model_validate({"to": "2026-05-17T11:30:00+02:00", "done": ""})
        assert time_left(layer, RATE)(WALL) == ""

    def test_one_from_the_cue_s_start_is_a_function_of_the_age_alone(self) -> None:
        layer = {"duration": "3s", "background": "#203040"}
        made = scene({"countdown": layer})
        other = scene({"countdown": layer})
        pictures = [bytes(frame(made, age).buffer) for age in range(0, 120, 15)]
        backwards = [
            bytes(frame(other, age, WALL + timedelta(days=age)).buffer) for age in reversed(range(0, 120, 15))
        ]
        assert pictures == backwards[::-1]
        assert pictures[0] == pictures[1] != pictures[2] != pictures[4] != pictures[6] == pictures[7]


class TestTicker:
    LAYER = {
        "ticker": {
            "value": "Harbour news\nHigh tide at noon",
            "width": 400,
            "speed": 90,
            "size": 40,
            "gap": 60,
        }
    }

    def test_it_comes_in_from_the_right_and_runs_without_a_jump(self) -> None:
        made = scene({**self.LAYER, "position": {"x": 100, "y": 50}})
        assert frame(made, 0).buffer == black().buffer
        early = frame(made, 20).y
        columns = np.flatnonzero((early > 20).any(axis=0))
        assert columns.min() >= 500 - 60 - 4
        assert columns.max() < 500

    def test_a_frame_later_everything_is_three_pixels_farther(self) -> None:
        made = scene({**self.LAYER, "position": {"x": 100, "y": 50}})
        for age in (200, 333, 2001):
            one, other = frame(made, age).y[:, 104:490], frame(made, age + 2).y[:, 104:490]
            assert np.array_equal(one[:, 6:], other[:, :-6])  # 90 canvas pixels a second at 30 frames

    def test_fractions_of_a_pixel_run_smoothly(self) -> None:
        layer = {**self.LAYER, "ticker": {**self.LAYER["ticker"], "speed": 10.0, "value": "I"}}
        made = scene({**layer, "position": {"x": 100, "y": 50}})
        centres = []
        for age in range(300, 360):
            light = frame(made, age).y.astype(float) - 16
            centres.append((light.sum(axis=0) * np.arange(640)).sum() / light.sum())
        assert np.diff(centres) == pytest.approx(np.full(59, -1 / 3), abs=0.02)

    def test_it_does_not_drift_in_a_year(self) -> None:
        made = scene({**self.LAYER, "position": {"x": 100, "y": 50}})
        item = made.items["o"][0]
        assert isinstance(item, items.Running)
        strip = item.ticker._strip
        assert strip is not None
        rounds = 30 * 86400 * 366 // strip.period * strip.period  # ages at which it stands as at 0
        assert frame(made, 500 + rounds).buffer == frame(made, 500).buffer

    def test_its_band_stands_still_and_nothing_else_is_touched(self) -> None:
        layer = {**self.LAYER, "ticker": {**self.LAYER["ticker"], "background": "#FF0000"}}
        base = noise(640, 360)
        out = frame(scene({**layer, "position": {"x": 100, "y": 50}}), 77, base=base)
        changed = out.y != base.y
        rows, columns = np.nonzero(changed)
        assert (columns.min(), columns.max()) == (100, 499)
        assert rows.min() == 50

    def test_a_band_grows_where_letters_of_other_fonts_reach_out_of_it_and_its_line_stands(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ticker = {**self.LAYER["ticker"], "background": "#000080", "padding": 8}
        layer = {"ticker": ticker, "position": {"x": 100, "y": 50}}

        def rows() -> tuple[list[int], list[int]]:
            luma = frame(scene(layer), 200).y
            band, letters = (np.flatnonzero((luma > level).any(axis=1)).tolist() for level in (20, 120))
            return band, letters

        band, letters = rows()
        assert band[0] == 50
        monkeypatch.setattr(lettering.Line, "reach", (20, 8))
        assert rows() == ([*range(50 - 12, 50), *band], letters)

    def test_it_may_run_to_the_right(self) -> None:
        layer = {**self.LAYER, "ticker": {**self.LAYER["ticker"], "speed": -90}}
        made = scene({**layer, "position": {"x": 100, "y": 50}})
        assert frame(made, 0).buffer == black().buffer
        one, other = frame(made, 300).y[:, 104:490], frame(made, 302).y[:, 104:490]
        assert np.array_equal(one[:, :-6], other[:, 6:])

    def test_what_runs_to_the_right_comes_in_with_the_end_of_its_first_line(self) -> None:
        """As right-to-left scripts are read: the line is followed by the gap, and that by the next line."""
        ticker = {"value": "MMMM\nI", "width": 400, "speed": -30, "size": 40, "gap": 60}  # a pixel a frame
        made = scene({"ticker": ticker, "position": {"x": 100, "y": 50}})
        lines = [scene({"text": {"value": word, "size": 40, "padding": 0}}) for word in ("MMMM", "I")]
        first, second = (np.flatnonzero((frame(line, 0).y > 60).any(axis=0)) for line in lines)
        assert frame(made, 0).buffer == black().buffer
        length = first.max() - first.min()
        for age in (20, length, length + 30):
            inked = np.flatnonzero((frame(made, int(age)).y > 60).any(axis=0))
            assert abs(inked.max() - (100 + age)) <= 6  # a letter has some room of its own
        inked = np.flatnonzero((frame(made, int(length) + 60 + 25).y > 60).any(axis=0))
        breaks = np.flatnonzero(np.diff(inked) > 40)
        assert len(breaks) == 1
        assert breaks[0] + 1 <= second.size + 2  # the I has come in, behind the gap

    def test_a_band_that_is_too_large_is_told_and_not_drawn(self) -> None:
        narrow = {"canvas": {"width": 37, "height": 1080}}
        spec = {**narrow, "layers": [{"name": "t", "ticker": {"value": "hold", "padding": 512}}]}
        made = prepare(
            Format(width=640, height=360),
            [OverlayInstance(id="o", overlay="o", spec=OverlaySpec.model_validate(spec))],
            Fallback(),
            wall=WALL,
        )
        made.close()
        assert "Make it smaller" in made.problems["o"]

    def test_a_text_that_is_too_long_is_told(self) -> None:
        made = scene({"ticker": {"value": "W" * 4096, "size": 256, "width": 7680}})
        assert "too long" in made.problems["o"]


class TestQrCodes:
    @pytest.mark.parametrize(
        "value",
        ["https://vistter.io/live", "Blåbærsyltetøy", "1234567890", "Привет https://a.example", "日本の港"],
    )
    def test_a_reader_reads_it_from_the_composed_frame(self, value: str) -> None:
        pytest.importorskip("segno")
        made = scene({"qr": {"value": value, "size": 260}, "position": {"x": 41, "y": 33}})
        assert not made.problems
        text, *_ = cv2.QRCodeDetector().detectAndDecode(frame(made, base=noise(640, 360)).y)
        assert text == value

    def test_what_is_seen_of_it_is_that_part_of_the_whole(self) -> None:
        pytest.importorskip("segno")
        code = {"qr": {"value": "https://vistter.io/live", "size": 200}}
        whole = frame(scene({**code, "position": {"x": 100, "y": 100}})).y
        assert len(np.unique(whole[100:300, 100:300])) == 2
        for x, y in ((-60, -82), (540, 250)):
            part = frame(scene({**code, "position": {"x": x, "y": y}})).y
            left, top, right, bottom = max(x, 0), max(y, 0), min(x + 200, 640), min(y + 200, 360)
            wanted = whole[top - y + 100 : bottom - y + 100, left - x + 100 : right - x + 100]
            assert np.array_equal(part[top:bottom, left:right], wanted)

    def test_one_that_cannot_be_drawn_is_told(self) -> None:
        pytest.importorskip("segno")
        made = scene(
            {"qr": {"value": "x" * 1000, "size": 100}},
            {"qr": {"value": "\u65e5" * 1024, "correction": "high"}},
        )
        assert "make it larger" in made.problems["o"]
        assert "cannot hold so much" in made.problems["o"]


class TestAnimations:
    COLORS = ("#FF0000", "#00FF00", "#0000FF")

    def save(self, path: Path, durations: list[int]) -> dict[str, str]:
        frames = [Image.new("RGB", (64, 48), color) for color in self.COLORS]
        extra: dict[str, Any] = {"lossless": True} if path.suffix == ".webp" else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0, **extra)
        return {"file": str(path)}

    def shown(self, made: Scene, ages: list[int]) -> list[int]:
        lumas = [
            round(
                float(to_yuv(np.array([[Image.new("RGB", (1, 1), c).getpixel((0, 0))]], np.uint8))[0][0, 0])
            )
            for c in self.COLORS
        ]
        return [lumas.index(int(frame(made, age).y[20, 20])) for age in ages]

    @pytest.mark.parametrize("suffix", ["png", "webp", "gif"])
    def test_frames_follow_their_times(self, tmp_path: Path, suffix: str) -> None:
        image = self.save(tmp_path / f"a.{suffix}", [100, 200, 100])
        ages = [0, 2, 3, 8, 9, 11, 12, 15, 21]
        assert self.shown(scene({"image": image | {"play": "loop"}}), ages) == [0, 0, 1, 1, 2, 2, 0, 1, 2]
        assert self.shown(scene({"image": image | {"play": "once"}}), ages) == [0, 0, 1, 1, 2, 2, 2, 2, 2]
        back = self.shown(scene({"image": image | {"play": "pingPong"}}), [0, 5, 11, 13, 16, 20, 22, 24])
        assert back == [0, 1, 2, 2, 1, 1, 0, 0]
        assert self.shown(scene({"image": image}), ages) == [0] * 9

    @pytest.mark.slow
    def test_what_is_too_much_is_cut_off_and_told(self, tmp_path: Path) -> None:
        image = self.save(tmp_path / "a.gif", [100, 100, 100])
        made = scene({"image": image | {"play": "loop", "width": 2600, "height": 1600}})
        assert "cut off after 2 frames" in made.problems["o"]

    def test_one_that_is_cut_off_is_told_wherever_that_is(self, tmp_path: Path) -> None:
        image = self.save(tmp_path / "a.gif", [100, 100, 100])
        path = Path(image["file"])
        whole = path.read_bytes()
        for cut in range(len(whole) // 2, len(whole) - 2, 3):
            path.write_bytes(whole[:cut])
            with contextlib.suppress(Unusable):
                assert len(list(frames_of(path, None))) < 3, "only between two frames it seems whole"
        path.write_bytes(whole[:-9])
        for play in ("loop", "once"):
            assert "cannot be read" in scene({"image": image | {"play": play}}).problems["o"]
        made = scene({"image": image | {"play": "loop", "fallback": {"color": "#FF0000"}}})
        assert "cannot be read" in made.problems["o"]
        assert frame(made).y[2, 2] == 63

    def test_a_picture_for_those_who_cannot_play_it_is_no_frame(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        frames = [Image.new("RGBA", (64, 48), color) for color in ("#FFFFFF", *self.COLORS)]
        clear = Image.new("RGBA", (64, 48))
        options: dict[str, Any] = {"save_all": True, "default_image": True, "duration": 100, "blend": 1}
        frames[0].save(path, append_images=frames[1:], **options)
        made = scene({"image": {"file": str(path), "play": "loop"}})
        assert self.shown(made, [0, 3, 6, 9]) == [0, 1, 2, 0]
        frames[0].save(path, append_images=[clear, *frames[1:]], **options)
        (picture, _), *_ = frames_of(path, None)
        assert picture.getpixel((0, 0)) == (0, 0, 0, 0), "nothing lies below the first frame"

    def test_a_missing_one_is_told(self) -> None:
        made = scene({"image": {"file": "/no/such.gif", "play": "loop"}})
        assert "There is no picture" in made.problems["o"]


class TestPictures:
    def test_one_of_16_bits_is_scaled(self, tmp_path: Path) -> None:
        path = tmp_path / "grey.png"
        values = np.array([[0, 128, 257, 0x8080, 0xFFFF]], np.uint16)
        Image.fromarray(values).save(path)
        assert np.asarray(open_picture(path))[0, :, 0].tolist() == [0, 0, 1, 128, 255]
        assert np.asarray(next(frames_of(path, None))[0])[0, :, 3].tolist() == [255] * 5
        Image.fromarray(values).save(path, transparency=0x8080)
        assert np.asarray(open_picture(path))[0, :, 3].tolist() == [255, 255, 255, 0, 255]

    def test_another_file_than_wanted_is_not_shown_but_what_stands_in_is(self, tmp_path: Path) -> None:
        path = tmp_path / "logo.png"
        Image.new("RGB", (64, 64), "#FFFFFF").save(path)
        good = hashlib.sha256(path.read_bytes()).hexdigest()
        image = {"file": str(path), "width": 100}
        assert frame(scene({"image": image | {"sha256": good.upper()}})).y[50, 50] == 235
        bad = scene({"image": image | {"sha256": "0" * 64}})
        assert f"its SHA-256 is {good}" in bad.problems["o"]
        assert frame(bad).buffer == black().buffer
        stand_in = scene(
            {"image": image | {"sha256": "0" * 64, "fallback": {"color": "#FF0000", "text": "Logo"}}}
        )
        assert f"its SHA-256 is {good}" in stand_in.problems["o"]
        assert frame(stand_in).y[2, 2] == 63

    @pytest.mark.slow
    def test_a_rounded_rectangle_is_as_its_geometry_says(self) -> None:
        """Against coverage counted on a grid of 8x8 points a pixel."""
        layer = {
            "rectangle": {"width": 90, "height": 50, "color": "#FFFFFF", "radius": 20},
            "position": {"x": 31, "y": 17},
        }
        y, x = (np.mgrid[0 : 360 * 8, 0 : 640 * 8] + 0.5) / 8
        across = np.maximum(np.abs(x - 31 - 45) - 25, 0)
        down = np.maximum(np.abs(y - 17 - 25) - 5, 0)
        inside = (np.hypot(across, down) <= 20).reshape(360, 8, 640, 8).mean(axis=(1, 3))
        out = frame(scene(layer))
        assert (
            np.abs((out.y - 16.0) / 219 - inside).max() < 0.07
        )  # a straight edge has its coverage; a curved one nearly
        assert np.abs(out.u - 128.0).max() <= 1

    def test_a_radius_of_nothing_changes_nothing(self) -> None:
        plain = {"rectangle": {"width": 90, "height": 50, "color": "#12345678"}}
        round_ = {"rectangle": {**plain["rectangle"], "radius": 0}}
        assert frame(scene(plain)).buffer == frame(scene(round_)).buffer


class TestText:
    def ink(self, **text: Any) -> Bytes:
        return frame(scene({"text": {"size": 30, **text}, "position": {"x": 60, "y": 60}})).y

    def box(self, picture: Bytes) -> tuple[int, int, int, int]:
        rows, columns = np.nonzero(picture > 30)
        return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())

    def test_it_is_wrapped_at_its_width(self) -> None:
        long = "The tide turns at noon and the ferry leaves at one"
        left, _, right, _ = self.box(self.ink(value=long, width=220))
        assert right - left <= 220
        one, many = self.box(self.ink(value="The tide")), self.box(self.ink(value=long, width=220))
        assert many[3] - many[1] > 3 * (one[3] - one[1])

    def test_lines_are_aligned_and_spaced_as_wanted(self) -> None:
        value = "wide wide wide\nI"
        places = {}
        for align in ("left", "center", "right"):
            picture = self.ink(value=value, align=align)
            rows = np.flatnonzero((picture > 60).any(axis=1))
            last = picture[rows.max() - 10 : rows.max()]
            places[align] = int(np.flatnonzero((last > 60).any(axis=0)).mean())
        assert places["left"] < places["center"] - 50 < places["right"] - 100
        near, far = self.box(self.ink(value=value)), self.box(self.ink(value=value, lineSpacing=2.0))
        ascent, descent = ImageFont.truetype(
            str(Path(compositor.__file__).with_name("fonts") / "Inter-Regular.ttf"), 30
        ).getmetrics()
        assert far[3] - near[3] == ascent + descent

    def test_an_outline_surrounds_the_letters(self) -> None:
        plain = self.ink(value="HI")
        outlined = frame(
            scene(
                {
                    "text": {
                        "size": 30,
                        "value": "HI",
                        "color": "#000000",
                        "outline": {"width": 3, "color": "#FFFFFF"},
                    },
                    "position": {"x": 60, "y": 60},
                }
            )
        ).y
        left, top, right, bottom = self.box(plain)
        assert self.box(outlined) == pytest.approx((left - 3, top - 3, right + 3, bottom + 3), abs=1)
        assert outlined[plain > 230].max() < 40  # the letters themselves are black

    def test_a_shadow_falls_where_it_is_told(self) -> None:
        text = {"size": 30, "value": "HI", "color": "#FFFFFF"}
        shadow = {"right": 12, "down": 20, "blur": 0, "color": "#808080"}
        out = frame(scene({"text": {**text, "shadow": shadow}, "position": {"x": 60, "y": 60}})).y
        plain = self.ink(value="HI")
        moved = np.roll(plain, (20, 12), axis=(0, 1))
        assert np.abs(out[(moved > 230) & (plain < 20)].astype(int) - 126).max() <= 3
        soft = frame(
            scene({"text": {**text, "shadow": {**shadow, "blur": 6}}, "position": {"x": 60, "y": 60}})
        ).y
        assert self.box(soft)[3] > self.box(out)[3]

    def test_a_glyph_that_nobody_has_is_told(self) -> None:
        made = scene({"text": {"value": "a\U000f0000"}})
        assert "No font on this machine has \U000f0000 (U+F0000)" in made.problems["o"]

    def test_chroma_of_coloured_letters_is_the_mean_of_their_squares(self) -> None:
        out = frame(
            scene(
                {"text": {"value": "Harbour", "size": 80, "color": "#FF0000"}, "position": {"x": 61, "y": 33}}
            )
        )
        coverage = (out.y - 16.0) / (63 - 16)
        assert np.abs(out.v - (128 + (240 - 128) * quarters(coverage))).max() <= 3


class TestOnTheTimeline:
    def test_an_exit_counts_back_from_the_end_of_the_cue(self) -> None:
        """Evaluation and composition together: two cues of different length show the same overlay."""
        box = {"rectangle": {"width": 100, "height": 100, "color": "#FFFFFF"}}
        made = scene({**box, "exit": {"duration": "200ms", "easing": "linear"}})
        cues = (
            OverlayCuePlan(start=0, end=20, instance="o"),
            OverlayCuePlan(start=30, end=70, instance="o"),
        )
        index = TimelineIndex(TimelinePlan(name="t", length=90, loop=True, overlays=cues))
        lumas = []
        for position in range(90):
            shown = picture(index, position)
            out = Frame(640, 360)
            overlays = [(*pair, length) for pair, length in zip(shown.overlays, shown.lengths, strict=True)]
            compose(made, out, black(), None, 0.0, overlays, position, WALL)
            lumas.append(int(out.y[50, 50]))
        fading = [16 + round(219 * left / 6) for left in (5, 4, 3, 2, 1)]
        wanted = [235] * 15 + fading + [16] * 10 + [235] * 35 + fading + [16] * 20
        assert np.abs(np.array(lumas) - wanted).max() <= 1


class TestAgainstFfmpeg:
    @pytest.mark.parametrize("opacity", [255, 160, 40])
    def test_a_box_is_laid_over_as_ffmpeg_s_overlay_does(self, tmp_path: Path, opacity: int) -> None:
        """At even places, where FFmpeg's chroma is right, and rounded once more: within 2 code values."""
        base = noise(640, 360)
        color = f"#C85A1E{opacity:02X}"
        box = {"rectangle": {"width": 100, "height": 60, "color": color}, "position": {"x": 40, "y": 30}}
        ours = frame(scene(box), base=base)
        y, u, v = frames.to_yuv((0xC8, 0x5A, 0x1E))
        planes = bytes([y]) * 6000 + bytes([u]) * 1500 + bytes([v]) * 1500 + bytes([opacity]) * 6000
        (tmp_path / "box.yuva").write_bytes(planes)
        raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p"]
        below = [*raw, "-video_size", "640x360", "-i", "-"]
        above = ["-f", "rawvideo", "-pix_fmt", "yuva420p", "-video_size", "100x60", "-i"]
        graph = "[0][1]overlay=x=40:y=30:format=yuv420"
        command = [*below, *above, str(tmp_path / "box.yuva"), "-filter_complex", graph]
        theirs = ffmpeg([*command, "-frames:v", "1", *raw, "-"], bytes(base.buffer))
        difference = np.frombuffer(theirs, np.uint8).astype(int) - np.frombuffer(ours.buffer, np.uint8)
        assert np.abs(difference).max() <= 2
        assert (np.frombuffer(theirs, np.uint8) != np.frombuffer(base.buffer, np.uint8)).sum() > 5000


class TestDocuments:
    def test_the_manifests_and_overlays_of_the_documentation_are_good(self) -> None:
        page = (Path(__file__).parents[2] / "docs/ocl.md").read_text(encoding="utf-8")
        blocks = [block.split("```")[0] for block in page.split("```yaml\n")[1:]]
        assert blocks
        for block in blocks:
            for found in yaml.safe_load_all(block):
                if isinstance(found, dict) and "kind" in found:
                    document = {"apiVersion": "stream.vistter.io/v1alpha1", **found}
                    assert not load(yaml.safe_dump(document).encode(), "docs/ocl.md").errors
                else:
                    OverlaySpec.model_validate(found if isinstance(found, dict) else {"layers": found})
