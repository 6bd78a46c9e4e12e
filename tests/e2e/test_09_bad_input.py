"""Each broken manifest is refused with a position and a sentence that helps; what is on air goes on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from e2e import stage
from e2e.broken import BROKEN, DANGLING, Broken
from peers import frames, needs
from peers.rtmp import Platform
from peers.vistter import VISTTER, Appliance, Object, manifest

SAID = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):(?P<column>\d+)(?P<path> \S+)?: (?P<message>.+)$", re.M)


def _write(folder: Path, broken: Broken) -> Path:
    file = folder / f"{broken.name}.yaml"
    # Each on its own name, so that only what is wrong in it is wrong.
    file.write_text(broken.text.replace("{name: bad}", f"{{name: bad-{broken.name}}}"))
    return file


def _validate(*paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(VISTTER), "validate", *map(str, paths)], capture_output=True, text=True, timeout=60, check=False
    )


def _verdicts(folder: Path, manifests: Sequence[Broken]) -> dict[str, list[re.Match[str]]]:
    """What `vistter validate` says about all of them at once, by file."""
    for broken in manifests:
        _write(folder, broken)
    done = _validate(folder)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    found: dict[str, list[re.Match[str]]] = {}
    for said in SAID.finditer(done.stdout + done.stderr):
        found.setdefault(Path(said["file"]).stem, []).append(said)
    return found


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[re.Match[str]]]:
    """What is said about every broken manifest, by its name."""
    folders = tmp_path_factory.mktemp("broken"), tmp_path_factory.mktemp("dangling")
    return _verdicts(folders[0], BROKEN) | _verdicts(folders[1], DANGLING)


@pytest.mark.parametrize("broken", BROKEN + DANGLING, ids=lambda broken: broken.name)
def test_a_broken_manifest_is_refused_with_its_position_and_a_sentence(
    broken: Broken, verdicts: dict[str, list[re.Match[str]]]
) -> None:
    said = verdicts.get(broken.name, [])
    assert said, f"nothing was said about {broken.name}"
    lines = [int(match["line"]) for match in said]
    assert broken.line in lines, f"{broken.name}: at {lines}, not at {broken.line}"
    sentences = [
        f"{match['path'] or ''}: {match['message']}" for match in said if int(match["line"]) == broken.line
    ]
    assert any(re.search(broken.says, text, re.I) for text in sentences), sentences
    assert all(len(text) < 1000 for text in sentences)


def test_there_are_forty_of_them_or_more() -> None:
    assert len(BROKEN + DANGLING) >= 40


def test_duplicate_names_are_refused_in_the_second_file(tmp_path: Path) -> None:
    for name in ("first.yaml", "second.yaml"):
        (tmp_path / name).write_text(yaml.safe_dump(stage.pattern("pier", 1)))
    done = _validate(tmp_path)
    assert done.returncode == 1
    assert re.search(r"second\.yaml:\d+:\d+.*(pier|first\.yaml)", done.stdout + done.stderr)


LOGO = frames.Area(x=500, y=240, width=96, height=96)
BESIDE = frames.Area(x=380, y=240, width=96, height=96)


def _draw_logo(folder: Path) -> None:
    """A white square."""
    command = [needs.ffmpeg(), "-hide_banner", "-loglevel", "error", "-f", "lavfi"]
    command += ["-i", f"color=white:s={LOGO.width}x{LOGO.height}", "-frames:v", "1"]
    subprocess.run([*command, str(folder / "logo.png")], check=True, capture_output=True, timeout=60)


def _good(platform: Platform) -> list[Object]:
    layer = {"name": "logo", "image": {"file": "logo.png"}, "position": {"x": LOGO.x, "y": LOGO.y}}
    canvas = {"width": stage.WIDTH, "height": stage.HEIGHT}
    return [
        stage.pattern("pier", 111),
        stage.code_overlay(),
        manifest("Overlay", "logo", {"canvas": canvas, "layers": [layer]}),
        stage.timeline([("pier", "1000s")], overlays=[{"overlay": "logo"}]),
        stage.program(),
        stage.rtmp("platform", platform),
    ]


@pytest.mark.timeout(180)
def test_what_is_on_air_goes_on_whatever_is_put_into_the_folder(tmp_path: Path) -> None:
    with Platform(tmp_path) as platform:
        appliance = Appliance(tmp_path)
        _draw_logo(appliance.manifests)
        appliance.write(stage.MANIFEST, *_good(platform))
        with appliance:
            stage.wait_publishing(appliance, "platform")
            processes = appliance.children()
            for broken in BROKEN + DANGLING:
                _write(appliance.manifests, broken)
            _reported(appliance, {f"{broken.name}.yaml" for broken in BROKEN})
            _dangling_references_are_told(appliance)
            _broken_edits_keep_the_last_good_version(appliance)
            _a_lost_folder_removes_nothing(appliance)
            assert appliance.children() == processes
            stage.wait_frames(appliance, stage.FPS)
            assert appliance.status("Program", "main")["onAir"]["source"]["name"] == "pier"
            appliance.stop()
        shown = frames.read(platform.recording("platform"), areas=[LOGO, BESIDE])
    frames.assert_each_once(frames.program_numbers(shown))
    assert set(stage.sequence(shown)) == {111}, "no slate, not for one frame"
    assert min(frame.lumas[0] for frame in shown) > 220, "the logo was always there"
    assert max(frame.lumas[1] for frame in shown) < 200, "and the picture itself is not white there"


def _reported(appliance: Appliance, names: set[str]) -> None:
    """Each is named with its line in the problems, in an event and in the log."""

    def unnamed(text: str) -> set[str]:
        return {name for name in names if name not in text}

    appliance.wait(lambda: not unnamed(str(appliance.ask("problems"))), 20, "every file is reported")
    assert not unnamed(str(appliance.events()))
    assert not unnamed(appliance.controller.said())
    told = appliance.cli("get", "program")
    assert told.returncode == 0
    assert not unnamed(told.stderr)


def _dangling_references_are_told(appliance: Appliance) -> None:
    """What refers to nothing is taken, since that may come yet, and says what it lacks."""
    for broken in DANGLING:
        kind = yaml.safe_load(broken.text)["kind"]
        found = appliance.wait_condition(kind, f"bad-{broken.name}", "Ready", "False")
        assert found["reason"]
        assert re.search(broken.says, found["message"]), found


def _broken_edits_keep_the_last_good_version(appliance: Appliance) -> None:
    file = appliance.manifests / stage.MANIFEST
    good = file.read_text()
    half = good[: len(good) * 2 // 3]
    file.write_text(half + "  : : [")  # in place, as an editor that does not rename
    appliance.wait(lambda: stage.MANIFEST in str(appliance.ask("problems")), 10, "the half file is reported")
    assert appliance.get("Timeline", "show")
    assert appliance.get("Output", "platform")
    file.write_text("")
    stage.wait_frames(appliance, 2 * stage.FPS)
    assert appliance.status("Program", "main")["onAir"]["source"]["name"] == "pier"
    file.write_text(good)
    appliance.wait(
        lambda: stage.MANIFEST not in str(appliance.ask("problems")), 10, "the mended file is taken"
    )


def _a_lost_folder_removes_nothing(appliance: Appliance) -> None:
    away = appliance.folder / "away"
    appliance.manifests.rename(away)
    appliance.wait(
        lambda: str(appliance.manifests) in str(appliance.ask("problems")), 10, "the lost folder is reported"
    )
    _wait_logo(appliance, "ImageLost")
    stage.wait_frames(appliance, 2 * stage.FPS)
    assert appliance.get("Output", "platform")
    appliance.kill()
    appliance.start()
    appliance.wait(
        lambda: "PlayoutAdopted" in [event["reason"] for event in appliance.events()], 20, "it is taken over"
    )
    stage.wait_frames(appliance, 2 * stage.FPS)
    assert appliance.condition("Overlay", "logo", "Ready")["reason"] == "ImageLost"
    away.rename(appliance.manifests)
    _wait_logo(appliance, "InUse")


def _wait_logo(appliance: Appliance, reason: str) -> None:
    appliance.wait(
        lambda: appliance.condition("Overlay", "logo", "Ready").get("reason") == reason,
        40,
        f"Overlay logo is {reason}",
    )
