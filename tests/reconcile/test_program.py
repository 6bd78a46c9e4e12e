"""From manifests to the air and back, with fake playouts on a virtual clock."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from reconcile.appliances import running, settle
from reconcile.fakes import FakeHost, FakePlayout
from reconcile.objects import (
    apply,
    camera,
    image_overlay,
    impossible_timeline,
    key,
    make,
    program,
    recording,
    secret,
    stream,
    text_overlay,
    timeline,
)
from vistterstream.playout.protocol import Came, OnAir, OutputState, Standing
from vistterstream.reconcile import program as reconcile_program
from vistterstream.reconcile.playouts import STUCK_AFTER
from vistterstream.resources.kinds import Program
from vistterstream.store.events import EventType
from vistterstream.store.store import Store
from vistterstream.timeline.compile import Compiled, compile_plan

pytestmark = pytest.mark.anyio

MAIN = key("Program", "main")


def harbour(store: Store) -> None:
    """A program with two cameras and a recording."""
    apply(
        store,
        camera("wharf"),
        camera("pier"),
        timeline("day", "wharf", "pier"),
        program("main", "day"),
        recording("tape", "main"),
    )


def logo(playout: FakePlayout) -> Path:
    """The image of the only overlay's only layer."""
    layer = playout.plan.overlays[0].spec.layers[0]
    assert layer.image is not None
    return Path(layer.image.file or "")


def content(path: Path) -> bytes:
    return path.read_bytes()


