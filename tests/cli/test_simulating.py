from __future__ import annotations

import json
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cli.commands import ROOT, SMALL, vistter
from vistterstream.cli import scenes
from vistterstream.timeline.evaluate import TimelineIndex, picture, position

pytestmark = pytest.mark.slow

SHOW = """
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: wharf}
spec: {source: {testPattern: {}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: pier}
spec: {source: {testPattern: {pattern: grid}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: tag}
spec: {layers: [{name: words, text: {value: "{{ title }}"}}]}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: tour}
spec:
  loop: true
  tracks:
    - name: pictures
      video:
        - {camera: wharf, duration: 10s}
        - {camera: pier, duration: 5s, transition: {type: crossfade, duration: 2s}}
    - name: words
      overlays:
        - {overlay: tag, at: 3s, duration: 4s, values: {title: Old wharf}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Program
metadata: {name: main}
spec: {format: {width: 320, height: 180, frameRate: "30000/1001"}, timeline: tour}
"""


def write(folder: Path, text: str = SHOW) -> Path:
    (folder / "show.yaml").write_text(text)
    return folder


def rows(*arguments: str | Path) -> list[dict[str, Any]]:
    done = vistter("simulate", "-o", "json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return found


def test_the_table_tells_when_what_is_on_air_one_round_of_a_loop(tmp_path: Path) -> None:
    done = vistter("simulate", "--manifests", write(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["TIME", "FRAME", "FOR", "SOURCE", "TRANSITION", "OVERLAYS"],
        ["00:00:00.000", "0", "3.003s", "wharf", "-", "-"],
        ["00:00:03.003", "90", "4.004s", "wharf", "-", "tag"],
        ["00:00:07.007", "210", "3.003s", "wharf", "-", "-"],
        ["00:00:10.010", "300", "2.002s", "pier", "crossfade", "from", "wharf", "-"],
        ["00:00:12.012", "360", "3.003s", "pier", "-", "-"],
    ]
    assert "repeats every 15.015s" in done.stderr


def test_every_change_is_what_the_frames_show(tmp_path: Path) -> None:
    found = rows("--manifests", write(tmp_path), "--for", "1m")
    objects = scenes.world([tmp_path])
    assert objects is not None
    plan = scenes.plan_of(objects, scenes.program_of(objects, None)).plan
    assert plan.timeline is not None
    index, rate = TimelineIndex(plan.timeline), Fraction(30000, 1001)
    names = {overlay.id: overlay.overlay for overlay in plan.overlays}
    assert sum(row["frames"] for row in found) == 1798  # a minute
    for row in found:
        for number in range(row["frame"], row["frame"] + row["frames"]):
            shown = picture(index, position(index, number, rate, 0))
            assert row["source"] == (shown.incoming or shown.camera)
            assert row["outgoing"] == (shown.camera if shown.incoming else None)
            assert row["overlays"] == [names[id] for id, *_ in shown.overlays]
    for row, following in pairwise(found):
        assert row["frame"] + row["frames"] == following["frame"]


def test_an_anchor_gives_instants_and_at_looks_into_the_future(tmp_path: Path) -> None:
    anchored = SHOW.replace(
        "  loop: true\n", "  loop: true\n  anchor: {start: '2026-05-17T09:30:00+02:00'}\n"
    )
    write(tmp_path, anchored.replace('"30000/1001"', '"30"'))
    found = rows("-m", tmp_path, "--at", "2026-05-17T08:30:11Z", "--for", "10s")
    assert [(row["at"], row["source"]) for row in found[:3]] == [
        ("2026-05-17T08:30:11.000+00:00", "pier"),
        ("2026-05-17T08:30:12.000+00:00", "pier"),
        ("2026-05-17T08:30:15.000+00:00", "wharf"),
    ]


def test_before_the_anchor_and_after_the_end_the_fallback_is_on_air(tmp_path: Path) -> None:
    once = SHOW.replace("  loop: true\n", "  anchor: {start: '2026-05-17T09:30:00Z'}\n")
    write(tmp_path, once)
    done = vistter("simulate", "-m", tmp_path, "--at", "2026-05-17T09:29:30Z", "--epoch",
                   "2026-05-17T09:00:00Z", "--strict")  # fmt: skip
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[1].split()[3] == lines[-1].split()[3] == "fallback"
    assert lines[-1].startswith("2026-05-17T09:30:15.0")
    assert "The timeline ends at 2026-05-17T09:30:15.0" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        ("{camera: pier, duration: 5s", "{camera: pier, at: 12s, duration: 5s", "Gap: from 00:00:10.0"),
        ("{camera: pier,", "{camera: peer,", "there is no Camera 'peer'"),
        ("overlay: tag,", "overlay: tags,", "there is no Overlay 'tags'"),
        ("values: {title: Old wharf}}", "values: {}}", "{{ title }}"),
        ("  loop: true\n", "", "The timeline ends at 00:00:15.015"),
        ("timeline: tour", "timeline: tuor", "there is no Timeline 'tuor'"),
        ("{testPattern: {}}", "{file: {path: gone.mp4}}", "gone.mp4"),
        ('text: {value: "{{ title }}"}', "image: {sequence: gone-%d.png}", "gone-%d.png"),
        ("text: {value", "text: {font: Comic Sins, value", "no font 'Comic Sins'"),
        (
            'text: {value: "{{ title }}"}',
            f"image: {{file: {ROOT}/examples/08-harbour-day/logo.png, sha256: '{'0' * 64}'}}",
            "another than the manifest wants",
        ),
        ('text: {value: "{{ title }}"}', "image: {file: show.yaml}", "not a PNG"),
        (
            "{camera: pier, duration",
            "{image: {file: show.yaml}, duration",
            "The image of a cue cannot be shown",
        ),
        ("{camera: pier, duration", "{file: {path: gone.mp4}, duration", "The clip of a cue does not exist"),
        ('text: {value: "{{ title }}"}', "image: {file: gone.png}", "gone.png"),
        ("timeline: tour}", "timeline: tour, fallback: {image: gone.png}}", "gone.png"),
        (
            "values: {title: Old wharf}}",
            "values: {title: A}}\n        - {overlay: tag, at: 4s, duration: 1s, values: {title: B}}",
            "Overlap: from 00:00:04.0",
        ),
    ],
)
def test_what_would_go_wrong_is_told_and_strict_makes_it_an_error(
    tmp_path: Path, old: str, new: str, warning: str
) -> None:
    assert old in SHOW
    write(tmp_path, SHOW.replace(old, new))
    done = vistter("simulate", "-m", tmp_path, "--strict")
    assert (done.returncode, warning in done.stderr) == (1, True), done.stderr
    told = json.loads(vistter("simulate", "-m", tmp_path, "-o", "json", "--for", "30s").stdout)["warnings"]
    assert any(warning in sentence for sentence in told)


