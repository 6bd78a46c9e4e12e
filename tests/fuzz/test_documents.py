"""Random, changed and torn overlays and timelines: each is accepted, or refused with a position; what is
accepted is compiled and drawn. None crashes, hangs, or takes long or much memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import wave
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fuzz import documents
from peers import needs
from vistterstream.resources.manifests import load

pytestmark = pytest.mark.slow

SECONDS = 1.0  # of processor time: to read, compile and draw a frame; and for any frame after that
MEGABYTES = 250
LARGE = {1080: (5.0, 500), 2160: (6.0, 800)}
"""The same for overlays of up to 64 layers of which many are larger than the picture, by its height: their
cost has bounds that grow with the pixels (docs/decisions/0030)."""
ACCEPTED = 0.1  # at least this share: else the documents are too wild to show much
TESTS = Path(__file__).parents[1]

Report = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that paths in the documents start at."""
    found = tmp_path_factory.mktemp("fuzz")
    still, moving, sound, clip = documents.FILES
    Image.new("RGBA", (40, 30), "#FF000080").save(found / still)
    pages = [Image.new("P", (40, 30), number) for number in range(3)]
    pages[0].save(found / moving, save_all=True, append_images=pages[1:], duration=100)
    with wave.open(str(found / sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(48_000))
    source = ["-f", "lavfi", "-i", "testsrc=size=64x36:rate=25:duration=1"]
    command = [needs.ffmpeg(), "-v", "error", *source, "-c:v", "libx264", str(found / clip)]
    subprocess.run(command, check=True, timeout=60)
    return found


def _start(folder: Path, first: int, count: int, height: int | None = None) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    size = [] if height is None else [str(height)]
    return subprocess.Popen(
        [sys.executable, "-m", "fuzz.worker", str(folder), str(first), str(count), *size],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


def _reports(worker: subprocess.Popen[str], count: int) -> Iterator[Report]:
    """What became of each document. A worker that dies names the document that it died of."""
    last, done = None, 0
    assert worker.stdout is not None
    with worker:
        for line in worker.stdout:
            report = json.loads(line)
            last = report["seed"]
            if "verdict" in report:
                done += 1
                yield report
    assert worker.returncode == 0, f"document {last}: the worker ended with {worker.returncode}"
    assert done == count


def _check(reports: list[Report], height: int | None = None) -> None:
    wrong = [f"document {report['seed']}: {report['trouble']}" for report in reports if report["trouble"]]
    assert not wrong, f"{len(wrong)} of {len(reports)}:\n" + "\n".join(wrong[:5])
    worst = {
        name: max(reports, key=lambda report: float(report[name])) for name in ("cpu", "frame", "megabytes")
    }
    verdicts = Counter(report["verdict"] for report in reports)
    print(f"{len(reports)} documents: {dict(verdicts)}")  # the figures are wanted
    for name, report in worst.items():
        print(f"most {name}: {report[name]:.3f} (document {report['seed']})")
    seconds, megabytes = (SECONDS, MEGABYTES) if height is None else LARGE[height]
    for name, limit in (("cpu", seconds), ("frame", seconds), ("megabytes", megabytes)):
        assert worst[name][name] <= limit, worst[name]
    assert verdicts["accepted"] >= ACCEPTED * len(reports)
    assert verdicts["refused"] or height is not None


@pytest.mark.parametrize("kind", ["Overlay", "Timeline"])
def test_the_documents_that_are_changed_are_good(kind: str) -> None:
    loaded = load(documents.text(kind, documents.whole(kind)), "F")
    assert not loaded.errors


def test_a_seed_means_a_document() -> None:
    texts = [documents.document(seed) for seed in range(50)]
    assert texts == [documents.document(seed) for seed in range(50)]
    assert len(set(texts)) == 50


def test_hundreds_of_documents_are_accepted_or_refused_with_a_position(folder: Path) -> None:
    _check(list(_reports(_start(folder, 0, 200), 200)))


@pytest.mark.parametrize(("height", "count"), [(1080, 6), (2160, 2)])
def test_many_and_large_layers_stay_within_bounds(folder: Path, height: int, count: int) -> None:
    _check(list(_reports(_start(folder, 0, count, height), count)), height)


@pytest.mark.parametrize("height", [360, 1080])
def test_what_is_plain_stays_within_the_bounds_of_every_document(folder: Path, height: int) -> None:
    """Sixty-four rectangles as large as the picture took 1.2 s, and 15 s and 1 GB in full HD."""
    (report,) = _reports(_start(folder, documents.PLAIN, 1, height), 1)
    assert report["verdict"] == "accepted"
    assert report["cpu"] <= SECONDS
    assert report["megabytes"] <= MEGABYTES


@pytest.mark.soak
@pytest.mark.parametrize(("height", "count"), [(1080, 500), (2160, 100)])
def test_hundreds_of_many_and_large_layers_stay_within_bounds(folder: Path, height: int, count: int) -> None:
    _check(list(_reports(_start(folder, 0, count, height), count)), height)


@pytest.mark.soak
def test_ten_thousand_documents_are_accepted_or_refused_with_a_position(folder: Path) -> None:
    workers = os.cpu_count() or 1
    share = -(-10_000 // workers)
    starts = range(0, 10_000, share)

    def taken(first: int) -> list[Report]:
        count = min(share, 10_000 - first)
        return list(_reports(_start(folder, first, count), count))

    with ThreadPoolExecutor(workers) as threads:
        _check([report for reports in threads.map(taken, starts) for report in reports])
