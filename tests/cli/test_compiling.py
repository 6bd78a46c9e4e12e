from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from cli.commands import SMALL, vistter
from vistterstream.cli.compiling import _steps, check_programs
from vistterstream.cli.manifestfiles import read


def errors(tmp_path: Path, *replacements: tuple[str, str]) -> list[str]:
    text = SMALL
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "small.yaml").write_text(text)
    loaded, _files = read([tmp_path / "small.yaml"])
    assert not loaded.errors
    return [str(error).removeprefix(f"{tmp_path}/") for error in check_programs(loaded)]


def test_what_is_right_has_no_errors(tmp_path: Path) -> None:
    assert errors(tmp_path) == []


def test_a_cue_that_the_programs_rate_cannot_show_is_told_where_it_stands(tmp_path: Path) -> None:
    found = errors(tmp_path, ("duration: 1h", "duration: 10ms"))  # of a program with 15 frames a second
    assert len(found) == 1
    assert found[0].startswith("small.yaml:15:")
    assert " spec.tracks: no cue lasts as long as a frame" in found[0]


def test_a_picture_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    found = errors(tmp_path, ("timeline: tour}", "timeline: tour, fallback: {image: slate.png}}"))
    assert found == [
        f"small.yaml:20:94 spec.fallback.image: there is no file {tmp_path}/slate.png",
    ]
    Image.new("RGB", (2, 2)).save(tmp_path / "slate.png")
    assert errors(tmp_path, ("timeline: tour}", "timeline: tour, fallback: {image: slate.png}}")) == []


def test_a_clip_of_a_cue_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    (found,) = errors(tmp_path, ("{camera: pier,", "{file: {path: clips/a.mp4},"))
    assert found.endswith(f"spec.tracks[0].video[0].file.path: there is no file {tmp_path}/clips/a.mp4")


def test_a_clip_that_is_not_there_is_told_though_nothing_shows_it(tmp_path: Path) -> None:
    found = errors(tmp_path, ("testPattern: {pattern: grid}", "file: {path: clips/a.mp4}"))
    assert [error.partition(" ")[2] for error in found] == [
        f"spec.source.file.path: there is no file {tmp_path}/clips/a.mp4"
    ]


END = "stringData: {password: correct-horse-battery-staple}"
NESTED = """
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: news}
spec:
  tracks: [{name: pictures, video: [{camera: spare, duration: 10s}]}]
"""


def test_a_timeline_that_another_shows_is_found(tmp_path: Path) -> None:
    assert (
        errors(tmp_path, ("{camera: pier, duration: 1h}", "{timeline: news}"), (END, f"{END}\n---{NESTED}"))
        == []
    )


SCORE = """
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: score}
spec:
  layers:
    - name: words
      text: {value: "{{ score }} {{ wind }}"}
      tracks:
        - {property: opacity, sync: gaol, keyframes: [{at: 0s, value: 0}, {at: 1s, value: 1}]}
  data: [{name: wind, url: "http://127.0.0.1:9/a.json"}]
"""


def test_a_cue_point_and_a_value_that_are_not_there_are_told_where_they_are_named(tmp_path: Path) -> None:
    cue = "{name: words, overlays: [{overlay: score, duration: 5s}]}"
    found = errors(
        tmp_path,
        ("duration: 1h}]}]}", f"duration: 1h}}]}}, {cue}], cuePoints: [{{name: goal, at: 3s}}]}}"),
        (END, f"{END}\n---{SCORE}"),
    )
    assert [error.partition(" ")[2] for error in found] == [
        "spec.layers[0].tracks[0].sync: Timeline tour has no cue point 'gaol', so its times count from the "
        "overlay's entry; did you mean goal?",
        "spec.tracks[1].overlays[0].values: layer words: neither the cue nor the Program gives a value for "
        "{{ score }}; nothing is shown in its place",
    ]