def test_clips_and_presets_are_named(tmp_path: Path) -> None:
    show = SHOW.replace("{camera: wharf, duration", "{camera: wharf, preset: wide, duration", 1)
    show = show.replace("{camera: pier, duration", "{file: {path: opener.mp4}, duration", 1)
    assert "preset" in show
    write(tmp_path, show)
    (tmp_path / "opener.mp4").touch()
    done = vistter("simulate", "-m", tmp_path)
    assert "wharf (wide)" in done.stdout
    assert "clip opener.mp4" in done.stdout
    assert "Gap" not in done.stderr


def test_examples_have_nothing_to_be_warned_of_and_a_day_is_quick() -> None:
    began = time.monotonic()
    done = vistter("simulate", "-m", ROOT / "examples/03-lower-thirds", "--strict", "--for", "24h")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 + 24 * 3600 // 30 * 7
    assert time.monotonic() - began < 20


def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    write(tmp_path)
    cases: tuple[tuple[list[str | Path], str], ...] = (
        (["-m", tmp_path, "mian"], "There is no Program mian in these manifests; did you mean main?"),
        (["-m", tmp_path, "--at", "noon"], "--at noon is not a time"),
        (["-m", tmp_path, "--for", "ever"], "--for: "),
        (["-m", tmp_path, "--epoch", "today"], "--epoch: "),
        (["-m", tmp_path / "nowhere"], "cannot be read"),
    )
    for arguments, sentence in cases:
        done = vistter("simulate", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    done = vistter("simulate", cwd=tmp_path)
    assert done.returncode == 1
    assert "no folder ./manifests" in done.stderr
    (tmp_path / "bad.yaml").write_text("kind: [")
    done = vistter("simulate", "-m", tmp_path)
    assert done.returncode == 1
    assert "bad.yaml:1:" in done.stdout


def test_a_timeline_that_starts_each_day_starts_each_day(tmp_path: Path) -> None:
    daily = SHOW.replace(
        "  loop: true\n", "  anchor: {daily: {time: '09:30:00', timeZone: Europe/Berlin}}\n"
    ).replace('"30000/1001"', '"30"')
    write(tmp_path, daily)
    found = rows("-m", tmp_path, "--at", "2026-03-27T12:00:00Z", "--for", "72h")
    starts = [row["at"] for row in found if row["position"] == 0]
    assert starts == [  # summer time begins on the 29th
        "2026-03-28T08:30:00.000+00:00",
        "2026-03-29T07:30:00.000+00:00",
        "2026-03-30T07:30:00.000+00:00",
    ]

    done = vistter("simulate", "-m", tmp_path, "--at", "2026-03-28T12:00:00Z", "--for", "24h")
    gap = "Gap: from 2026-03-29T09:30:15.000+02:00 the fallback is shown for 23h59m45s, until the timeline"
    assert gap in done.stderr
    assert "The timeline ends" not in done.stderr


def test_the_slate_as_a_cue_is_no_gap(tmp_path: Path) -> None:
    write(tmp_path, SHOW.replace("{camera: wharf, duration: 10s}", "{slate: {}, duration: 10s}"))
    done = vistter("simulate", "-m", tmp_path, "--strict")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split()[3] == "slate"
    assert "crossfade from slate" in done.stdout


def test_it_needs_one_program(tmp_path: Path) -> None:
    write(tmp_path, SHOW + "---" + SMALL.replace("name: main", "name: other").split("---")[3])
    done = vistter("simulate", "-m", tmp_path)
    assert "Say which program is meant: main, other." in done.stderr


def test_a_sound_file_that_is_missing_is_warned_of(tmp_path: Path) -> None:
    music = "    - name: music\n      audio: [{file: gone.mp3, loop: true}, {file: gone.mp3, at: 2s}]\n---"
    head, program = SHOW.rsplit("---", 1)
    text = head + music + program
    done = vistter("simulate", "--manifests", write(tmp_path, text), "--strict")
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert told.count(f"The sound file of a cue does not exist: {tmp_path}/gone.mp3") == 1


def test_times_are_those_of_the_anchors_zone_or_of_one_that_is_named(tmp_path: Path) -> None:
    anchored = SHOW.replace("  loop: true\n", "  anchor: {start: '2026-05-17T09:30:00+02:00'}\n")
    done = vistter("simulate", "-m", write(tmp_path, anchored), "--for", "5s")
    assert done.stdout.splitlines()[1].startswith("2026-05-17T09:30:00.000+02:00")
    assert "Times are those of UTC+02:00." in done.stderr
    done = vistter("simulate", "-m", tmp_path, "--for", "5s", "--zone", "America/New_York")
    assert done.stdout.splitlines()[1].startswith("2026-05-17T03:30:00.000-04:00")
    assert "Times are those of America/New_York." in done.stderr
    done = vistter("simulate", "-m", tmp_path, "--zone", "Mars/Base")
    assert (done.returncode, "there is no time zone Mars/Base" in done.stderr) == (1, True)
    daily = SHOW.replace("  loop: true\n", "  anchor: {daily: {time: '09:30:00', timeZone: Europe/Berlin}}\n")
    done = vistter("simulate", "-m", write(tmp_path, daily), "--for", "5s")
    assert done.stdout.splitlines()[1].startswith("2000-01-01T09:30:00.002+01:00")
    assert "starts each day at 09:30:00 (Europe/Berlin); the day here is 2000-01-01" in done.stderr


def test_a_program_that_is_paused_is_said_to_be(tmp_path: Path) -> None:
    paused = SHOW.replace("timeline: tour}", "timeline: tour, playback: {state: paused, at: 12s}}")
    done = vistter("simulate", "-m", write(tmp_path, paused), "--for", "10s", "--strict")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Program main is paused (spec.playback): its timeline does not go on.")
    assert done.stdout.splitlines()[1].split()[2:4] == ["10.01s", "pier"]
