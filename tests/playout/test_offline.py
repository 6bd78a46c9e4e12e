"""Offline and live are one: the mixer is driven by hand, and what it hands to encoders is compared."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest
from PIL import Image

from ffmpeg_.media import make as make_media
from peers import needs
from playout.clips import LENGTH, numbered_clip, read_number
from playout.pictures import ffmpeg, noise
from playout.plans import FORMAT, film, make_plan, pattern
from vistterstream.base.errors import VistterError
from vistterstream.playout.clock import Epoch
from vistterstream.playout.compositor import prepare
from vistterstream.playout.deck import Deck
from vistterstream.playout.encoder import Encoder
from vistterstream.playout.feeds import PatternFeed
from vistterstream.playout.film import Film
from vistterstream.playout.frames import Frame, FramePool
from vistterstream.playout.mixer import Mixer, Show
from vistterstream.playout.movie import to_rgb, write_movie, write_png
from vistterstream.playout.offline import Offline
from vistterstream.playout.reel import Place
from vistterstream.resources.camera import CameraSource, CameraSpec
from vistterstream.resources.kinds import Camera, ObjectMeta, Overlay, Program, Timeline
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.quantities import FrameRate
from vistterstream.resources.timeline import TimelineSpec
from vistterstream.timeline.compile import compile_plan
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import CameraPlan, Plan

EPOCH_NS = 1_779_000_000_000_000_000

SPEC = {
    "loop": True,
    "tracks": [
        {
            "name": "pictures",
            "video": [
                {"camera": "a", "duration": "3s"},
                {"camera": "b", "duration": "4s", "transition": {"type": "crossfade", "duration": "1s"}},
                {"camera": "a", "at": "8s", "duration": "2s", "transition": {"type": "crossfade"}},
                {"camera": "b", "duration": "1s", "transition": {"type": "wipe", "softness": 0.2}},
                {"camera": "a", "duration": "1s", "transition": {"type": "push", "duration": "700ms"}},
            ],
        },
        {
            "name": "words",
            "overlays": [
                {"overlay": "tag", "at": "500ms", "duration": "5s", "values": {"title": "Old wharf"}},
                {"overlay": "tag", "at": "6s", "duration": "3s", "values": {"title": "The pier"}},
            ],
        },
    ],
}
TAG = {
    "canvas": {"width": 320, "height": 180},
    "layers": [
        {"name": "box", "rectangle": {"width": 101, "height": 33, "color": "#2A6FDBA0"},
         "position": {"x": 11, "y": 7},
         "tracks": [{"property": "opacity", "keyframes": [
             {"at": "0s", "value": 0}, {"at": "700ms", "value": 1, "easing": "easeOutCubic"}]}]},
        {"name": "words", "text": {"value": "{{ title }}", "size": 20}, "position": {"x": 30, "y": 90}},
        {"name": "time", "clock": {"format": "%H:%M:%S", "size": 16}, "position": {"x": 200, "y": 20}},
    ],
}  # fmt: skip


def show_plan(rate: str = "15") -> Plan:
    """Test patterns with sound, crossfades (one from the slate), a gap, animated overlays, a clock."""
    program = Program.model_validate(
        {
            "metadata": {"name": "main"},
            "spec": {"format": {"width": 320, "height": 180, "frameRate": rate}, "timeline": "t"},
        }
    )
    cameras = {
        name: Camera(metadata=ObjectMeta(name=name), spec=pattern(name, number, tone=tone).spec)
        for name, number, tone in (("a", 1, 440), ("b", 2, 700))
    }
    return compile_plan(
        program,
        timeline=Timeline(metadata=ObjectMeta(name="t"), spec=TimelineSpec.model_validate(SPEC)),
        overlays={"tag": Overlay(metadata=ObjectMeta(name="tag"), spec=OverlaySpec.model_validate(TAG))},
        cameras=cameras,
        outputs=[],
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    ).plan


class Recorder:
    """Stands where an encoder does, and keeps what it is offered."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.sound = b""

    def offer(self, number: int, frame: Frame, sound: bytes) -> None:
        self.pictures.append(bytes(frame.buffer))
        self.sound += sound


def on_air(plan: Plan, first: int, count: int) -> Recorder:
    """What the live mixer makes, ticked by hand."""
    wall = datetime.fromtimestamp(EPOCH_NS / 1e9, UTC)
    scene = prepare(plan.format, plan.overlays, plan.fallback, wall=wall)
    recorder = Recorder()
    assert plan.timeline is not None
    show = Show(
        index=TimelineIndex(plan.timeline),
        scene=scene,
        feeds={camera.name: PatternFeed(camera.name, camera.spec, plan.format) for camera in plan.cameras},
        revision="",
        encoders=(cast("Encoder", recorder),),
        sounds=Deck({}),
        overlay_names={overlay.id: overlay.overlay for overlay in plan.overlays},
    )
    pool = FramePool(plan.format.width, plan.format.height, 3)
    mixer = Mixer(plan.format, pool, show, Epoch(0, EPOCH_NS))
    for number in range(first, first + count):
        mixer.tick(number, repeat=False)
    mixer.close()
    scene.close()
    return recorder