async def test_a_program_goes_on_air_with_all_that_it_is_made_of(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        plan = appliance.playout().plan
        assert [one.name for one in plan.cameras] == ["pier", "wharf"]
        assert plan.timeline is not None
        assert [one.camera for one in plan.timeline.video] == ["wharf", "pier"]
        assert [one.name for one in plan.outputs] == ["tape"]
        assert plan.outputs[0].targets[0].recording is not None
        assert plan.outputs[0].targets[0].recording.folder == str(state_dir / "recordings" / "tape" / "disk")
        main = appliance.get("Program", "main")
        assert isinstance(main, Program)
        assert main.status.playout is not None
        assert main.status.playout.pid == appliance.playout().pid
        assert main.status.on_air is not None
        assert main.status.on_air.source.dump() == {"kind": "Camera", "name": "wharf"}
        assert main.status.observed_generation == 1
        assert appliance.conditions("Program", "main") == {"Ready": "True OnAir", "OnAir": "True Camera"}
        assert "PlayoutStarted" in appliance.events(MAIN)


@pytest.mark.slow
async def test_nothing_is_done_again_for_what_has_not_changed(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        written, version = host.written, store.resource_version
        harbour(store)
        await settle(3600)
        assert host.written == written
        assert appliance.playout().applied == []
        assert store.resource_version == version, "no status, no event is written while nothing happens"


async def test_an_edit_is_applied_to_the_running_playout(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        apply(store, timeline("day", "pier", "wharf"))
        await settle()
        assert appliance.playout() is playout
        assert playout.plan.timeline is not None
        assert [one.camera for one in playout.plan.timeline.video] == ["pier", "wharf"]
        assert len(playout.applied) == 1
        assert appliance.said("PlanApplied") == "On air from frame 1 on, without interruption: timeline."


async def test_a_burst_of_edits_is_applied_once(store: Store, host: FakeHost, state_dir: Path) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        for seconds in range(1, 30):
            apply(store, timeline("day", "wharf", seconds=seconds), camera("wharf", stall=f"{seconds}s"))
        await settle()
        assert len(appliance.playout().applied) == 1


async def test_an_output_comes_moves_to_another_program_and_goes(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    apply(store, program("second"))

    def carried() -> tuple[list[str], list[str]]:
        first, second = (
            [output.name for output in host.of(name).plan.outputs] for name in ("main", "second")
        )
        return first, second

    async with running(store, host, state_dir):
        assert carried() == (["tape"], [])
        apply(store, recording("copy", "main"))
        await settle()
        assert carried() == (["copy", "tape"], [])
        apply(store, recording("copy", "second"))
        await settle()
        assert carried() == (["tape"], ["copy"])
        store.delete(key("Output", "copy"), manager="file")
        await settle()
        assert carried() == (["tape"], [])


async def test_another_format_replaces_the_playout_and_that_is_no_failure(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        old = appliance.playout()
        apply(store, program("main", "day", width=640))
        await settle()
        assert not old.alive
        assert appliance.playout().plan.format.width == 640
        assert appliance.events(MAIN).count("PlayoutStarted") == 2
        assert "format.width" in appliance.said("PlayoutReplaced")
        assert "PlayoutLost" not in appliance.events()
        assert not (appliance.playout().folder / "intent.json").exists()
        restarts = 'program="main",reason="Replaced",role="playout"} 1.0'
        assert restarts in appliance.controller.metrics.render().decode()


async def test_a_dead_playout_is_started_again_at_once_then_with_growing_delays(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        appliance.playout().die()
        await settle(0.1)
        assert len(host.playouts) == 2
        assert appliance.playout().alive
        assert "PlayoutLost" in appliance.events(MAIN)
        appliance.playout().die()
        await settle(0.1)
        assert host.alive == []
        await settle(1.0)
        assert host.alive == ["main"]
        for _ in range(10):
            appliance.playout().die()
            await settle(31)
            assert host.alive == ["main"], "however often: again within the longest delay"
        appliance.playout().die()
        await settle(5)
        assert appliance.condition("Program", "main").reason == "PlayoutRestarting"
        assert appliance.condition("Program", "main", "Reconciling").holds
        assert appliance.conditions("Program", "main")["OnAir"] == "False NoPlayout"
        await settle(26)
        await settle(61)
        appliance.playout().die()
        await settle(0.1)
        assert host.alive == ["main"], "one that lived long is started again at once"
        await settle()
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_while_a_dead_playout_is_started_again_its_end_is_told(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        host.start_takes = 2.0
        old = appliance.playout()
        old.die()
        await settle(0.5)
        ready = appliance.condition("Program", "main")
        assert ready.reason == "Starting"
        how = f"process {old.pid} ended"
        assert ready.message == f"The playout is being started again, after it ended: {how}."
        await settle(3)
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_a_playout_that_does_not_start_is_reported_and_tried_again(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    host.refusals = ["no room for the picture"] * 3
    async with running(store, host, state_dir, seconds=0.5) as appliance:
        ready = appliance.condition("Program", "main")
        assert ready.reason == "PlayoutNotStarted"
        assert "no room for the picture" in ready.message
        assert appliance.condition("Program", "main", "Reconciling").holds
        await settle(15)
        assert host.alive == ["main"]
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_a_program_that_is_deleted_goes_off_air_and_leaves_no_secret_behind(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        folder = appliance.playout().folder
        store.delete(MAIN, manager="file")
        await settle()
        assert host.alive == []
        assert not folder.exists()
        (stopped,) = [event for event in store.events(MAIN) if event.reason == "PlayoutStopped"]
        assert stopped.type is EventType.WARNING, "it was on air"
        assert "PlayoutLost" not in appliance.events()
        assert appliance.condition("Output", "tape").reason == "ProgramNotFound"
        assert appliance.conditions("Camera", "wharf") == {
            "Ready": "True NotUsed",
            "Online": "Unknown NotUsed",
        }


async def test_the_end_of_a_program_that_showed_nothing_yet_is_no_warning(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        appliance.playout().observe(on_air=None)
        await settle()
        store.delete(MAIN, manager="file")
        await settle()
        (stopped,) = [event for event in store.events(MAIN) if event.reason == "PlayoutStopped"]
        assert stopped.type is EventType.NORMAL


async def test_a_timeline_that_makes_no_sense_leaves_what_is_on_air(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        good = appliance.playout().plan.timeline
        apply(store, impossible_timeline("day", "pier"), recording("copy", "main"))
        await settle()
        plan = appliance.playout().plan
        assert plan.timeline == good
        assert [one.name for one in plan.outputs] == ["copy", "tape"], "what else was changed is taken over"
        for kind, name in (("Timeline", "day"), ("Program", "main")):
            assert appliance.conditions(kind, name)["Ready"] == "False InvalidTimeline"
            assert appliance.conditions(kind, name)["Stalled"] == "True InvalidTimeline"
        assert "no cue lasts as long as a frame" in appliance.condition("Timeline", "day").message
        apply(store, timeline("day", "pier"))
        await settle()
        assert appliance.conditions("Program", "main") == {"Ready": "True OnAir", "OnAir": "True Camera"}


async def test_a_timeline_shown_by_another_that_makes_no_sense_leaves_what_is_on_air(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        nested = {"loop": True, "tracks": [{"name": "pictures", "video": [{"timeline": "news"}]}]}
        apply(store, camera("pier"), timeline("news", "pier"), make("Timeline", "day", nested))
        await settle()
        good = appliance.playout().plan.timeline
        assert good is not None
        assert {cue.camera for cue in good.video} == {"pier"}
        cues = [{"camera": "wharf", "duration": "9s"}, {"camera": "pier", "duration": "1s", "at": "1f"}]
        apply(store, make("Timeline", "news", {"tracks": [{"name": "pictures", "video": cues}]}))
        await settle()
        assert appliance.playout().plan.timeline == good
        assert "the Timeline 'news' cannot be played" in appliance.condition("Timeline", "day").message
        apply(store, timeline("news", "wharf"))
        await settle()
        mended = appliance.playout().plan.timeline
        assert mended is not None
        assert {cue.camera for cue in mended.video} == {"wharf"}


async def test_a_timeline_that_makes_no_sense_leaves_what_is_on_air_across_controllers(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        good = appliance.playout().plan.timeline
    apply(store, impossible_timeline("day", "pier"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout().plan.timeline == good
        assert appliance.condition("Program", "main").reason == "InvalidTimeline"


async def test_a_program_whose_only_timeline_makes_no_sense_shows_the_slate(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, camera("wharf"), impossible_timeline("day", "wharf"), program("main", "day"))
    async with running(store, host, state_dir) as appliance:
        assert appliance.playout().plan.timeline is None
        assert appliance.conditions("Program", "main")["OnAir"] == "True Slate"


async def test_what_does_not_exist_is_told_where_it_is_named_and_the_rest_is_shown(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(
        store,
        camera("pier"),
        timeline("day", "wharf", "pier", overlays=("logo",)),
        program("main", "day"),
        program("other", "night"),
    )
    async with running(store, host, state_dir) as appliance:
        told = appliance.condition("Timeline", "day")
        assert told.reason == "CameraNotFound"
        assert told.message == (
            "Camera default/wharf does not exist; create it or change spec.tracks[0].video[0].camera; "
            "Overlay default/logo does not exist; create it or change spec.tracks[1].overlays[0].overlay"
        )
        assert appliance.condition("Timeline", "day", "Stalled").holds
        assert [one.name for one in appliance.playout().plan.cameras] == ["pier"]
        assert appliance.condition("Program", "other").reason == "TimelineNotFound"
        assert appliance.playout("other").plan.timeline is None
        apply(store, camera("wharf"), text_overlay("logo"), timeline("night", "pier"))
        await settle()
        assert appliance.conditions("Timeline", "day") == {"Ready": "True InUse"}
        assert appliance.conditions("Program", "other")["Ready"] == "True OnAir"
        assert [one.name for one in appliance.playout().plan.cameras] == ["pier", "wharf"]


async def test_an_image_that_is_missing_is_a_problem_and_not_a_failure(
    store: Store, host: FakeHost, state_dir: Path, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifests" / "main.yaml"
    annotations = {"stream.vistter.io/source-file": str(manifest)}
    apply(
        store,
        camera("wharf"),
        image_overlay("logo", "logo.png", annotations=annotations),
        timeline("day", "wharf", overlays=("logo",)),
        program("main", "day"),
    )
    async with running(store, host, state_dir) as appliance:
        told = appliance.condition("Overlay", "logo")
        assert told.reason == "ImageMissing"
        assert str(tmp_path / "manifests" / "logo.png") in told.message
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"
        manifest.parent.mkdir()
        (manifest.parent / "logo.png").write_bytes(b"picture one")
        await settle(20)
        assert appliance.conditions("Overlay", "logo") == {"Ready": "True InUse"}
        assert logo(appliance.playout()).parent == state_dir / "assets"
        assert content(logo(appliance.playout())) == b"picture one"
        (manifest.parent / "logo.png").write_bytes(b"picture two")
        await settle(20)
        assert content(logo(appliance.playout())) == b"picture two"


async def test_a_sound_that_cannot_be_heard_is_a_problem_of_its_timeline(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    day = timeline("day", "wharf")
    music = {"name": "music", "audio": [{"file": "/a.mp3"}, {"file": "/b.mp3"}]}
    spec = type(day.spec).model_validate({"tracks": [*day.spec.dump()["tracks"], music]})
    apply(store, camera("wharf"), day.model_copy(update={"spec": spec}), program("main", "day"))
    async with running(store, host, state_dir) as appliance:
        appliance.playout().observe(sound_problems={"/b.mp3": "It is gone."})
        await settle(2)
        told = appliance.condition("Timeline", "day")
        assert told.reason == "SoundUnplayable"
        assert told.message == "spec.tracks[1].audio[1].file: /b.mp3 cannot be heard: It is gone."
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"
        appliance.playout().observe(sound_problems={})
        await settle(2)
        assert appliance.conditions("Timeline", "day") == {"Ready": "True InUse"}


async def test_what_cannot_be_shown_is_told_of_the_timeline_or_the_program_until_it_is_mended(
    store: Store, host: FakeHost, state_dir: Path, tmp_path: Path
) -> None:
    annotations = {"stream.vistter.io/source-file": str(tmp_path / "main.yaml")}
    for name in ("rot.jpg", "slate.png"):
        (tmp_path / name).write_text(f"half of {name}")
    cues = [{"image": {"file": "rot.jpg"}, "duration": "4s"}, {"file": {"path": "bad.mp4"}, "duration": "4s"}]
    (tmp_path / "bad.mp4").write_text("half a film")
    day = make("Timeline", "day", {"tracks": [{"name": "v", "video": cues}]}, **{"annotations": annotations})
    slate = {"timeline": "day", "fallback": {"image": "slate.png"}}
    apply(store, day, make("Program", "main", slate, **{"annotations": annotations}))
    async with running(store, host, state_dir) as appliance:
        plan = appliance.playout().plan
        (image,) = plan.images
        assert plan.originals[image.file] == str(tmp_path / "rot.jpg")
        assert image.called == "rot.jpg"
        assert plan.fallback.image is not None
        appliance.playout().observe(
            picture_problems={
                image.file: plan.worded(f"{image.file} is cut off."),
                plan.fallback.image: "It is cut off.",
            },
            clip_problems={str(tmp_path / "bad.mp4"): "It is no film."},
        )
        await settle(2)
        told = appliance.condition("Timeline", "day")
        assert (told.status, told.reason) == ("False", "ImageUnreadable")
        assert f"video[0].image.file: {tmp_path / 'rot.jpg'} is cut off" in told.message
        assert f"video[1].file.path: {tmp_path / 'bad.mp4'} cannot be played: It is no film" in told.message
        assert appliance.conditions("Program", "main")["Ready"] == "False ImageUnreadable"
        assert appliance.condition("Program", "main").message.startswith("spec.fallback.image: ")
        assert appliance.events(day.key) == ["ImageUnreadable", "ClipUnplayable"]
        assert "ImageUnreadable" in appliance.events(key("Program", "main"))
        appliance.playout().observe(picture_problems={}, clip_problems={})
        await settle(2)
        assert appliance.conditions("Timeline", "day") == {"Ready": "True InUse"}
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"


async def test_a_pause_stands_in_the_status_while_it_lasts(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    apply(store, camera("wharf"), timeline("day", "wharf"), program("main", "day"))
    async with running(store, host, state_dir) as appliance:
        now = OnAir(kind="Camera", name="wharf", since=90.0, frame=60, reason="Cue")
        paused = now.model_copy(update={"standing": Standing(state="paused", at=2.0, since=80.0)})
        for on_air, expected in (
            (paused, {"state": "paused", "at": "2s", "since": "1970-01-01T00:01:20Z"}),
            (now, None),
        ):
            appliance.playout().observe(on_air=on_air)
            await settle(2)
            status = appliance.get("Program", "main").status.dump()
            assert status["onAir"].get("playback") == expected
        assert appliance.events(key("Program", "main"))[-2:] == ["TimelinePaused", "TimelineResumed"]


async def test_a_lost_folder_leaves_every_picture_on_air_across_controllers(
    store: Store, host: FakeHost, state_dir: Path, tmp_path: Path
) -> None:
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    (manifests / "logo.png").write_bytes(b"picture one")
    annotations = {"stream.vistter.io/source-file": str(manifests / "main.yaml")}
    apply(
        store,
        camera("wharf"),
        image_overlay("logo", "logo.png", annotations=annotations),
        timeline("day", "wharf", overlays=("logo",)),
        program("main", "day"),
    )
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        assert appliance.conditions("Overlay", "logo") == {"Ready": "True InUse"}
        manifests.rename(tmp_path / "away")
        appliance.controller.images_changed()
        await settle(40)
        told = appliance.condition("Overlay", "logo")
        assert told.reason == "ImageLost"
        assert f"{manifests / 'logo.png'} cannot be read any more" in told.message
        assert (content(logo(playout)), playout.applied) == (b"picture one", [])
    async with running(store, host, state_dir) as appliance:
        await settle(40)
        assert appliance.playout() is playout
        assert appliance.condition("Overlay", "logo").reason == "ImageLost"
        assert (content(logo(playout)), playout.applied) == (b"picture one", [])
        assert appliance.conditions("Program", "main")["Ready"] == "True OnAir"
        (tmp_path / "away").rename(manifests)
        await settle(20)
        assert appliance.conditions("Overlay", "logo") == {"Ready": "True InUse"}
        assert playout.applied == []


async def test_secrets_are_handed_over_and_a_missing_one_stops_nothing_else(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    apply(store, stream("youtube", "main", "youtube"))
    async with running(store, host, state_dir) as appliance:
        folder = appliance.playout().folder
        assert host.secrets[folder] == {}
        assert appliance.condition("Output", "youtube").message == (
            "Secret default/youtube does not exist; create it or change "
            "spec.targets[0].streamKeySecretRef.name"
        )
        assert appliance.conditions("Output", "tape")["Ready"] == "True Publishing"
        apply(store, secret("youtube", other="value"))
        await settle()
        assert appliance.condition("Output", "youtube").reason == "SecretKeyNotFound"
        apply(store, secret("youtube", streamKey="abcd-efgh-ijkl"))
        await settle()
        assert host.secrets[folder] == {"youtube/streamKey": "abcd-efgh-ijkl"}
        assert appliance.conditions("Output", "youtube")["Ready"] == "True Publishing"
        applied = len(appliance.playout().applied)
        apply(store, secret("youtube", streamKey="mnop-qrst-uvwx"))
        await settle()
        assert host.secrets[folder] == {"youtube/streamKey": "mnop-qrst-uvwx"}
        assert len(appliance.playout().applied) == applied + 1


async def test_a_secret_appears_in_no_status_event_metric_or_plan(
    store: Store, host: FakeHost, state_dir: Path, log: io.StringIO
) -> None:
    harbour(store)
    key_ = "k3y-that-nobody-sees"
    apply(store, secret("youtube", streamKey=key_), stream("youtube", "main", "youtube"))
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        said = f"rtmp://h/live/{key_} refused"
        playout.deliver("youtube", state=OutputState.WAITING, reason="Rejected", message=said)
        playout.observe(errors=[f"cannot open rtmp://h/live/{key_}"])
        await settle()
        shown = [
            *(resource.dump() for resource in store.list()[0] if resource.kind != "Secret"),
            *store.events(),
            appliance.controller.metrics.render().decode(),
            (playout.folder / "plan.json").read_text(),
        ]
        for one in shown:
            assert key_ not in repr(one)
        assert "Rejected" in repr(shown)
        host.refusals = [f"{said} again"]
        playout.die()
        await settle(5)
        assert "PlayoutNotStarted" in log.getvalue()
        assert key_ not in log.getvalue()
        assert key_ not in repr(appliance.condition("Program", "main"))


async def test_what_is_on_air_is_shown_promptly_and_written_at_most_once_a_second(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:

        def on_air() -> str | None:
            main = appliance.get("Program", "main")
            assert isinstance(main, Program)
            return main.status.on_air.source.name if main.status.on_air else None

        def show(name: str, frame: int) -> None:
            on_air = OnAir(kind="Camera", name=name, since=0.0, frame=frame, reason="Cue")
            appliance.playout().observe(on_air=on_air)

        show("pier", 1)
        await settle(0.1)
        assert on_air() == "pier"
        before = store.resource_version
        for frame in range(100):
            show(("wharf", "pier")[frame % 2], frame)
            await settle(0.1)
        assert 9 <= store.resource_version - before <= 11


async def test_a_source_is_on_air_since_it_came_however_often_it_is_cued(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        came = Came(since=60.0, frame=30)
        now = OnAir(kind="Camera", name="pier", since=90.0, frame=60, reason="Cue", came=came)
        appliance.playout().observe(on_air=now)
        await settle(1)
        main = appliance.get("Program", "main")
        assert isinstance(main, Program)
        assert main.status.on_air is not None
        assert (main.status.on_air.since, main.status.on_air.frame) == ("1970-01-01T00:01:00Z", 30)


async def test_figures_alone_are_not_written_to_a_status(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        before = store.resource_version
        for frame in range(1, 50):
            appliance.playout().observe(frame=frame * 15, fps=15.0 - frame / 100, late_frames=frame)
            appliance.playout().see("wharf", frame_age=frame / 100, frames=frame)
            appliance.playout().deliver("tape", bytes=frame * 1000)
            await settle(1)
        assert store.resource_version == before
        assert "vistter_program_late_frames_total" in appliance.controller.metrics.render().decode()


async def test_a_playout_that_says_nothing_is_told_and_left_alone(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        assert appliance.controller.not_ready() == []
        playout.silent = True
        await settle(15)
        for kind, name, type_ in (
            ("Program", "main", "OnAir"),
            ("Output", "tape", "Publishing"),
            ("Camera", "wharf", "Online"),
        ):
            told = appliance.conditions(kind, name)
            assert (told["Ready"], told[type_]) == ("False PlayoutSilent", "Unknown PlayoutSilent")
        main = appliance.get("Program", "main")
        assert isinstance(main, Program)
        assert main.status.on_air is None, "nobody knows"
        assert appliance.controller.not_ready() != []
        metrics = appliance.controller.metrics.render().decode()
        assert 'vistter_playout_up{namespace="default",program="main"} 0.0' in metrics
        assert "vistter_program_fps{" not in metrics
        assert "vistter_output_publishing{" not in metrics
        apply(store, timeline("day", "pier"))
        await settle(10)
        assert playout.alive
        assert playout.applied == [], "one that says nothing is asked for nothing"
        playout.silent = False
        playout.tell()
        await settle(5)
        assert appliance.conditions("Program", "main") == {"Ready": "True OnAir", "OnAir": "True Camera"}
        assert appliance.conditions("Output", "tape")["Publishing"] == "True Publishing"
        assert appliance.conditions("Camera", "pier")["Online"] == "True Live"
        assert appliance.playout() is playout
        assert len(playout.applied) == 1, "what was edited meanwhile is taken"
        await settle(60)
        assert appliance.playout() is playout
        assert appliance.controller.not_ready() == []


async def test_a_playout_that_hangs_is_replaced(store: Store, host: FakeHost, state_dir: Path) -> None:
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        old = appliance.playout()
        old.silent = True
        await settle(STUCK_AFTER - 1)
        assert old.alive
        await settle(8)
        assert [playout.alive for playout in host.playouts] == [False, True]
        assert appliance.said("PlayoutStuck").endswith("has said nothing for 30 s and is replaced.")
        assert "PlayoutLost" not in appliance.events(), "it was ended on purpose"
        assert appliance.conditions("Program", "main") == {"Ready": "True OnAir", "OnAir": "True Camera"}
        assert appliance.conditions("Output", "tape")["Publishing"] == "True Publishing"
        metrics = appliance.controller.metrics.render().decode()
        assert 'vistter_playout_up{namespace="default",program="main"} 1.0' in metrics
        assert 'reason="Stuck",role="playout"} 1.0' in metrics


async def test_a_playout_that_only_the_report_of_is_missing_is_not_replaced(
    store: Store, host: FakeHost, state_dir: Path
) -> None:
    """As after the controller itself was stopped for a while: it is asked before it is ended."""
    harbour(store)
    async with running(store, host, state_dir) as appliance:
        playout = appliance.playout()
        playout.mute = True
        await settle(100)
        assert appliance.playout() is playout
        assert "PlayoutStuck" not in appliance.events()


async def test_a_plan_is_compiled_once_for_each_edit(
    store: Store, host: FakeHost, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def counting(program: Program, **parts: Any) -> Compiled:
        compiled.append(program.metadata.name)
        return compile_plan(program, **parts)

    monkeypatch.setattr(reconcile_program, "compile_plan", counting)
    harbour(store)
    async with running(store, host, state_dir):
        before = len(compiled)
        apply(store, timeline("day", "pier", "wharf"))
        await settle()
        assert len(compiled) == before + 1
