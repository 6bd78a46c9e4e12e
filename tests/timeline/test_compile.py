"""Compiling objects into a plan."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.objects import (
    camera,
    compiled,
    graphics,
    hls_folder,
    output,
    overlay,
    program,
    recording_folder,
    resolve,
    text,
    timeline,
    video,
)
from vistterstream.resources.kinds import Overlay, Timeline
from vistterstream.resources.output import Encoding
from vistterstream.resources.overlay import Envelope, every_layer
from vistterstream.timeline.compile import (
    MAX_FRAMES,
    OVERLAYS_AT_ONCE,
    Compiled,
    PlanError,
    compile_plan,
    encoding_id,
)
from vistterstream.timeline.digests import plan_revision
from vistterstream.timeline.evaluate import TimelineIndex, picture, round_half_up
from vistterstream.timeline.plan import Plan, TimelinePlan

CAMERAS = [camera("a"), camera("b"), camera("c")]
TAG = overlay("tag", text("title", "{{ title }}"))


def cue(name: str, duration: str, **rest: Any) -> dict[str, Any]:
    return {"camera": name, "duration": duration, **rest}


def timed(timeline: Timeline, rate: str = "30") -> TimelinePlan:
    plan = compiled(timeline, program=program(rate), cameras=CAMERAS, overlays=[TAG]).plan.timeline
    assert plan is not None
    return plan


def starts_and_ends(plan: TimelinePlan) -> list[tuple[int, int]]:
    return [(cue.start, cue.end) for cue in plan.video]


def complaints(result: Compiled) -> list[str]:
    return [str(problem) for problem in result.problems]


class TestTimes:
    def test_cues_follow_each_other(self) -> None:
        plan = timed(timeline(video(cue("a", "2s"), cue("b", "500ms"), cue("c", "1m"))))
        assert starts_and_ends(plan) == [(0, 60), (60, 75), (75, 1875)]
        assert plan.length == 1875

    def test_a_given_start_leaves_a_gap(self) -> None:
        plan = timed(timeline(video(cue("a", "1s"), cue("b", "1s", at="3s"))))
        assert starts_and_ends(plan) == [(0, 30), (90, 120)]

    def test_the_length_is_the_end_of_the_last_cue_of_any_track(self) -> None:
        tracks = (video(cue("a", "1s")), graphics({"overlay": "tag", "at": "1s", "duration": "4s"}))
        assert timed(timeline(*tracks)).length == 150

    def test_an_overlay_without_duration_stays_to_the_end(self) -> None:
        plan = timed(timeline(graphics({"overlay": "tag", "at": "1s"}), video(cue("a", "10s"))))
        assert [(cue.start, cue.end) for cue in plan.overlays] == [(30, 300)]

    def test_overlays_alone_that_never_end_make_a_timeline_that_never_ends(self) -> None:
        plan = timed(timeline(graphics({"overlay": "tag", "at": "2s"}, {"overlay": "tag"}), loop=True))
        assert [(cue.start, cue.end) for cue in plan.overlays] == [(60, None), (0, None)]
        assert not plan.loop

    def test_half_a_frame_is_rounded_up(self) -> None:
        # 50 ms at 30 frames/s are 1.5 frames, 150 ms are 4.5
        plan = timed(timeline(video(cue("a", "50ms"), cue("b", "100ms"), cue("c", "1s"))))
        assert starts_and_ends(plan) == [(0, 2), (2, 5), (5, 35)]

    @given(
        st.lists(st.integers(1, 5000), min_size=1, max_size=200),
        st.sampled_from(["24000/1001", "25", "30000/1001", "30", "60000/1001"]),
    )
    def test_every_cut_is_the_frame_nearest_to_its_exact_time(self, lengths: list[int], rate: str) -> None:
        # milliseconds no frame rate divides: a sum of rounded lengths would wander off
        lengths = [length + 50 for length in lengths]  # more than a frame each
        plan = timed(timeline(video(*(cue("a", f"{length}ms") for length in lengths))), rate)
        exact = Fraction(0)
        for length, (start, end) in zip(lengths, starts_and_ends(plan), strict=True):
            assert start == round_half_up(exact)
            exact += Fraction(length, 1000) * Fraction(rate)
            assert end == round_half_up(exact)
            assert abs(end - exact) <= Fraction(1, 2)

    def test_a_year_of_minutes_at_30000_1001_ends_on_the_exact_frame(self) -> None:
        minutes = 365 * 24 * 60
        start = timed(timeline(video(cue("a", "1m", at=f"{minutes - 1}m"))), "30000/1001").video[0]
        assert start.end == round_half_up(Fraction(minutes * 60 * 30000, 1001))

    def test_a_cue_shorter_than_a_frame_is_left_out_and_told(self) -> None:
        result = compiled(
            timeline(video(cue("a", "1s"), cue("b", "10ms"), cue("c", "1s"))),
            program=program(),
            cameras=CAMERAS,
        )
        assert result.plan.timeline is not None
        assert [cue.camera for cue in result.plan.timeline.video] == ["a", "c"]
        assert complaints(result) == [
            "Timeline day spec.tracks[0].video[1]: lasts less than a frame; the cue is left out"
        ]

    def test_a_timeline_without_any_frame_is_refused_with_the_field(self) -> None:
        with pytest.raises(PlanError, match="longer duration") as caught:
            timed(timeline(video(cue("a", "10ms"))))
        assert caught.value.path == "spec.tracks"
        assert str(caught.value) == f"spec.tracks: {caught.value.message}"

    def test_a_timeline_beyond_reason_is_refused(self) -> None:
        assert timed(timeline(video(cue("a", "999999999h"))), "120").length < MAX_FRAMES
        with pytest.raises(PlanError, match="too far"):
            timed(timeline(video(*(cue("a", "999999999h") for _ in range(30)))), "120")

    def test_the_anchor_and_the_loop_are_kept(self) -> None:
        plan = timed(
            timeline(video(cue("a", "1s")), loop=True, anchor={"start": "2026-05-17T09:30:00+02:00"})
        )
        assert plan.loop
        assert plan.anchor == "2026-05-17T09:30:00+02:00"


class TestCrossfades:
    def test_a_crossfade_takes_a_second_unless_told(self) -> None:
        tracks = video(
            cue("a", "2s"),
            cue("b", "2s", transition={"type": "crossfade"}),
            cue("c", "2s", transition={"type": "crossfade", "duration": "200ms"}),
            cue("a", "2s", transition={"type": "cut"}),
        )
        assert [cue.fade for cue in timed(timeline(tracks)).video] == [0, 30, 6, 0]

    @given(st.integers(1, 200), st.sampled_from(["24000/1001", "25", "30"]))
    def test_a_crossfade_as_long_as_its_cue_never_reaches_beyond_it(self, length: int, rate: str) -> None:
        fade = {"type": "crossfade", "duration": f"{length + 50}ms"}
        cues = (cue("a", "1017ms"), cue("b", f"{length + 50}ms", transition=fade))
        shown = timed(timeline(video(*cues)), rate).video[1]
        assert 0 <= shown.end - shown.start - shown.fade <= 1


class TestCameras:
    def test_only_cameras_of_cues_and_their_backups_are_in_the_plan(self) -> None:
        cameras = [
            camera("idle"),
            camera("last"),
            camera("next", backup="last"),
            camera("a", backup="next"),
            camera("b", backup="a"),
        ]
        plan = compiled(timeline(video(cue("a", "1s"))), program=program(), cameras=cameras).plan
        assert [camera.name for camera in plan.cameras] == ["a", "last", "next"]

    def test_backups_in_a_circle_end(self) -> None:
        cameras = [camera("a", backup="b"), camera("b", backup="a")]
        result = compiled(timeline(video(cue("a", "1s"))), program=program(), cameras=cameras)
        assert [camera.name for camera in result.plan.cameras] == ["a", "b"]
        assert not result.problems

    def test_a_camera_that_does_not_exist_leaves_the_rest_alone(self) -> None:
        result = compiled(
            timeline(video(cue("a", "1s"), cue("gone", "1s"))), program=program(), cameras=CAMERAS
        )
        assert result.plan.timeline is not None
        assert [cue.camera for cue in result.plan.timeline.video] == ["a", "gone"]
        assert [camera.name for camera in result.plan.cameras] == ["a"]
        assert complaints(result) == [
            "Timeline day spec.tracks[0].video[1].camera: there is no Camera 'gone'; "
            "the slate is shown instead"
        ]

    def test_a_backup_that_does_not_exist_is_told_at_its_camera(self) -> None:
        result = compiled(
            timeline(video(cue("a", "1s"))), program=program(), cameras=[camera("a", backup="gone")]
        )
        assert complaints(result)[0].startswith("Camera a spec.backup: there is no Camera 'gone'")

    def test_files_get_absolute_paths(self) -> None:
        cameras = [camera("a", source={"file": {"path": "clips/x.mp4"}})]
        plan = compiled(timeline(video(cue("a", "1s"))), program=program(), cameras=cameras).plan
        file = plan.cameras[0].spec.source.file
        assert file is not None
        assert file.path == "/Camera/a/media/clips/x.mp4"
        assert file.loop


class TestOverlays:
    def test_tokens_take_the_values_of_the_cue(self) -> None:
        tag = overlay("tag", text("title", "{{ title }} · {{place}}"), text("plain", "{ {title} } {{ 1 }}"))
        result = compiled(
            timeline(
                graphics(
                    {"overlay": "tag", "duration": "1s", "values": {"title": "A {{ place }}", "place": "B"}}
                )
            ),
            program=program(),
            overlays=[tag],
        )
        texts = [layer.text.value for layer in result.plan.overlays[0].spec.layers if layer.text]
        assert texts == ["A {{ place }} · B", "{ {title} } {{ 1 }}"]  # values are not looked into
        assert not result.problems

    def test_a_token_without_value_is_empty_and_told(self) -> None:
        result = compiled(
            timeline(graphics({"overlay": "tag", "duration": "1s"})), program=program(), overlays=[TAG]
        )
        layer = result.plan.overlays[0].spec.layers[0]
        assert layer.text is not None
        assert layer.text.value == ""
        assert "spec.tracks[0].overlays[0].values: layer title:" in complaints(result)[0]

    def test_the_values_of_the_program_stand_for_those_that_the_cue_lacks(self) -> None:
        tag = overlay("tag", text("title", "{{ title }}, {{ town }}"))
        cue = {"overlay": "tag", "duration": "1s", "values": {"title": "Quay"}}
        result = compiled(
            timeline(graphics(cue)),
            program=program(values={"title": "Harbour", "town": "Skagen"}),
            overlays=[tag],
        )
        (layer,) = result.plan.overlays[0].spec.layers
        assert layer.text is not None
        assert layer.text.value == "Quay, Skagen"
        assert not result.problems

    def test_data_is_left_to_the_playout_with_the_values_that_go_with_it(self) -> None:
        tag = Overlay.model_validate(
            {
                "metadata": {"name": "tag"},
                "spec": {
                    "layers": [text("title", "{{ title }}: {{ wind }} {{ gust }} {{ nobody }}")],
                    "data": [
                        {"name": name, "url": "https://example.org/weather.json"}
                        for name in ("wind", "gust", "unused")
                    ],
                },
            }
        )
        cue = {"overlay": "tag", "duration": "1s", "values": {"title": "{{ wind }}", "gust": "calm"}}
        result = compiled(timeline(graphics(cue)), program=program(), overlays=[tag])
        (instance,) = result.plan.overlays
        (layer,) = instance.spec.layers
        assert layer.text is not None
        assert layer.text.value == "{{ title }}: {{ wind }} {{ gust }} {{ nobody }}"
        assert instance.values == {"title": "{{ wind }}", "gust": "calm"}, "of a cue, they win over data"
        assert [source.name for source in instance.spec.data] == ["wind"], "no more than is needed"
        assert len(complaints(result)) == 1
        assert "a value for {{ nobody }}" in complaints(result)[0]
        assert Plan.model_validate_json(result.plan.model_dump_json(by_alias=True)) == result.plan

    def test_an_overlay_whose_data_nobody_shows_fetches_nothing(self) -> None:
        data = [{"name": "title", "url": "https://example.org/weather.json"}]
        tag = Overlay.model_validate(
            {"metadata": {"name": "tag"}, "spec": {"layers": [text("title", "{{ title }}")], "data": data}}
        )
        cue = {"overlay": "tag", "duration": "1s", "values": {"title": "A"}}
        plan = compiled(timeline(graphics(cue)), program=program(), overlays=[tag]).plan
        assert plan.overlays[0].spec.data == ()
        assert plan.overlays[0].spec.layers[0].text is not None
        assert plan.overlays[0].spec.layers[0].text.value == "A"

    def test_a_text_that_grows_too_long_is_cut_so_that_the_plan_can_be_read(self) -> None:
        result = compiled(
            timeline(graphics({"overlay": "tag", "duration": "1s", "values": {"title": "x" * 4000}})),
            program=program(),
            overlays=[overlay("tag", text("title", "{{ title }} {{ title }}"))],
        )
        assert Plan.model_validate_json(result.plan.model_dump_json(by_alias=True)) == result.plan
        assert "cut off" in complaints(result)[0]

    def test_cues_that_look_the_same_share_an_instance(self) -> None:
        cues = [
            {"overlay": "tag", "duration": "1s", "values": {"title": title}, "at": f"{at}s"}
            for at, title in enumerate(["A", "B", "A"])
        ]
        plan = compiled(timeline(graphics(*cues)), program=program(), overlays=[TAG]).plan
        assert plan.timeline is not None
        first, second, third = (cue.instance for cue in plan.timeline.overlays)
        assert first == third != second
        assert [instance.id for instance in plan.overlays] == sorted({first, second})
        assert {instance.overlay for instance in plan.overlays} == {"tag"}

    def test_the_instance_changes_with_the_content_alone(self) -> None:
        def ids(tag: str, at: str) -> set[str]:
            cues = graphics({"overlay": "tag", "duration": "1s", "at": at})
            plan = compiled(
                timeline(cues), program=program(), overlays=[overlay("tag", text("title", tag))]
            ).plan
            return {instance.id for instance in plan.overlays}

        assert ids("x", "0s") == ids("x", "9s") != ids("y", "0s")

    def test_tracks_further_down_lie_on_top(self) -> None:
        overlays = [overlay(name, text("t", name)) for name in ("low", "mid", "top")]
        plan = compiled(
            timeline(
                graphics({"overlay": "low", "duration": "1s"}, {"overlay": "mid", "duration": "1s"}),
                graphics({"overlay": "top", "duration": "1s"}, name="more"),
            ),
            program=program(),
            overlays=overlays,
        ).plan
        names = {instance.id: instance.overlay for instance in plan.overlays}
        assert plan.timeline is not None
        assert [names[cue.instance] for cue in plan.timeline.overlays] == ["low", "mid", "top"]

    def test_an_overlay_that_does_not_exist_is_left_out_and_told(self) -> None:
        result = compiled(
            timeline(video(cue("a", "1s")), graphics({"overlay": "gone"})), program=program(), cameras=CAMERAS
        )
        assert result.plan.timeline is not None
        assert result.plan.timeline.overlays == ()
        assert "there is no Overlay 'gone'" in complaints(result)[0]

    def test_an_overlay_shorter_than_a_frame_is_left_out_and_told(self) -> None:
        for brief in ({"overlay": "tag", "at": "995ms"}, {"overlay": "tag", "duration": "10ms"}):
            result = compiled(
                timeline(video(cue("a", "1s")), graphics(brief)),
                program=program(),
                cameras=CAMERAS,
                overlays=[TAG],
            )
            assert result.plan.timeline is not None
            assert result.plan.timeline.overlays == ()
            assert result.plan.overlays == ()
            assert complaints(result) == [
                "Timeline day spec.tracks[1].overlays[0]: lasts less than a frame; the cue is left out"
            ]

    def test_too_many_overlays_at_once_are_refused_but_not_one_after_another(self) -> None:
        def cues(count: int, step: int) -> Timeline:
            return timeline(
                graphics(*({"overlay": "tag", "at": f"{n * step}s", "duration": "1s"} for n in range(count)))
            )

        assert len(timed(cues(3 * OVERLAYS_AT_ONCE, 1)).overlays) == 3 * OVERLAYS_AT_ONCE
        assert len(timed(cues(OVERLAYS_AT_ONCE, 0)).overlays) == OVERLAYS_AT_ONCE
        with pytest.raises(PlanError, match="at the same time"):
            timed(cues(OVERLAYS_AT_ONCE + 1, 0))

    def test_what_is_in_groups_gets_paths_and_words_too(self) -> None:
        inner = {
            "name": "inner",
            "group": {
                "layers": [
                    {
                        "name": "a",
                        "image": {"sequence": "a-%d.png"},
                        "fallback": {"image": {"file": "b.png"}},
                    },
                    {"name": "c", "qr": {"value": "{{ link }}"}, "mask": {"image": {"file": "d.png"}}},
                ]
            },
        }
        cue = {"overlay": "o", "duration": "1s", "values": {"link": "https://x"}}
        group = overlay("o", {"name": "g", "group": {"layers": [inner]}})
        made = compiled(timeline(graphics(cue)), program=program(), overlays=[group])
        (instance,) = made.plan.overlays
        found = {layer.name: layer for _, layer in every_layer(instance.spec.layers)}
        assert [file for one in found.values() for _, file in one.pictures()] == [
            "/Overlay/o/image/b.png",
            "/Overlay/o/image/d.png",
        ]
        assert [file for one in found.values() for _, file in one.sequences()] == [
            "/Overlay/o/media/a-%d.png"
        ]
        code = found["c"].qr
        assert code is not None
        assert code.value == "https://x"
        assert not made.problems

    def test_images_get_absolute_paths(self) -> None:
        logo = overlay("logo", {"name": "l", "image": {"file": "logo.png"}, "opacity": 0.5})
        plan = compiled(
            timeline(graphics({"overlay": "logo", "duration": "1s"})), program=program(), overlays=[logo]
        ).plan
        layer = plan.overlays[0].spec.layers[0]
        assert layer.image is not None
        assert layer.image.file == "/Overlay/logo/image/logo.png"
        assert layer.opacity == 0.5

    def test_a_layer_says_which_overlay_lies_on_top_and_then_the_order_of_tracks_and_cues(self) -> None:
        tags = {name: overlay(name, text("t", name)) for name in "uvwxyz"}
        inner = timeline(
            video(cue("a", "2s")),
            graphics({"overlay": "u"}, {"overlay": "v", "layer": 3}),
        )
        named = inner.metadata.model_copy(update={"name": "in"})
        outer = timeline(
            video({"timeline": "in"}),
            graphics({"overlay": "w", "layer": 2}, {"overlay": "x", "layer": -1}, name="one"),
            graphics({"overlay": "y"}, {"overlay": "z", "layer": 3}, name="two"),
        )
        result = compile_plan(
            program(),
            timeline=outer,
            timelines={"in": inner.model_copy(update={"metadata": named})},
            overlays=tags,
            cameras={"a": camera("a")},
            outputs=(),
            resolve=resolve,
            hls_folder=hls_folder,
            recording_folder=recording_folder,
        )
        assert result.plan.timeline is not None
        names = {instance.id: instance.overlay for instance in result.plan.overlays}
        assert [names[shown.instance] for shown in result.plan.timeline.overlays] == list("xuywvz")
        shown = picture(TimelineIndex(result.plan.timeline), 30).overlays
        assert [names[id] for id, _ in shown] == list("xuywvz")

    def test_cues_that_come_in_alike_share_an_instance_and_others_do_not(self) -> None:
        fade, slide = {"duration": "10f"}, {"duration": "10f", "slide": "left"}
        hows: list[dict[str, Any]] = [
            {}, {"enter": fade}, {"enter": fade}, {"exit": fade}, {"enter": slide}, {"layer": 4},
        ]  # fmt: skip
        cues = [{"overlay": "tag", "at": f"{2 * n}s", "duration": "1s", **how} for n, how in enumerate(hows)]
        result = compiled(
            timeline(graphics(*cues)), program=program(), overlays=[overlay("tag", text("t", "x"))]
        )
        assert result.plan.timeline is not None
        by_start = {shown.start: shown.instance for shown in result.plan.timeline.overlays}
        ids = [by_start[60 * n] for n in range(6)]
        assert ids[1] == ids[2]
        assert ids[5] == ids[0], "the layer is no part of what it looks like"
        assert len(set(ids)) == 4
        enters = {instance.id: instance.enter for instance in result.plan.overlays}
        assert enters[ids[0]] is None
        assert enters[ids[1]] == Envelope.model_validate(fade)

    def test_an_entry_in_timecode_that_the_rate_lacks_is_refused_with_its_place(self) -> None:
        late = {"overlay": "tag", "enter": {"duration": "00:00:00;10"}}
        with pytest.raises(PlanError, match="drop-frame") as caught:
            timed(timeline(video(cue("a", "9s")), graphics(late)), "25")
        assert caught.value.path == "spec.tracks[1].overlays[0].enter.duration"


class TestProgram:
    def test_without_a_timeline_there_is_the_fallback(self) -> None:
        result = compiled(None, program=program(timeline=None, fallback={"image": "slate.png", "text": "Hi"}))
        assert result.plan.timeline is None
        assert result.plan.fallback.image == "/Program/main/image/slate.png"
        assert result.plan.fallback.text == "Hi"
        assert not result.problems

    def test_a_timeline_that_does_not_exist_is_told(self) -> None:
        result = compiled(None, program=program())
        assert result.plan.timeline is None
        assert complaints(result) == [
            "Program main spec.timeline: there is no Timeline 'day'; the slate is shown instead"
        ]


class TestOutputs:
    def test_equal_encodings_share_one_encoder_however_they_are_written(self) -> None:
        encodings: list[dict[str, Any]] = [
            {"video": {"bitrate": "4500k", "keyframeInterval": "2s"}},
            {"video": {"bitrate": "4.5M", "keyframeInterval": "2000ms"}},
            {"video": {"bitrate": "4501k"}},
        ]
        outputs = [output(f"o{n}", encoding=encoding) for n, encoding in enumerate(encodings)]
        plan = compiled(None, program=program(timeline=None), outputs=outputs).plan
        first, second, third = plan.outputs
        assert first.encoding == second.encoding != third.encoding
        assert [encoding.id for encoding in plan.encodings] == sorted({first.encoding, third.encoding})

    @pytest.mark.parametrize(
        "other",
        [
            {"video": {"bitrate": "1M"}},
            {"video": {"preset": "fast"}},
            {"video": {"keyframeInterval": "1s"}},
            {"audio": {"bitrate": "96k"}},
        ],
    )
    def test_encodings_that_differ_have_other_ids(self, other: dict[str, Any]) -> None:
        assert encoding_id(Encoding.model_validate(other)) != encoding_id(Encoding())

    def test_an_encoding_is_the_same_one_as_before_there_was_a_lossless_one(self) -> None:
        assert encoding_id(Encoding()) == "ccc822d4d159549f"
        assert encoding_id(Encoding(lossless=True)) != encoding_id(Encoding())

    def test_outputs_of_other_programs_are_not_ours(self) -> None:
        outputs = [output("b"), output("other", program="second"), output("a")]
        plan = compiled(None, program=program(timeline=None), outputs=outputs).plan
        assert [output.name for output in plan.outputs] == ["a", "b"]

    def test_folders_and_certificates_become_absolute(self) -> None:
        targets = [
            {"name": "hls", "hls": {"listSize": 9}},
            {"name": "own-hls", "hls": {"folder": "www"}},
            {"name": "rec", "recording": {}},
            {"name": "own-rec", "recording": {"folder": "files", "container": "ts"}},
            {
                "name": "rtmps",
                "url": "rtmps://example.org/live",
                "tls": {"caFile": "ca.pem", "verify": False},
            },
        ]
        plan = compiled(None, program=program(timeline=None), outputs=[output("o", targets=targets)]).plan
        hls, own_hls, recording, own_recording, rtmps = plan.outputs[0].targets
        assert hls.hls is not None
        assert (hls.hls.folder, hls.hls.list_size) == ("/hls/o/hls", 9)
        assert own_hls.hls is not None
        assert own_hls.hls.folder == "/Output/o/folder/www"
        assert recording.recording is not None
        assert recording.recording.folder == "/recordings/o/rec"
        assert own_recording.recording is not None
        assert own_recording.recording.folder == "/Output/o/folder/files"
        assert own_recording.recording.container == "ts"
        assert rtmps.tls.ca_file == "/Output/o/certificates/ca.pem"
        assert not rtmps.tls.verify
        assert plan.outputs[0].home == "/Output/o/folder/."

    @pytest.mark.parametrize("target", [{"hls": {}}, {"recording": {"folder": "/srv/rec"}}])
    def test_where_the_manifest_lies_is_no_matter_of_other_folders(self, target: dict[str, Any]) -> None:
        outputs = [output("o", targets=[{"name": "a", **target}])]
        assert compiled(None, program=program(timeline=None), outputs=outputs).plan.outputs[0].home is None


class TestRevision:
    def test_equal_plans_have_equal_revisions(self) -> None:
        def revision(**spec: Any) -> str:
            return plan_revision(
                compiled(
                    timeline(video(cue("a", "1s"))),
                    program=program(**spec),
                    cameras=CAMERAS,
                    overlays=[TAG],
                    outputs=[output("o")],
                ).plan
            )

        assert revision() == revision()
        assert revision(fallback={"text": "x"}) != revision()

    def test_new_secret_values_make_a_new_revision(self) -> None:
        revisions = {
            plan_revision(compiled(None, program=program(timeline=None), secrets_revision=secrets).plan)
            for secrets in ("1", "2")
        }
        assert len(revisions) == 2

    def test_the_revision_survives_the_plan_file(self) -> None:
        plan = compiled(
            timeline(video(cue("a", "1s")), graphics({"overlay": "tag"})),
            program=program(),
            cameras=CAMERAS,
            overlays=[TAG],
            outputs=[output("o")],
        ).plan
        again = Plan.model_validate_json(plan.model_dump_json(by_alias=True))
        assert again == plan
        assert plan_revision(again) == plan_revision(plan)


def test_the_order_of_cameras_and_outputs_does_not_matter() -> None:
    day = timeline(video(cue("a", "1s"), cue("b", "1s")))
    outputs = [output("x"), output("y", encoding={"video": {"bitrate": "1M"}})]
    one = compiled(day, program=program(), cameras=CAMERAS, outputs=outputs)
    other = compiled(day, program=program(), cameras=CAMERAS[::-1], outputs=outputs[::-1])
    assert one == other


class TestClips:
    def clips(self, *cues: dict[str, Any], rate: str = "30") -> Plan:
        return compiled(timeline(video(*cues)), program=program(rate), cameras=CAMERAS).plan

    def test_a_clip_gets_its_path_and_its_in_point_in_frames(self) -> None:
        plan = self.clips(
            {"file": {"path": "a.mp4", "in": "10s", "atEnd": "loop"}, "duration": "2s"}, rate="30000/1001"
        )
        assert plan.timeline is not None
        (clip,) = plan.clips
        assert (clip.file, clip.start, clip.at_end) == ("/Timeline/day/media/a.mp4", 300, "loop")
        assert plan.timeline.video[0].source == f"clip:{clip.id}"

    def test_the_same_clip_again_is_one_clip_but_not_right_after_itself(self) -> None:
        one = {"file": {"path": "a.mp4"}, "duration": "2s"}
        plan = self.clips(one, cue("a", "1s"), one, one | {"transition": {"type": "crossfade"}}, one)
        assert plan.timeline is not None
        ids = [shown.clip for shown in plan.timeline.video]
        assert ids[0] == ids[2] == ids[4]
        assert ids[3] not in (None, ids[0])
        assert len(plan.clips) == 2

    def test_an_in_point_that_the_rate_does_not_have_is_an_error(self) -> None:
        with pytest.raises(PlanError, match=r"video\[0\]\.file\.in: "):
            self.clips({"file": {"path": "a.mp4", "in": "00:00:01;12"}, "duration": "2s"}, rate="25")

    def test_a_preset_is_in_the_plan(self) -> None:
        plan = self.clips(cue("a", "1s", preset="wide"), cue("b", "1s"))
        assert plan.timeline is not None
        assert [shown.preset for shown in plan.timeline.video] == ["wide", None]
