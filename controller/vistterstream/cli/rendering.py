"""``vistter render``: a timeline made into a movie or a picture, without a controller and without a clock."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from vistterstream.base.errors import VistterError
from vistterstream.base.redaction import redact
from vistterstream.cli import scenes
from vistterstream.cli.console import console, counted, say, visible
from vistterstream.playout.frames import Frame
from vistterstream.playout.movie import write_movie, write_png
from vistterstream.playout.offline import Offline
from vistterstream.timeline.compile import Compiled
from vistterstream.timeline.documents import drawable
from vistterstream.timeline.evaluate import TimelineIndex
from vistterstream.timeline.plan import Plan


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line said; None where it said nothing."""

    timeline: str
    manifests: list[Path] | None
    program: str | None
    start: str | None
    end: str | None
    frames: int | None
    sources: list[str] | None
    data: list[str] | None
    epoch: str | None
    out: Path | None
    lossless: bool
    guides: bool = False
    strict: bool = False


def render(options: Options) -> int:
    """Render; the exit status: 1 where a file that stands for a camera cannot be shown, and with --strict
    where anything cannot. Raises VistterError and OSError.
    """
    objects = scenes.world(options.manifests)
    if objects is None:
        return 1
    found = scenes.plan_of(objects, scenes.program_for(objects, options.timeline, options.program))
    plan = found.plan
    out = _out(options)
    epoch = scenes.epoch_of(options.epoch) or scenes.anchor(plan)
    first, count = _range(options, plan, epoch, single=out.suffix == ".png")
    files = _files(options.sources or (), plan)
    data = _data(options.data or (), plan)
    for note in (scenes.daily_note(plan, options.epoch), scenes.paused_note(objects, plan, options.program)):
        if note is not None:
            say(note)
    epoch_ns = scenes.instant(scenes.DEFAULT_EPOCH) if epoch is None else epoch
    with (
        _ended_by_sigterm(),
        closing(
            Offline(plan, epoch_ns, files=files, first=first, data=data, guides=options.guides)
        ) as program,
    ):
        began = time.monotonic()
        if out.suffix == ".png":
            _picture(program, first, out)
        else:
            _movie(program, first, count, out, lossless=options.lossless)
        took = time.monotonic() - began
        problems, errors = [*_missing(found, files, plan), *program.problems], program.failures
    if out.suffix == ".png":
        done = f"{out}: frame {first}"
    else:
        speed = f"{count / took:.0f} frames/s, {count / took / program.rate:.1f} × real time"
        done = f"{out}: {count} frames from frame {first}, in {took:.1f} s ({speed})"
    return _verdict(done, problems, errors, strict=options.strict)


def _verdict(done: str, problems: list[str], errors: list[str], *, strict: bool) -> int:
    """Say what was made, and what is wrong with it; the exit status."""
    for sentence in problems:
        say(redact(sentence), style="red" if sentence in errors else "yellow")
    failed = bool(errors) or (strict and bool(problems))
    with_them = f", with {counted(len(problems), 'problem')} (above)" if problems else ""
    say(f"{done}{with_them}.", style="red" if failed else "yellow" if problems else "green")
    return 1 if failed else 0


def _out(options: Options) -> Path:
    suffix = ".mkv" if options.lossless else ".mp4"
    out = options.out or Path(f"{options.timeline}{suffix}")
    if out.suffix == ".png":
        if options.lossless or options.frames is not None or options.end is not None:
            raise VistterError(
                f"The file {out} is one picture: --to, --frames and --lossless do not go with it.",
                reason="BadOption",
            )
    elif out.suffix != suffix:
        ends = ".mkv, which can hold the lossless formats" if options.lossless else ".mp4 or .png"
        more = "" if options.lossless or out.suffix != ".mkv" else " (.mkv with --lossless)"
        raise VistterError(f"The name of the file, {out}, has to end in {ends}{more}.", reason="BadOption")
    if out.is_dir():
        raise VistterError(f"The path {out} is a folder; name a file.", reason="BadOption")
    if not out.parent.is_dir():
        raise VistterError(f"There is no folder {out.parent}; make it, or name another.", reason="NoFolder")
    return out


