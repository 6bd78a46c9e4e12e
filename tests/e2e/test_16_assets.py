"""A picture that is another than its manifest wants is not shown; mended, it is, without a restart."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

from PIL import Image

from e2e import stage
from peers import frames
from peers.vistter import Appliance, Object, manifest

LOGO = frames.Area(x=16, y=96, width=64, height=64)
SIGN = frames.Area(x=112, y=96, width=64, height=64)
DARK, BRIGHT = 60, 200  # mean luma: what stands in and a black picture have less, a white one more


def _square(color: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (LOGO.width, LOGO.height), color).save(data, "PNG")
    return data.getvalue()


def _save(path: Path, data: bytes) -> None:
    """As editors do: written beside it, and renamed."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    os.replace(new, path)


def _show(folder: Path) -> list[Object]:
    stand_in = {"color": "#202020"}
    side = {"width": LOGO.width, "height": LOGO.height}
    digest = hashlib.sha256(_square("white")).hexdigest()
    logo = {"file": "logo.png", "sha256": digest, "fallback": stand_in, **side}
    layers = [
        {"name": "logo", "image": logo, "position": {"x": LOGO.x, "y": LOGO.y}},
        {"name": "sign", "image": {"file": "sign.png"}, "position": {"x": SIGN.x, "y": SIGN.y}},
    ]
    canvas = {"width": stage.WIDTH, "height": stage.HEIGHT}
    return [
        stage.pattern("pier", 111),
        stage.code_overlay(),
        manifest("Overlay", "marks", {"canvas": canvas, "layers": layers}),
        stage.timeline([("pier", "1000s")], overlays=[{"overlay": "marks"}]),
        stage.program(),
        stage.recording("disk", folder),
    ]


def _changes(lumas: list[float]) -> list[str]:
    """What was shown, each once in a row."""
    seen = ["dark" if luma < DARK else "bright" if luma > BRIGHT else "between" for luma in lumas]
    return [word for number, word in enumerate(seen) if number == 0 or seen[number - 1] != word]


def test_a_wrong_picture_gives_way_to_its_fallback_until_it_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    appliance = Appliance(tmp_path, start=False)
    (appliance.manifests / "logo.png").write_bytes(_square("#808080"))
    (appliance.manifests / "sign.png").write_bytes(_square("white"))
    appliance.write(stage.MANIFEST, *_show(folder))
    with appliance:
        appliance.start()
        stage.wait_publishing(appliance, "disk")
        wrong = appliance.wait_condition("Overlay", "marks", "Ready", "False")["message"]
        assert "is another than the manifest wants" in wrong
        processes = appliance.children()
        stage.wait_frames(appliance, stage.FPS)

        _save(appliance.manifests / "logo.png", _square("white"))
        appliance.wait_condition("Overlay", "marks", "Ready", "True")
        stage.wait_frames(appliance, stage.FPS)
        revision = appliance.playout()["revision"]
        _save(appliance.manifests / "sign.png", _square("black"))
        appliance.wait(lambda: appliance.playout()["revision"] != revision, 10, "the new sign is noticed")
        stage.wait_frames(appliance, stage.FPS)
        assert appliance.children() == processes, "nothing was started again"
        appliance.stop()
    shown = frames.read(stage.files(folder), areas=[LOGO, SIGN])
    frames.assert_each_once(frames.program_numbers(shown))
    assert _changes([frame.lumas[0] for frame in shown]) == ["dark", "bright"], (
        "the wrong one was never shown"
    )
    assert _changes([frame.lumas[1] for frame in shown]) == ["bright", "dark"]
