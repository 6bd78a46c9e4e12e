"""The commands of ``vistter``, their options and their help. What they do is in the modules beside this one.

Only what help and completion need is imported at the top; each command imports its work when it is called.
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vistterstream.base.errors import VistterError

HELP = """Keeps live video on the air, from YAML manifests.

You write down what should be on air: cameras, overlays, timelines, programs and outputs. \
[bold]vistter run[/bold] puts it on air and keeps it there; change the files while it runs, and the \
picture follows without a break.

A first look, with test pictures and a page that plays them:

  [bold]vistter run --manifests examples/01-hello --listen 127.0.0.1:8642[/bold]

In another terminal, [bold]vistter status[/bold], [bold]vistter get all[/bold] and \
[bold]vistter events -w[/bold] show how it goes; [bold]vistter stop[/bold] takes everything off air.
"""


class _Commands(TyperGroup):
    """The commands; an argument that is refused is told in one sentence."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # Pydantic's, by way of Typer
            raise


app = typer.Typer(
    name="vistter",
    cls=_Commands,
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


_settings = SimpleNamespace(debug=False)


class OnExit(StrEnum):
    """What becomes of what is on air when the controller ends."""

    stop = "stop"
    leave = "leave"


class Format(StrEnum):
    """How objects are written."""

    table = "table"
    wide = "wide"
    json = "json"
    yaml = "yaml"


class EventFormat(StrEnum):
    """How events are written."""

    table = "table"
    json = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def _kinds(incomplete: str) -> list[str]:
    words = ["cameras", "overlays", "timelines", "programs", "outputs", "secrets", "all"]
    return [word for word in words if word.startswith(incomplete.lower())]


def _names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of objects of the kind that was typed, from a controller that runs; nothing without one."""
    from vistterstream.api.client import Client
    from vistterstream.cli import statedir

    try:
        with Client(statedir.resolve(ctx.params.get("state_dir"))) as client:
            objects = client.ask("list", kind=ctx.params.get("kind"))["objects"]
    except VistterError:
        return []
    return [name for form in objects if (name := form["metadata"]["name"]).startswith(incomplete)]


StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        envvar="VISTTER_STATE_DIR",
        metavar="DIR",
        show_default="/var/lib/vistter for root, else ~/.local/state/vistter",
        help="Which appliance: the folder with its state.",
    ),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", metavar="NS", help="Only this namespace.")
]
Kind = Annotated[
    str,
    typer.Argument(
        metavar="KIND",
        help="camera, overlay, timeline, program, output, secret; also in plural or short "
        "(cam, ov, tl, prog, out). KIND/NAME names an object too.",
        autocompletion=_kinds,
    ),
]


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show a traceback when something fails.")] = False,
) -> None:
    _settings.debug = debug


@app.command(rich_help_panel="On air")
def run(
    manifests: Annotated[
        list[Path] | None,
        typer.Option(
            "--manifests",
            "-m",
            metavar="DIR",
            show_default="./manifests if there is one, else a test picture",
            help="A folder of manifests, or a file; may be given more than once. It is watched for changes.",
        ),
    ] = None,
    state_dir: StateDir = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            metavar="ADDR:PORT",
            help="Serve the preview page, metrics and health here; a loopback address. "
            "PORT-PORT takes the first that is free.",
        ),
    ] = None,
    on_exit: Annotated[
        OnExit | None,
        typer.Option(
            "--on-exit",
            show_default="stop on a terminal, else leave",
            help="When this ends: stop everything, or leave it on air for the next run to take over.",
        ),
    ] = None,
    log_level: Annotated[
        LogLevel | None,
        typer.Option("--log-level", show_default="warning on a terminal, else info", help="What is logged."),
    ] = None,
) -> None:
    """Put the manifests on air and keep them there, until Ctrl-C."""
    from vistterstream.cli import running, statedir

    code = running.run(
        running.Options(
            manifests=manifests,
            state_dir=statedir.resolve(state_dir),
            listen=listen,
            on_exit=on_exit.value if on_exit else None,
            log_level=log_level.value if log_level else None,
        )
    )
    raise typer.Exit(code)


@app.command(rich_help_panel="On air")
def stop(state_dir: StateDir = None) -> None:
    """Take everything off air, and end the controller and all its processes."""
    from vistterstream.cli import statedir, stopping

    raise typer.Exit(stopping.stop(statedir.resolve(state_dir)))


@app.command(rich_help_panel="Look")
def status(state_dir: StateDir = None) -> None:
    """Say in a few lines what is on air, and what is wrong.

    Ends with status 0 when all is well, 1 when something is wrong (an object, a manifest that could not be
    taken, no program, no controller), 2 when neither a controller nor a playout runs.
    """
    from vistterstream.cli import statedir, summary

    raise typer.Exit(summary.show(statedir.resolve(state_dir)))


@app.command(rich_help_panel="Look")
def get(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="camera, overlay, timeline, program, output, secret, or all; also in plural or short "
            "(cam, ov, tl, prog, out), or several with commas. KIND/NAME names an object too.",
            autocompletion=_kinds,
        ),
    ] = "all",
    name: Annotated[str | None, typer.Argument(metavar="NAME", autocompletion=_names)] = None,
    namespace: Namespace = None,
    output: Annotated[Format, typer.Option("--output", "-o", help="How to write it.")] = Format.table,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on with each change.")] = False,
    state_dir: StateDir = None,
) -> None:
    """List objects with their state, or show one."""
    from vistterstream.cli import getting, statedir

    getting.get(statedir.resolve(state_dir), kind, name, namespace, output.value, watch=watch)


@app.command(rich_help_panel="Look")
def describe(
    kind: Kind,
    name: Annotated[str | None, typer.Argument(metavar="NAME", autocompletion=_names)] = None,
    namespace: Namespace = None,
    state_dir: StateDir = None,
) -> None:
    """Tell everything about an object: conditions, processes, what uses it, what happened to it."""
    from vistterstream.cli import describing, statedir

    describing.describe(statedir.resolve(state_dir), kind, name, namespace)


@app.command(rich_help_panel="Look")
def events(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="Only of this kind.", autocompletion=_kinds)
    ] = None,
    name: Annotated[str | None, typer.Argument(metavar="NAME", autocompletion=_names)] = None,
    namespace: Namespace = None,
    output: Annotated[
        EventFormat, typer.Option("--output", "-o", help="A table, or a JSON object a line.")
    ] = EventFormat.table,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on with what happens.")] = False,
    state_dir: StateDir = None,
) -> None:
    """Tell what happened, the newest last."""
    from vistterstream.cli import happenings, statedir

    happenings.events(
        statedir.resolve(state_dir), kind, name, namespace, as_json=output is EventFormat.json, watch=watch
    )


@app.command(rich_help_panel="Manifests")
def validate(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Manifest files, folders of them, or - for standard input."),
    ],
    partial: Annotated[
        bool, typer.Option("--partial", help="What these refer to may be elsewhere: do not look for it.")
    ] = False,
) -> None:
    """Check manifests; needs no controller.

    Ends with status 1 when something is wrong, or nothing is there. Warnings, such as of a file that is named
    and not there yet, change no status.
    """
    from vistterstream.cli import validating

    raise typer.Exit(validating.validate(paths, partial=partial))


@app.command(rich_help_panel="Manifests")
def diff(
    paths: Annotated[
        list[Path],
        typer.Option("--filename", "-f", metavar="PATH", help="A manifest file, a folder of them, or -."),
    ],
    stands_for: Annotated[
        Path | None,
        typer.Option(
            "--as",
            metavar="PATH",
            help="What is given is an edited copy of this folder, or file, which is on air: relative paths "
            "start there, and what the copy lacks is removed.",
        ),
    ] = None,
    output: Annotated[
        EventFormat, typer.Option("--output", "-o", help="For people, or a JSON object a line.")
    ] = EventFormat.table,
    state_dir: StateDir = None,
) -> None:
    """Tell what these manifests would change on air: nothing, the live picture, or which process.

    A folder that is watched takes an edit when it is saved; to look before, edit a copy: -f COPY --as FOLDER.

    Ends with status 0 when nothing would change, 1 when something would, 2 when that cannot be told.
    """
    from vistterstream.cli import diffing, statedir

    code = diffing.diff(
        statedir.resolve(state_dir), paths, stands_for=stands_for, as_json=output is EventFormat.json
    )
    raise typer.Exit(code)


Folders = Annotated[
    list[Path] | None,
    typer.Option(
        "--manifests",
        "-m",
        metavar="DIR",
        show_default="./manifests",
        help="A folder of manifests, or a file; may be given more than once.",
    ),
]
EpochInstant = Annotated[
    str | None,
    typer.Option(
        "--epoch",
        metavar="INSTANT",
        show_default="the timeline's anchor",
        help="The instant of the program's frame 0: what clocks show, and where an anchored timeline stands.",
    ),
]


@app.command(rich_help_panel="Offline")
def render(
    timeline: Annotated[str, typer.Argument(metavar="TIMELINE", help="The Timeline to render.")],
    manifests: Folders = None,
    program: Annotated[
        str | None,
        typer.Option(
            "--program",
            "-p",
            metavar="P",
            show_default="the one that plays the timeline",
            help="The Program whose format, fallback and playback to use.",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="T", help="Where to start: 1m30s, 120f, 00:01:23:12, or an instant."),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="T", show_default="the timeline's end", help="Where to end."),
    ] = None,
    frames: Annotated[
        int | None, typer.Option("--frames", metavar="N", min=1, help="How many frames, instead of --to.")
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            "-s",
            metavar="CAMERA=FILE",
            help="A media file to show for a camera; may be given more than once. "
            "A device without one is a card with its name.",
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            "--data",
            metavar="NAME=TEXT",
            help="The value of a data source (NAME, or OVERLAY.NAME); may be given more than once. "
            "Nothing is fetched: others have their defaults.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            show_default="TIMELINE.mp4",
            help="A movie (.mp4, or .mkv with --lossless), or the frame at --from as a picture (.png).",
        ),
    ] = None,
    lossless: Annotated[
        bool, typer.Option("--lossless", help="Keep every bit: FFV1 and PCM in Matroska.")
    ] = False,
    guides: Annotated[
        bool, typer.Option("--guides", help="Draw the outlines of the areas safe for action and titles.")
    ] = False,
    epoch: EpochInstant = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="End with status 1 where something is not shown as it should be."),
    ] = False,
) -> None:
    """Make a movie or a picture of a timeline: the frames that would be on air, faster than real time.

    Needs no controller, and no camera.
    """
    from vistterstream.cli import rendering

    code = rendering.render(
        rendering.Options(
            timeline=timeline,
            manifests=manifests,
            program=program,
            start=start,
            end=end,
            frames=frames,
            sources=source,
            data=data,
            epoch=epoch,
            out=output,
            lossless=lossless,
            guides=guides,
            strict=strict,
        )
    )
    raise typer.Exit(code)


@app.command(rich_help_panel="Offline")
def simulate(
    program: Annotated[
        str | None,
        typer.Argument(metavar="[PROGRAM]", show_default="the only one", help="The Program to look at."),
    ] = None,
    manifests: Folders = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="T",
            show_default="the program's start",
            help="Where to start: 1m30s, 120f, 00:01:23:12, or an instant.",
        ),
    ] = None,
    period: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="DURATION",
            show_default="24h, of a loop one round",
            help="How far to look.",
        ),
    ] = None,
    epoch: EpochInstant = None,
    output: Annotated[
        EventFormat, typer.Option("--output", "-o", help="A table, or JSON.")
    ] = EventFormat.table,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with status 1 where there is a warning.")
    ] = False,
    zone: Annotated[
        str | None,
        typer.Option(
            "--zone",
            metavar="ZONE",
            show_default="that of the timeline's anchor, else of this machine",
            help="The time zone of the table, such as Europe/Oslo or UTC.",
        ),
    ] = None,
) -> None:
    """Tell what will be on air when, and warn of gaps, overlaps and what is missing. Needs no controller."""
    from vistterstream.cli import simulating

    code = simulating.simulate(
        simulating.Options(
            program=program,
            manifests=manifests,
            at=at,
            period=period,
            epoch=epoch,
            as_json=output is EventFormat.json,
            strict=strict,
            zone=zone,
        )
    )
    raise typer.Exit(code)


@app.command(rich_help_panel="Manifests")
def crds(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Write one file a kind into this folder.")
    ] = None,
) -> None:
    """Write the CustomResourceDefinitions for a Kubernetes API; to stdout without --out."""
    from vistterstream.cli import definitions

    definitions.crds(out)


@app.command(rich_help_panel="Look")
def version() -> None:
    """Tell the version."""
    from vistterstream import __version__

    typer.echo(__version__)


def main() -> None:
    """Run the command; an error is one sentence on stderr, and status 1."""
    try:
        app(prog_name="vistter")
    except KeyboardInterrupt:
        sys.exit(130)
    except (VistterError, OSError) as error:
        if _settings.debug:
            raise
        _fail(error)


def _fail(error: VistterError | OSError) -> None:
    from vistterstream.base.redaction import redact
    from vistterstream.cli.console import as_sentence, say

    message = error.message if isinstance(error, VistterError) else str(error)
    say(redact(as_sentence(message)), style="red")
    sys.exit(1)
