"""Takes documents one after the other as an appliance would: reads, compiles and draws them.

``python -m fuzz.worker FOLDER FIRST COUNT [HEIGHT]``: a line of JSON on stdout before (``{"seed"}``) and
after each document; with the height of a picture, documents of many and large layers on that. It runs alone
in its process, so that a crash, a hang and what a document takes are its own.
"""

from __future__ import annotations

import faulthandler
import json
import random
import re
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

from fuzz import documents
from vistterstream.playout.frames import BLACK, Frame
from vistterstream.playout.offline import Offline
from vistterstream.reconcile.gather import gather
from vistterstream.reconcile.planner import Objects
from vistterstream.resources.kinds import Program, Resource
from vistterstream.resources.manifests import load
from vistterstream.timeline.compile import AssetKind, PlanError, compile_plan
from vistterstream.timeline.plan import Plan

HANG = 30.0  # s of the clock on the wall after which a document is given up
FRAMES = (0, 1, 31, 10**6)
STARTS = 4  # so many frames, besides, at which a cue starts
EPOCH_NS = 1_779_000_000_000_000_000
RATES = ("30", "25", "30000/1001", "60000/1001", "15")

_POSITION = re.compile(r"F:[1-9][0-9]*:[1-9][0-9]*[: ]")
_PATH = re.compile(r"spec\.[A-Za-z0-9_.\[\]]+")
_AROUND = """
apiVersion: stream.vistter.io/v1alpha1
kind: Program
metadata: {name: main}
spec: {format: {width: WIDTH, height: HEIGHT, frameRate: "RATE"}, timeline: TIMELINE}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: wharf}
spec: {source: {testPattern: {pattern: bars}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: pier}
spec: {source: {testPattern: {pattern: motion}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: news}
spec:
  tracks:
    - {name: v, video: [{camera: pier, duration: 1s}, {camera: wharf, duration: 1s}]}
    - {name: o, overlays: [{overlay: tag}]}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: show}
spec: {tracks: [{name: o, overlays: [{overlay: OVERLAY, values: {name: Joe, title: Low tide}}]}]}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Overlay
metadata: {name: tag}
spec: {layers: [{name: t, text: {value: "{{ title }} {{ name }}"}}]}
"""


@dataclass
class Report:
    """What became of a document: "accepted", "refused", or "wrong" with the reason in `trouble`."""

    seed: int
    verdict: str = "accepted"
    cpu: float = 0.0  # s to read, compile and draw its first frame
    frame: float = 0.0  # s of its slowest later frame
    megabytes: float = 0.0  # more than before, at most
    trouble: str = ""


def examine(seed: int, folder: Path, out: Frame, *, large: bool = False) -> Report:
    """Take one document, in a program of the size of `out`."""
    report = Report(seed)
    source = documents.large(seed) if large else documents.document(seed)
    before = _memory("VmRSS", fresh=True)
    faulthandler.dump_traceback_later(HANG, exit=True)
    try:
        _take(source, seed, folder, out, report)
    except Exception:  # whatever it is, it is what is looked for
        report.verdict, report.trouble = "wrong", traceback.format_exc()
    finally:
        faulthandler.cancel_dump_traceback_later()
    report.megabytes = (_memory("VmHWM") - before) / 1024
    return report


def _take(source: bytes, seed: int, folder: Path, out: Frame, report: Report) -> None:
    began = time.process_time()
    loaded = load(source, "F")
    found = [item.resource for item in loaded.objects]
    unplaced = [str(error) for error in loaded.errors if not _POSITION.match(str(error))]
    if unplaced or not (loaded.errors or loaded.objects):
        report.verdict, report.trouble = "wrong", f"refused without a position: {unplaced}"
    elif loaded.errors:
        report.verdict = "refused"
    offline = None
    try:
        plan = _compiled(found, seed, folder, out)
        offline = Offline(plan, EPOCH_NS, first=FRAMES[0])
        offline.make(FRAMES[0], out)
        report.cpu = time.process_time() - began
        for number in sorted({*FRAMES[1:], *_starts(plan, seed)}):
            began = time.process_time()
            offline.make(number, out)
            report.frame = max(report.frame, time.process_time() - began)
    except PlanError as error:
        report.cpu = time.process_time() - began
        report.verdict = "refused"
        if not _PATH.fullmatch(error.path):
            report.verdict, report.trouble = "wrong", f"refused without a path: {error}"
    finally:
        if offline is not None:
            offline.close()


def _starts(plan: Plan, seed: int) -> list[int]:
    """The second frames of a few cues, where most of the transitions are."""
    assert plan.timeline is not None
    pictures = {cue.start + 1 for cue in plan.timeline.video}
    starts = sorted(pictures | {cue.start + 1 for cue in plan.timeline.overlays})
    return random.Random(seed).sample(starts, min(len(starts), STARTS))


def _compiled(found: list[Resource], seed: int, folder: Path, out: Frame) -> Plan:
    """The plan of a program that shows what was found; PlanError where there is none."""
    names = {resource.kind: resource.metadata.name for resource in found}
    around = _AROUND.replace("RATE", RATES[seed % len(RATES)])
    around = around.replace("WIDTH", str(out.width)).replace("HEIGHT", str(out.height))
    around = around.replace("TIMELINE", names.get("Timeline", "show"))
    around = around.replace("OVERLAY", names.get("Overlay", "tag"))
    mine = [item.resource for item in load(around.encode(), "A").objects]
    given = {resource.key for resource in found}
    # An example may have a program, a camera or a timeline of the same name, which then counts.
    objects = Objects([*found, *(resource for resource in mine if resource.key not in given)])
    program = next(resource for resource in mine if isinstance(resource, Program))
    inputs = gather(objects, program)

    def resolve(_resource: Resource, path: str, _kind: AssetKind) -> str:
        return str(folder / path)

    return compile_plan(
        program,
        timeline=inputs.timeline,
        timelines=inputs.timelines,
        overlays=inputs.overlays,
        cameras=inputs.cameras,
        outputs=(),
        resolve=resolve,
        hls_folder=lambda _output, _target: str(folder),
        recording_folder=lambda _output, _target: str(folder),
    ).plan


def _memory(field: str, *, fresh: bool = False) -> int:
    """A figure of proc_pid_status(5), in KiB; with `fresh` the peak is counted anew from here."""
    if fresh:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise LookupError(field)


def main() -> None:
    """Take the documents."""
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    large = len(sys.argv) > 4
    height = int(sys.argv[4]) if large else 360
    out = Frame(height * 16 // 9, height)
    out.fill(BLACK)
    examine(-1, folder, out, large=large)  # what is loaded and drawn once for all is not any document's
    for seed in range(first, first + count):
        print(json.dumps({"seed": seed}), flush=True)
        print(json.dumps(asdict(examine(seed, folder, out, large=large))), flush=True)


if __name__ == "__main__":
    main()
