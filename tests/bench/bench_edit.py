"""An edit of one cue in a timeline of 10,000 cues, with a real appliance: from the save to the picture.

Required: at most 500 ms from saving the file to the due time of the first frame made from it, and no
picture late or repeated. The timeline is made of blocks in files of their own, as a file holds at most
50,000 names and values. Each edit changes the camera of the cue that is on air; the as-run log says which
frame showed it first. ``python -m bench.bench_edit [--quick]``.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench.figures import Figure, main
from peers.vistter import Appliance, Object, manifest

CUES, BLOCKS = 10_000, 10
TITLES = 100  # texts that the overlay cues show in turn
REQUIRED = 0.5  # s, the slowest, and so the median
EDITS, QUICK_EDITS = 10, 3
FPS = 30
_CAMERAS = 7
_SHOWN = ("camera-0", "camera-1")  # what the edited cue shows in turn


def _block(number: int, shown: str | None = None) -> Object:
    """A timeline with its share of the cues; the first starts with a long cue of the camera `shown`."""
    count = CUES // BLOCKS // 2
    video: list[dict[str, Any]] = [
        {"camera": f"camera-{index % _CAMERAS}", "duration": "1m0s500ms"} for index in range(count)
    ]
    if shown is not None:
        video[0] = {"camera": shown, "duration": "2h"}
    for index in range(1, count, 2):
        video[index]["transition"] = {"type": "crossfade", "duration": "500ms"}
    overlays = [
        {
            "overlay": "tag",
            "at": f"{index * 60}s",
            "duration": "50s",
            "values": {"title": f"Boat {index % TITLES}"},
        }
        for index in range(count)
    ]
    tracks = [{"name": "pictures", "video": video}, {"name": "graphics", "overlays": overlays}]
    return manifest("Timeline", f"block-{number}", {"tracks": tracks})


def _objects(folder: Path) -> list[Object]:
    day = [{"timeline": f"block-{number}"} for number in range(BLOCKS)]
    format = {"width": 640, "height": 360, "frameRate": str(FPS)}
    encoding = {"video": {"bitrate": "700k", "preset": "ultrafast"}}
    target = {"name": "disk", "recording": {"folder": str(folder / "recording")}}
    title = {"name": "title", "text": {"value": "{{ title }}"}}
    return [
        *(manifest("Camera", f"camera-{n}", {"source": {"testPattern": {}}}) for n in range(_CAMERAS)),
        manifest("Overlay", "tag", {"layers": [title]}),
        manifest("Timeline", "day", {"loop": True, "tracks": [{"name": "day", "video": day}]}),
        manifest("Program", "main", {"format": format, "timeline": "day"}),
        manifest("Output", "out", {"program": "main", "encoding": encoding, "targets": [target]}),
    ]


def _edit(appliance: Appliance, shown: str) -> float:
    """Seconds from saving an edit to the due time of the first frame that shows it."""
    saved = appliance.write("block-0.yaml", _block(0, shown))

    def frame() -> int | None:
        last = appliance.as_run()[-1]
        return int(last["frame"]) if last.get("source", {}).get("name") == shown else None

    found = appliance.wait(frame, 60, f"{shown} on air")
    assert isinstance(found, int)
    return appliance.due(found, FPS) - saved


def measure(*, quick: bool = False) -> list[Figure]:
    """The figures."""
    with tempfile.TemporaryDirectory(prefix="vistter-bench-") as name:
        folder = Path(name)
        appliance = Appliance(folder)
        for number in range(BLOCKS):
            appliance.write(f"block-{number}.yaml", _block(number, _SHOWN[0] if not number else None))
        appliance.write("show.yaml", *_objects(folder))
        with appliance:
            appliance.wait_on_air("main", _SHOWN[0], deadline=60)
            appliance.wait_condition("Output", "out", "Publishing", deadline=40)
            _edit(appliance, _SHOWN[1])  # what is done once, such as drawing, is done
            before = appliance.playout()
            taken = [_edit(appliance, _SHOWN[turn % 2]) for turn in range(QUICK_EDITS if quick else EDITS)]
            after = appliance.playout()
    late = after["late_frames"] - before["late_frames"]
    repeated = after["repeated_frames"] - before["repeated_frames"]
    frames = after["frame"] - before["frame"]
    return [
        Figure(
            "an edit among 10,000 cues, save to picture", statistics.median(taken) * 1000, "ms",
            REQUIRED * 1000, "lower",
            f"the median of {len(taken)} edits, from {min(taken) * 1000:.0f} ms",
        ),
        Figure("the slowest of these edits", max(taken) * 1000, "ms", REQUIRED * 1000, "lower"),
        Figure("frames late meanwhile", late, "frames", 0, "lower", f"of {frames}"),
        Figure("frames repeated meanwhile", repeated, "frames", 0, "lower", f"of {frames}"),
    ]  # fmt: skip


if __name__ == "__main__":
    main(measure)