def test_outputs_with_a_folder_in_common_are_both_told(tmp_path: Path) -> None:
    output = (
        "---\napiVersion: stream.vistter.io/v1alpha1\nkind: Output\nmetadata: {{name: {}}}\n"
        "spec: {{program: main, targets: [{{name: a, hls: {{folder: {}}}}}]}}\n"
    )
    (tmp_path / "outputs.yaml").write_text(output.format("one", "films") + output.format("two", "./films"))
    loaded, _files = read([tmp_path / "outputs.yaml"])
    assert [error.message for error in check_programs(loaded)] == [
        f"{tmp_path}/films is a folder of Output default/{other} too; give each its own"
        for other in ("two", "one")
    ]


@pytest.mark.slow
def test_validate_tells_it_and_a_part_is_let_off(tmp_path: Path) -> None:
    assert errors(tmp_path, ("testPattern: {pattern: grid}", "file: {path: clips/a.mp4}"))
    done = vistter("validate", tmp_path)
    assert (done.returncode, done.stderr) == (1, "1 error in 1 file.\n")
    assert vistter("validate", "--partial", tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("spec.tracks[0].video[12].at", ("spec", "tracks", 0, "video", 12, "at")),
        ("spec.overlays[0].values[the-title]", ("spec", "overlays", 0, "values", "the-title")),
        ("", ()),
    ],
)
def test_paths_are_taken_apart(path: str, steps: tuple[str | int, ...]) -> None:
    assert _steps(path) == steps


GROUPED = """
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: sting}
spec:
  layers:
    - name: g
      group:
        layers:
          - {name: a, image: {sequence: frames/a-%04d.png}}
          - {name: b, image: {file: b.png}, mask: {image: {file: c.png}}}
---
"""


def test_pictures_in_groups_sequences_and_masks_that_are_not_there_are_told(tmp_path: Path) -> None:
    tracks = "tracks: [{name: o, overlays: [{overlay: sting, at: 1s}]}, "
    replacements = [("\napiVersion: v1\n", GROUPED + "apiVersion: v1\n"), ("tracks: [", tracks)]
    found = errors(tmp_path, *replacements)
    place = "spec.layers[0].group.layers"
    assert sorted(error.partition(" ")[2] for error in found) == [
        f"{place}[0].image.sequence: there is no file {tmp_path}/frames/a-%04d.png with any number",
        f"{place}[1].image.file: there is no file {tmp_path}/b.png",
        f"{place}[1].mask.image.file: there is no file {tmp_path}/c.png",
    ]
    assert all(error.startswith("small.yaml:") for error in found)
    (tmp_path / "frames").mkdir()
    for name in ("frames/a-0007.png", "b.png", "c.png"):
        Image.new("RGB", (2, 2)).save(tmp_path / name)
    assert errors(tmp_path, *replacements) == []


def test_a_picture_that_is_another_than_is_wanted_or_none_is_told_where_it_is_named(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGB", (2, 2)).save(logo)
    right = hashlib.sha256(logo.read_bytes()).hexdigest()

    def with_digest(digest: str, play: str = "still") -> list[str]:
        image = f"{{file: logo.png, play: {play}, sha256: '{digest}'}}"
        overlay = (
            "\n---\napiVersion: stream.vistter.io/v1alpha1\nkind: Overlay\nmetadata: {name: mark}\n"
            f"spec: {{layers: [{{name: logo, image: {image}}}]}}\n---\napiVersion: v1\n"
        )
        tracks = "tracks: [{name: o, overlays: [{overlay: mark, at: 1s}]}, "
        return errors(tmp_path, ("\n---\napiVersion: v1\n", overlay), ("tracks: [", tracks))

    assert with_digest(right) == []
    (wrong,) = with_digest("0" * 64)
    assert f"spec.layers[0].image.file: {logo} is another file than is wanted here" in wrong
    assert right in wrong
    Image.new("RGB", (2, 2)).save(logo, "GIF", save_all=True, append_images=[Image.new("RGB", (2, 2), "red")])
    logo.write_bytes(logo.read_bytes()[:-7])
    cut = hashlib.sha256(logo.read_bytes()).hexdigest()
    assert with_digest(cut) == [], "its first picture is whole"
    (broken,) = with_digest(cut, "loop")
    assert "cannot be read" in broken
    logo.write_text("words")
    (broken,) = with_digest(right)
    assert "is not a PNG, JPEG, WebP or GIF picture" in broken