@contextmanager
def offline(plan: Plan, **more: object) -> Iterator[Offline]:
    program = Offline(plan, EPOCH_NS, **more)  # type: ignore[arg-type]
    try:
        yield program
    finally:
        program.close()


def read_back(path: Path) -> tuple[list[bytes], bytes]:
    """The pictures and the sound in a file."""
    arguments = [needs.ffmpeg(), "-v", "error", "-nostdin", "-i", str(path)]
    video = subprocess.run(
        [*arguments, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"],
        capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    audio = subprocess.run(
        [*arguments, "-map", "0:a", "-f", "s16le", "pipe:1"], capture_output=True, check=True, timeout=60
    ).stdout
    size = FORMAT.width * FORMAT.height * 3 // 2
    return [video[at : at + size] for at in range(0, len(video), size)], audio


def digest(program: Offline, number: int) -> str:
    frame = Frame(program.format.width, program.format.height)
    made = program.make(number, frame)
    return hashlib.sha256(bytes(frame.buffer) + made.sound.tobytes()).hexdigest()


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["15", "30000/1001"])
def test_ten_seconds_rendered_without_loss_are_what_is_on_air_to_the_bit(tmp_path: Path, rate: str) -> None:
    plan = show_plan(rate)
    count = int(10 * Fraction(rate))
    first = 40
    live = on_air(plan, first, count)
    with offline(plan, first=first) as program:
        write_movie(program, first, count, tmp_path / "out.mkv", lossless=True)
    pictures, sound = read_back(tmp_path / "out.mkv")
    assert len(pictures) == count
    different = [number for number in range(count) if pictures[number] != live.pictures[number]]
    assert different == []
    assert sound == live.sound
    assert len(set(live.pictures)) > count // 2  # and they are not all the same
    assert len(set(sound)) > 10


@pytest.mark.slow
def test_a_frame_alone_is_that_frame_of_a_long_run_in_any_order() -> None:
    plan = show_plan()
    with offline(plan) as program:
        whole = [digest(program, number) for number in range(200)]
    with offline(plan) as program:
        for number in (199, 3, 50, 49, 120, 52, 0):
            assert digest(program, number) == whole[number], number


@pytest.mark.slow
def test_two_renderings_are_the_same_file(tmp_path: Path) -> None:
    for name in ("one.mkv", "two.mkv"):
        with offline(show_plan()) as program:
            write_movie(program, 0, 45, tmp_path / name, lossless=True)
    assert read_back(tmp_path / "one.mkv") == read_back(tmp_path / "two.mkv")


def numbers(plan: Plan, wanted: list[int]) -> list[int | None]:
    """Which pictures of the numbered film the frames show; None for none."""
    found = []
    with offline(plan) as program:
        frame = Frame(FORMAT.width, FORMAT.height)
        for number in wanted:
            program.make(number, frame)
            found.append(read_number(frame))
    return found


def film_plan(*cues: tuple[str, int], loop: bool = True) -> Plan:
    plan = make_plan(Path("/nowhere"), cues=cues, cameras=[film("film", numbered_clip(), loop=loop)])
    return plan.model_copy(update={"overlays": ()})


@pytest.mark.slow
def test_a_file_goes_on_by_a_picture_for_each_frame_that_shows_it() -> None:
    plan = film_plan(("film", 10), ("a", 5), ("film", 10))
    shown = [*range(10), *[None] * 5, *range(10, 20), *range(20, 30), *[None] * 5, *range(30, 40)]
    wanted = list(range(50))
    assert numbers(plan, wanted) == shown
    for alone in (9, 15, 29, 49):
        assert numbers(plan, [alone]) == [shown[alone]]
    assert numbers(plan, [49, 2, 10]) == [39, 2, None]


@pytest.mark.slow
def test_a_file_that_does_not_loop_starts_anew_and_ends_in_the_slate() -> None:
    plan = film_plan(("film", LENGTH + 10), ("a", 5), loop=False)
    last = LENGTH - 1
    assert numbers(plan, [0, last, LENGTH, LENGTH + 9, LENGTH + 10]) == [0, last, None, None, None]
    again = LENGTH + 15
    assert numbers(plan, [again + 3]) == [3]


@pytest.mark.slow
def test_sound_of_a_file_is_the_same_alone_and_in_a_run() -> None:
    plan = film_plan(("film", 30), ("a", 5), ("film", 20))
    plan = plan.model_copy(
        update={"format": FORMAT.model_copy(update={"frame_rate": FrameRate("30000/1001")})}
    )
    with offline(plan) as program:
        whole = [digest(program, number) for number in range(120)]
    for number in (1, 29, 36, 54, 57, 119):
        with offline(plan) as program:
            assert digest(program, number) == whole[number], number
    with offline(plan) as program:
        frame = Frame(FORMAT.width, FORMAT.height)
        assert np.abs(program.make(20, frame).sound).max() > 1000


def clip_plan(*cues: dict[str, object], path: Path | None = None) -> Plan:
    """A looped timeline of these cues; where they have a `file`, it is the numbered clip."""
    file = {"path": str(path or numbered_clip())}
    video = [
        cue | ({"file": file | cast("dict[str, object]", cue["file"])} if "file" in cue else {})
        for cue in cues
    ]
    spec = TimelineSpec.model_validate({"loop": True, "tracks": [{"name": "v", "video": video}]})
    picture = {"width": FORMAT.width, "height": FORMAT.height, "frameRate": str(FORMAT.frame_rate)}
    program = {"metadata": {"name": "main"}, "spec": {"format": picture, "timeline": "t"}}
    return compile_plan(
        Program.model_validate(program),
        timeline=Timeline(metadata=ObjectMeta(name="t"), spec=spec),
        overlays={},
        cameras={"a": Camera(metadata=ObjectMeta(name="a"), spec=pattern("a", 1).spec)},
        outputs=[],
        resolve=lambda _resource, path, _kind: path,
        hls_folder=lambda _output, _target: "",
        recording_folder=lambda _output, _target: "",
    ).plan


@pytest.mark.slow
def test_a_clip_plays_from_its_in_point_and_then_holds_its_last_picture_or_goes_back() -> None:
    rest = LENGTH - 30
    held = clip_plan({"file": {"in": "2s"}, "duration": f"{rest + 10}f"}, {"camera": "a", "duration": "10f"})
    shown = [*range(30, LENGTH), *[LENGTH - 1] * 10, *[None] * 10, 30, 31]
    assert numbers(held, [*range(len(shown))]) == shown
    assert numbers(held, [rest + 5, 3]) == [LENGTH - 1, 33]
    looped = clip_plan({"file": {"in": "2s", "atEnd": "loop"}, "duration": f"{rest + 10}f"})
    assert numbers(looped, [0, rest - 1, rest, rest + 9, rest + 10]) == [30, LENGTH - 1, 30, 39, 30]


def test_a_clip_is_named_and_heard_and_is_silent_when_it_holds() -> None:
    with offline(clip_plan({"file": {}, "duration": f"{LENGTH + 10}f"})) as program:
        made = program.make(20, Frame(FORMAT.width, FORMAT.height))
        assert (made.shown.kind, made.shown.name, made.shown.reason) == ("Clip", "numbered.mp4", "Cue")
        assert np.abs(made.sound).max() > 1000
        assert not program.make(LENGTH + 5, Frame(FORMAT.width, FORMAT.height)).sound.any()


@pytest.mark.slow
def test_a_clip_that_is_missing_or_another_is_the_slate_and_is_told(tmp_path: Path) -> None:
    wrong = {"sha256": "0" * 64}
    for plan, told in (
        (clip_plan({"file": {}, "duration": "1s"}, path=tmp_path / "gone.mp4"), "There is no file"),
        (clip_plan({"file": wrong, "duration": "1s"}), "is another than the manifest wants"),
    ):
        with offline(plan) as program:
            made = program.make(2, Frame(FORMAT.width, FORMAT.height))
            assert (made.shown.kind, made.shown.reason) == ("Slate", "ClipMissing")
            (problem,) = program.problems
            assert problem.startswith("Clip ")
            assert told in problem
    right = {"sha256": hashlib.sha256(numbered_clip().read_bytes()).hexdigest()}
    assert numbers(clip_plan({"file": right, "duration": "1s"}), [4]) == [4]


def test_an_in_point_behind_the_end_is_the_slate_and_is_told() -> None:
    late = {"in": f"{LENGTH}f", "atEnd": "loop"}
    with offline(clip_plan({"file": late, "duration": "1s"})) as program:
        made = program.make(2, Frame(FORMAT.width, FORMAT.height))
        assert (made.shown.kind, made.shown.reason) == ("Slate", "ClipMissing")
        (problem,) = program.problems
        assert problem.startswith("Clip numbered.mp4: The in-point, 4 s, lies behind the last picture")


@pytest.mark.slow
def test_a_file_that_stands_for_a_device_loops() -> None:
    device = CameraPlan(name="pier", spec=CameraSpec(source=CameraSource(url="rtsp://10.0.0.9/x")))
    plan = make_plan(Path("/nowhere"), cues=[("pier", 1000)], cameras=[device])
    plan = plan.model_copy(update={"overlays": ()})
    with offline(plan, files={"pier": numbered_clip()}) as program:
        frame = Frame(FORMAT.width, FORMAT.height)
        program.make(LENGTH + 7, frame)
        assert read_number(frame) is not None
        assert not program.problems


def test_a_device_is_a_card_that_does_not_tell_secrets() -> None:
    source = CameraSource(url="rtmp://10.0.0.9/live/s3cretkey")
    cards = []
    for name, url in (
        ("pier", source.url),
        ("wharf", source.url),
        ("pier", "rtmp://10.0.0.9/live/other-key"),
    ):
        spec = CameraSpec(source=CameraSource(url=url))
        plan = make_plan(
            Path("/nowhere"), cues=[(name, 100)], cameras=[CameraPlan(name=name, spec=spec)]
        ).model_copy(update={"overlays": ()})
        with offline(plan) as program:
            frame = Frame(FORMAT.width, FORMAT.height)
            made = program.make(5, frame)
        assert (made.shown.kind, made.shown.name) == ("Camera", name)
        assert not made.sound.any()
        cards.append(bytes(frame.buffer))
    assert cards[0] == cards[2]  # what differs in the address is masked
    assert cards[0] != cards[1]


def test_a_missing_file_shows_the_backup_or_the_slate_and_is_told(tmp_path: Path) -> None:
    gone = film("gone", tmp_path / "gone.mp4")
    spec = gone.spec.model_copy(update={"backup": "a"})
    for camera, shown in ((gone, "Slate"), (gone.model_copy(update={"spec": spec}), "Camera")):
        plan = make_plan(tmp_path, cues=[("gone", 10)], cameras=[camera])
        with offline(plan) as program:
            made = program.make(2, Frame(FORMAT.width, FORMAT.height))
            assert made.shown.kind == shown
            assert len(program.problems) == 1
            assert "Camera gone: " in program.problems[0]


def test_the_film_reads_a_file_coded_for_bt601_with_its_own_colours(tmp_path: Path) -> None:
    tagged = make_media(
        tmp_path / "red.mp4", "-f", "lavfi", "-i", "color=#C03020:size=320x180:rate=15:duration=1",
        "-vf", "scale=out_color_matrix=bt601,format=yuv420p", "-colorspace", "smpte170m",
        "-c:v", "libx264", "-qp", "1",
    )  # fmt: skip
    film_ = Film(str(tagged), FORMAT, {})
    try:
        taken = film_.take(Place(3, 0, silent=True), 100)
        assert taken is not None
        picture = to_rgb(taken.frame)[90, 160]
    finally:
        film_.close()
    assert np.abs(picture.astype(int) - (0xC0, 0x30, 0x20)).max() <= 4


def test_a_png_has_the_colours_that_ffmpeg_sees(tmp_path: Path) -> None:
    frame = noise(64, 48)
    frame.uv[:] = cv2.blur(frame.uv.transpose(1, 2, 0), (9, 9)).transpose(2, 0, 1)
    frame.y[:] = cv2.blur(frame.y, (5, 5))
    write_png(frame, tmp_path / "x.png")
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "64x48"]
    how = "in_color_matrix=bt709:in_range=tv:in_chroma_loc=center:flags=bilinear+accurate_rnd"
    how = f"scale={how}+full_chroma_int,format=rgb24"
    wanted = np.frombuffer(
        ffmpeg([*raw, "-i", "-", "-vf", how, "-f", "rawvideo", "-"], bytes(frame.buffer)),
        np.uint8,
    ).reshape(48, 64, 3)
    with Image.open(tmp_path / "x.png") as picture:
        found = np.asarray(picture)
    inner = (slice(4, -4), slice(4, -4))
    assert np.abs(found[inner].astype(int) - wanted[inner]).max() <= 3


def test_grey_and_primaries_become_what_they_were() -> None:
    colors = [
        (0, 0, 0),
        (255, 255, 255),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (12, 200, 90),
    ]
    for color in colors:
        frame = Frame(8, 8)
        frame.put_rgb(np.full((8, 8, 3), color, np.uint8))
        assert np.abs(to_rgb(frame).astype(int) - color).max() <= 2


def test_a_movie_that_fails_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("before")
    with offline(show_plan()) as program:

        def interrupt(made: int) -> None:
            if made == 5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_movie(program, 0, 100, out, lossless=False, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert out.read_text() == "before"


def test_an_encoder_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\necho '[error] x: No space left on device' >&2\nexit 1\n")
    script.chmod(0o755)
    monkeypatch.setattr("vistterstream.ffmpeg.commands.executable", lambda: str(script))
    folder = tmp_path / "out"
    folder.mkdir()
    with offline(show_plan()) as program, pytest.raises(VistterError, match="The disk is full"):
        write_movie(program, 0, 300, folder / "out.mp4", lossless=False)
    assert list(folder.iterdir()) == []