def _range(options: Options, plan: Plan, epoch: int | None, *, single: bool) -> tuple[int, int]:
    """The first program frame, and how many; raises VistterError."""
    rate = plan.format.frame_rate.fraction
    assert plan.timeline is not None  # it was named, and found
    index = TimelineIndex(plan.timeline)
    first = 0 if options.start is None else scenes.moment("--from", options.start).frame(rate, epoch)
    if first < 0:
        raise VistterError("--from lies before the program's first frame.", reason="BadRange")
    if single:
        return first, 1
    if options.frames is not None:
        if options.end is not None:
            raise VistterError("--to and --frames do not go together.", reason="BadOption")
        return first, options.frames
    if options.end is not None:
        end = scenes.moment("--to", options.end).frame(rate, epoch)
    elif index.endless:
        raise VistterError("This timeline never ends; say how much with --to or --frames.", reason="BadRange")
    else:
        end = index.length if first < index.length or not index.loop else first + index.length
    if end <= first:
        raise VistterError(
            f"There is nothing between --from (frame {first}) and the end (frame {end}).", reason="BadRange"
        )
    return first, end - first


def _files(sources: Iterable[str], plan: Plan) -> dict[str, Path]:
    """The files that stand for cameras; raises VistterError."""
    known = {camera.name for camera in plan.cameras}
    found: dict[str, Path] = {}
    for source in sources:
        name, separator, file = source.partition("=")
        if not separator or not file:
            raise VistterError(f"--source {source} is not CAMERA=FILE.", reason="BadOption")
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise VistterError(
                f"--source: the timeline shows no Camera {name}. It shows: {there}.", reason="NoCamera"
            )
        if name in found:
            raise VistterError(
                f"--source: Camera {name} is given twice; give one file for each camera.", reason="BadOption"
            )
        _check_readable(Path(file))
        found[name] = Path(file).absolute()
    return found


def _check_readable(file: Path) -> None:
    """Raises VistterError where that is no file that can be read."""
    try:
        if file.exists() and not file.is_file():  # opening a pipe would wait for its writer
            what = "a folder" if file.is_dir() else "not a file"
            raise VistterError(f"--source: {file} is {what}; name a media file.", reason="NotAFile")
        file.open("rb").close()
    except FileNotFoundError as error:
        raise VistterError(f"--source: there is no file {file}.", reason="NoFile") from error
    except OSError as error:
        raise VistterError(
            f"--source: {file} cannot be read: {error.strerror}.", reason="NotReadable"
        ) from error


def _data(given: Iterable[str], plan: Plan) -> dict[str, str]:
    """The values of data sources; raises VistterError."""
    sources = [(overlay.overlay, source.name) for overlay in plan.overlays for source in overlay.spec.data]
    known = {name for _, name in sources} | {f"{overlay}.{name}" for overlay, name in sources}
    found: dict[str, str] = {}
    for one in given:
        name, separator, text = one.partition("=")
        if not separator:
            raise VistterError(f"--data {one} is not NAME=TEXT.", reason="BadOption")
        if name not in known:
            there = ", ".join(sorted({name for _, name in sources})) or "none"
            raise VistterError(
                f"--data: the timeline shows no data {name}. It shows: {there}.", reason="NoData"
            )
        found[name] = drawable(text)
    return found


def _missing(found: Compiled, files: dict[str, Path], plan: Plan) -> Iterator[str]:
    """What the manifests ask for and is not there."""
    for problem in found.problems:
        yield str(problem)
    for camera in plan.cameras:
        file = camera.spec.source.file
        if file is not None and camera.name not in files and not Path(file.path).is_file():
            yield f"Camera {camera.name}: the file {file.path} does not exist."


def _picture(program: Offline, first: int, out: Path) -> None:
    frame = Frame(program.format.width, program.format.height)
    program.make(first, frame)
    write_png(frame, out)


def _movie(program: Offline, first: int, count: int, out: Path, *, lossless: bool) -> None:
    with _progress(out, count) as progress:
        write_movie(program, first, count, out, lossless=lossless, progress=progress)


@contextmanager
def _progress(out: Path, count: int) -> Iterator[Callable[[int], None]]:
    """Tell people how far it is, on a terminal."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    terminal = console(sys.stderr)
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal, transient=True) as bar:
        task = bar.add_task(visible(out.name), total=count, speed="")

        def tell(made: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=made, speed=f"{speed:.0f} frames/s" if speed else "")

        yield tell


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: in order, with nothing left behind."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
