"""The engine converges to its plan while the program goes on: no frame lost, nothing replaced needlessly."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import anyio
import pytest

from ffmpeg_.media import clip
from peers import frames as recorded
from peers.frames import Area
from peers.probe import probe
from playout.clips import numbered_clip
from playout.plans import (
    CAMERA_ROW,
    ENCODING,
    FORMAT,
    FPS,
    PROGRAM_ROW,
    film,
    hls,
    make_plan,
    output,
    pattern,
    recording,
)
from playout.waiting import eventually
from vistterstream.base.errors import PermanentError
from vistterstream.base.processes import owned
from vistterstream.playout.engine import Engine
from vistterstream.playout.files import PLAN, playout_dir, write_plan
from vistterstream.playout.protocol import CameraState, OutputState, PlayoutStatus
from vistterstream.resources.camera import SecretKeyRef
from vistterstream.resources.output import Preset, Target
from vistterstream.resources.overlay import ImageLayer, Layer
from vistterstream.resources.program import Fallback, Format
from vistterstream.resources.timeline import ClipEnd
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.plan import ClipPlan, Plan, VideoCuePlan

pytestmark = pytest.mark.anyio
BOX = Area(x=290, y=150, width=28, height=28)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Playout:
    """An engine that runs in this process, on a folder of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.folder = playout_dir(state, "default", "main")
        self.engine: Engine

    @property
    def status(self) -> PlayoutStatus:
        return self.engine.status()

    def write(self, plan: Plan, values: dict[str, str] | None = None) -> Plan:
        write_plan(self.folder, plan, values or {})
        return plan

    async def publishes(self, *names: str, deadline: float = 20) -> None:
        """Wait until these outputs deliver."""

        def all_do() -> bool:
            outputs = self.status.outputs
            return all(n in outputs and outputs[n].state is OutputState.PUBLISHING for n in names)

        await eventually(all_do, deadline, lambda: f"{names} publish: {self.status.outputs}")

    async def frames(self, count: int) -> None:
        """Let so many frames pass."""
        until = self.status.frame + count
        await eventually(lambda: self.status.frame >= until, 10 + count / FPS)

    def as_run(self) -> list[dict[str, object]]:
        files = sorted((self.state / "asrun" / "main").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@asynccontextmanager
async def on_air(playout: Playout) -> AsyncIterator[Playout]:
    """Run the engine on the plan in its folder; stop it in order."""
    playout.engine = Engine(playout.folder, environment=os.environ)
    ready = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(playout.engine.run, ready.set)
        with anyio.fail_after(20):
            await ready.wait()
        try:
            yield playout
        finally:
            playout.engine.stop()
    assert owned(playout.folder) == [], "nothing of it is left"


def recordings(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def seen_in(folder: Path) -> list[recorded.Frame]:
    return recorded.read(recordings(folder), camera=CAMERA_ROW, program=PROGRAM_ROW, areas=(BOX,))


@pytest.mark.e2e
async def test_a_program_is_on_air_from_its_plan_alone_and_every_frame_is_recorded_once(
    tmp_path: Path,
) -> None:
    playout = Playout(tmp_path)
    plan = playout.write(make_plan(tmp_path, cues=(("a", 10), ("b", 10))))
    async with on_air(playout):
        await playout.publishes("rec")
        await playout.frames(2 * FPS)
        status = playout.status
        assert status.pid == os.getpid()
        assert status.revision == plan_revision(plan)
        assert status.on_air is not None
        assert status.on_air.kind == "Camera"
        assert status.on_air.overlays == ["code"]
        assert status.cameras["a"].state is CameraState.LIVE
        assert len(status.encoders) == 1
        assert status.outputs["rec"].active_target == "file"
        assert 0.7 * FPS < status.fps < 1.4 * FPS
        assert status.errors == []
    seen = seen_in(tmp_path / "recording")
    numbers = recorded.program_numbers(seen)
    recorded.assert_each_once(numbers)
    recorded.assert_rising(seen)
    for frame in seen:
        assert frame.program is not None
        assert frame.number == (1 if frame.program % 20 < 10 else 2), "cuts on the exact frame"
        assert frame.counter == frame.program
    shown = [(line["frame"], line["source"]) for line in playout.as_run()]
    for (frame_number, source), (following, _) in pairwise(shown):
        assert isinstance(frame_number, int)
        assert isinstance(following, int)
        name = "a" if frame_number % 20 < 10 else "b"
        assert source == {"kind": "Camera", "name": name}
        assert following == (frame_number // 10 + 1) * 10
    media = probe(recordings(tmp_path / "recording")[0])
    assert (media.video, media.audio, media.width, media.height) == ("h264", "aac", 320, 180)


@pytest.mark.e2e
async def test_edits_reach_the_picture_at_the_frame_that_is_answered_and_cost_none(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    rec = tmp_path / "recording"
    playout.write(make_plan(tmp_path))
    async with on_air(playout):
        await playout.publishes("rec")
        before = playout.status
        playout.write(make_plan(tmp_path, color="#E0E0E0"))
        asked = time.time()
        colored = await playout.engine.apply()
        assert -0.1 < colored.due - asked < 2
        await playout.frames(5)
        playout.write(
            make_plan(tmp_path, color="#E0E0E0", cues=(("b", 7), ("a", 9)), cameras=[pattern("c", 3)])
        )
        swapped = await playout.engine.apply()
        await playout.frames(5)
        with_web = [recording("rec", rec), hls("web", tmp_path / "web")]
        cues = (("c", 8), ("a", 8))
        playout.write(
            make_plan(tmp_path, color="#E0E0E0", cues=cues, cameras=[pattern("c", 3)], outputs=with_web)
        )
        added = await playout.engine.apply()
        await playout.publishes("web")
        playout.write(make_plan(tmp_path, color="#E0E0E0", cues=cues, cameras=[pattern("c", 3)]))
        await playout.engine.apply()
        await eventually(lambda: "web" not in playout.status.outputs)
        await playout.frames(5)
        after = playout.status
        assert after.outputs["rec"].pid == before.outputs["rec"].pid
        assert [e.pid for e in after.encoders.values()] == [e.pid for e in before.encoders.values()]
        assert {*after.cameras} == {"a", "b", "c"}
    seen = seen_in(rec)
    recorded.assert_each_once(recorded.program_numbers(seen))
    for frame in seen:
        assert frame.program is not None
        assert (frame.lumas[0] > 150) == (frame.program >= colored.frame), frame
        if swapped.frame <= frame.program < added.frame:
            assert frame.number == (2 if frame.program % 16 < 7 else 1)
        if frame.program >= added.frame:
            assert frame.number == (3 if frame.program % 16 < 8 else 1)


async def test_going_back_to_an_earlier_plan_is_answered_with_its_new_frame(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    one, two = (make_plan(tmp_path, color=color, outputs=[]) for color in ("#202020", "#E0E0E0"))
    playout.write(one)
    async with on_air(playout):
        frames = []
        for plan in (two, one, one, two):
            playout.write(plan)
            at = playout.status.frame
            applied = await playout.engine.apply()
            assert applied.revision == plan_revision(plan)
            assert applied.frame >= at
            assert abs(applied.due - time.time()) < 1
            frames.append(applied.frame)
        assert frames == sorted(frames)
        assert playout.status.revision == plan_revision(two)


@pytest.mark.e2e
async def test_a_plan_that_cannot_be_read_or_used_changes_nothing(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    plan = playout.write(make_plan(tmp_path))
    async with on_air(playout):
        await playout.publishes("rec")
        before = playout.status
        other = make_plan(tmp_path, format=Format(width=640, height=360, frame_rate=FORMAT.frame_rate))
        whole = json.dumps(other.dump())
        for text, reason in (("{", "BadPlan"), ("[]", "BadPlan"), (whole, "FormatChanged")):
            (playout.folder / PLAN).write_text(text)
            with pytest.raises(PermanentError) as caught:
                await playout.engine.apply()
            assert caught.value.reason == reason
        await playout.frames(5)
        after = playout.status
        assert after.revision == plan_revision(plan)
        assert after.outputs["rec"].pid == before.outputs["rec"].pid
        assert playout.engine.plan == plan
    recorded.assert_each_once(recorded.program_numbers(seen_in(tmp_path / "recording")))


async def test_a_plan_that_cannot_be_read_at_the_start_is_an_error(tmp_path: Path) -> None:
    folder = playout_dir(tmp_path, "default", "main")
    folder.mkdir(parents=True)
    with pytest.raises(PermanentError, match="cannot be read"):
        Engine(folder, environment={})


@pytest.mark.slow
async def test_a_camera_s_new_source_replaces_its_ingest_alone(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    cameras = [film("x", numbered_clip()), film("y", clip())]
    cues = (("x", 1), ("y", 1))
    playout.write(make_plan(tmp_path, cues=cues, cameras=cameras, outputs=[]))

    def pids() -> dict[str, int | None]:
        return {name: playout.status.cameras[name].pid for name in ("x", "y")}

    async with on_air(playout):
        await eventually(lambda: all(pids().values()), 15)
        before = pids()
        cameras[1] = film("y", numbered_clip())
        playout.write(make_plan(tmp_path, cues=cues, cameras=cameras, outputs=[]))
        await playout.engine.apply()
        await eventually(lambda: pids()["y"] not in (None, before["y"]), 15)
        assert pids()["x"] == before["x"]
        assert playout.status.cameras["y"].restarts == {}, "planned, not a failure"
        await eventually(lambda: len(owned(playout.folder)) == 3, 10, "the old one has gone")


async def test_a_camera_that_is_missing_shows_the_slate_and_says_why(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    playout.write(
        make_plan(tmp_path, cues=(("x", 30),), cameras=[film("x", tmp_path / "nothing.mp4")], outputs=[])
    )
    async with on_air(playout):
        await eventually(lambda: playout.status.on_air and playout.status.on_air.reason == "FileLost")
        status = playout.status
        assert status.on_air is not None
        assert (status.on_air.kind, status.on_air.name) == ("Slate", "x")
        assert status.cameras["x"].reason == "FileNotFound"
    assert playout.as_run()[-1]["source"] == {"kind": "Slate", "name": "x"}


@pytest.mark.e2e
async def test_a_clip_that_is_missing_is_the_slate_and_is_played_when_it_is_there(tmp_path: Path) -> None:
    playout, file = Playout(tmp_path), tmp_path / "opener.mp4"
    clip = ClipPlan(id="x", file=str(file), start=5, at_end=ClipEnd.LOOP)
    plan = make_plan(tmp_path, cues=[("a", 1000)], outputs=[])
    assert plan.timeline is not None
    cue = VideoCuePlan(start=0, end=plan.timeline.length, clip="x")
    timeline = plan.timeline.model_copy(update={"video": (cue,)})
    code, copy, slate_file = plan.overlays[0], str(tmp_path / "1a.png"), str(tmp_path / "slate.png")
    logo = Layer(name="logo", image=ImageLayer(file=copy))
    spec = code.spec.model_copy(update={"layers": (*code.spec.layers, logo)})
    update = {
        "timeline": timeline,
        "clips": (clip,),
        "fallback": Fallback(image=slate_file),
        "overlays": (code.model_copy(update={"spec": spec}),),
        "originals": {copy: "/m/logo.png", slate_file: "/m/slate.png"},
    }
    playout.write(plan.model_copy(update=update))
    async with on_air(playout):
        await eventually(lambda: playout.status.clip_problems)
        assert "There is no file" in playout.status.clip_problems[str(file)]
        put = "put it there, or name another file in the manifest."
        assert playout.status.picture_problems == {slate_file: f"There is no picture /m/slate.png; {put}"}
        told = {"code": f"Layer logo: There is no picture /m/logo.png; {put}"}
        assert playout.status.overlay_problems == told, "in words of the user, not of the kept copy"
        slate = {"kind": "Slate", "name": "opener.mp4"}
        await eventually(lambda: (playout.as_run() or [{}])[-1].get("reason") == "ClipMissing")
        assert playout.as_run()[-1]["source"] == slate
        file.write_bytes(numbered_clip().read_bytes())
        await eventually(
            lambda: playout.status.on_air is not None and playout.status.on_air.kind == "Clip", 20
        )
        await eventually(lambda: playout.status.clip_problems == {})
        assert playout.status.cameras.keys() == {"a", "b"}
    assert playout.as_run()[-1]["source"] == {"kind": "Clip", "name": "opener.mp4"}


async def test_after_a_restart_the_program_stands_where_time_says(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    playout.write(make_plan(tmp_path, outputs=[]))
    async with on_air(playout):
        await playout.frames(3)
        first, at = playout.status.frame, time.monotonic()
    async with on_air(playout):
        passed = (time.monotonic() - at) * FPS
        assert playout.status.frame - first == pytest.approx(passed, abs=3)


@pytest.mark.e2e
async def test_setting_the_time_of_day_costs_no_frame_and_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    playout = Playout(tmp_path)
    playout.write(make_plan(tmp_path))
    real = time.time_ns
    async with on_air(playout):
        await playout.publishes("rec")
        before = json.loads((playout.folder / "epoch.json").read_text())
        monkeypatch.setattr(time, "time_ns", lambda: real() + 3600 * 1_000_000_000)
        await eventually(lambda: playout.status.errors)
        assert "time of day was set" in playout.status.errors[-1]
        monkeypatch.undo()
        await playout.frames(2 * FPS)
        after = json.loads((playout.folder / "epoch.json").read_text())
        assert after["monotonic_ns"] == before["monotonic_ns"]
        assert abs(after["wall_ns"] - before["wall_ns"]) < 1_000_000_000, "and set back again"
    recorded.assert_each_once(recorded.program_numbers(seen_in(tmp_path / "recording")))


@pytest.mark.e2e
async def test_a_changed_secret_replaces_the_pusher_that_uses_it_alone(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    reference = SecretKeyRef(name="platform", key="streamKey")
    target = Target(name="up", url="rtmp://127.0.0.1:9/live", stream_key_secret_ref=reference)
    outputs = [recording("rec", tmp_path / "recording"), output("up", target)]
    playout.write(make_plan(tmp_path, outputs=outputs))
    async with on_air(playout):
        await playout.publishes("rec")
        await eventually(lambda: playout.status.outputs["up"].reason == "SecretMissing")
        pid = playout.status.outputs["rec"].pid
        playout.write(
            make_plan(tmp_path, outputs=outputs, secrets_revision="2"), {"platform/streamKey": "planted-key"}
        )
        await playout.engine.apply()
        await eventually(lambda: playout.status.outputs["up"].reason == "ConnectionRefused")
        assert playout.status.outputs["rec"].pid == pid
        assert "planted-key" not in playout.status.model_dump_json()


@pytest.mark.e2e
async def test_an_edit_of_a_target_that_is_not_delivered_to_leaves_the_connection_alone(
    tmp_path: Path,
) -> None:
    playout = Playout(tmp_path)

    def write(url: str, folder: str) -> None:
        dead = Target(name="dead", url=url)
        (good,) = recording("out", tmp_path / folder).targets
        playout.write(make_plan(tmp_path, outputs=[output("out", dead, good, attempts=2)]))

    write("rtmp://127.0.0.1:9/a", "one")
    async with on_air(playout):
        await playout.publishes("out")
        before = playout.status.outputs["out"]
        assert (before.active_target, before.reconnects) == ("file", 2)
        write("rtmp://127.0.0.1:9/b", "one")
        await playout.engine.apply()
        await playout.frames(FPS)
        after = playout.status.outputs["out"]
        assert (after.pid, after.active_target) == (before.pid, "file")
        assert after.restarts == before.restarts
        write("rtmp://127.0.0.1:9/b", "two")
        await playout.engine.apply()
        assert playout.status.outputs["out"].reconnects >= 2, "goes on at once"
        await playout.publishes("out")
        moved = playout.status.outputs["out"]
        assert (moved.active_target, moved.reconnects) == ("file", 3)
        assert moved.pid != before.pid
        assert moved.bytes >= after.bytes


@pytest.mark.e2e
async def test_a_frozen_encoder_costs_the_outputs_of_another_encoding_nothing(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    other = ENCODING.model_copy(
        update={"video": ENCODING.video.model_copy(update={"preset": Preset.SUPERFAST})}
    )
    outputs = [recording("rec", tmp_path / "rec"), recording("other", tmp_path / "other", encoding=other)]
    playout.write(make_plan(tmp_path, outputs=outputs, encodings=(ENCODING, other)))
    async with on_air(playout):
        await playout.publishes("rec", "other")
        pid = playout.status.encoders[playout.status.outputs["other"].encoding].pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await eventually(
            lambda: playout.status.encoders[playout.status.outputs["other"].encoding].restarts, 20
        )
        await playout.frames(2 * FPS)
        await playout.publishes("rec", "other")
    recorded.assert_each_once(recorded.program_numbers(seen_in(tmp_path / "rec")))


@pytest.mark.e2e
async def test_everything_that_dies_comes_back_and_the_recording_goes_on(tmp_path: Path) -> None:
    playout = Playout(tmp_path)
    playout.write(make_plan(tmp_path, cues=(("x", 30),), cameras=[film("x", numbered_clip())]))
    async with on_air(playout):
        await playout.publishes("rec")
        await eventually(lambda: playout.status.cameras["x"].state is CameraState.LIVE)
        for _ in range(3):
            victims = set(owned(playout.folder))
            assert len(victims) in (3, 4), "ingest, encoder, pusher, and the ingest of the next round"
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            await eventually(
                lambda: len(owned(playout.folder)) >= 3 and not victims & {*owned(playout.folder)},  # noqa: B023
                20,
            )
            await playout.publishes("rec")
            await eventually(lambda: playout.status.cameras["x"].state is CameraState.LIVE)
        await playout.frames(FPS)
    seen = seen_in(tmp_path / "recording")
    numbers = recorded.program_numbers(seen)
    assert numbers == sorted(set(numbers)), "none twice, none out of order"
    assert len(recordings(tmp_path / "recording")) == 4
