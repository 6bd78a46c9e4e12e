from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from peers.needs import program as needed_program
from reconcile.objects import key
from vistterstream.base.metrics import Metrics
from vistterstream.playout.protocol import (
    CameraState,
    CameraStatus,
    DataStatus,
    EncoderStatus,
    OnAir,
    OutputState,
    OutputStatus,
    PlayoutStatus,
    SoundStatus,
)
from vistterstream.reconcile.figures import Figures
from vistterstream.reconcile.playouts import Playout


def playout(status: PlayoutStatus | None) -> Playout:
    found = Playout(key("Program", "main"), Path("/nowhere"))
    found.status = status
    found.restarts = {"Lost": 2}
    return found


@pytest.fixture
def busy() -> Playout:
    return playout(
        PlayoutStatus(
            pid=1,
            revision="r",
            frame=900,
            fps=29.97,
            realtime=True,
            late_frames=3,
            data=[
                DataStatus(overlay="weather", name="wind", age=2.5, fetches=9, failures={"Timeout": 3}),
                DataStatus(overlay="weather", name="news"),
            ],
            sound=SoundStatus(momentary=-23.5, peak=-3.25, state="Normal"),
            repeated_frames=1,
            on_air=OnAir(kind="Slate", name="pier", since=0, frame=0, reason="CameraStalled"),
            cameras={
                "wharf": CameraStatus(
                    state=CameraState.LIVE, frame_age=0.04, frames=880, restarts={"Timeout": 4}
                ),
                "pier": CameraStatus(state=CameraState.WAITING, frame_age=60.0),
            },
            encoders={"e1": EncoderStatus(pid=2, speed=0.99, bitrate=4_500_000, restarts={"Killed": 1})},
            outputs={
                "tape": OutputStatus(
                    state=OutputState.PUBLISHING,
                    reconnects=5,
                    bytes=123456,
                    dropped_groups=7,
                    restarts={"ConnectionLost": 5},
                )
            },
        )
    )


def lines(*playouts: Playout) -> list[str]:
    metrics = Metrics()
    metrics.add(Figures(playouts))
    return metrics.render().decode().splitlines()


def test_everything_that_is_reported_is_exported(busy: Playout) -> None:
    main = 'namespace="default",program="main"'
    for line in (
        f"vistter_playout_up{{{main}}} 0.0",
        f"vistter_program_fps{{{main}}} 29.97",
        f"vistter_program_late_frames_total{{{main}}} 3.0",
        f"vistter_program_repeated_frames_total{{{main}}} 1.0",
        f"vistter_program_slate{{{main}}} 1.0",
        f"vistter_program_loudness_lufs{{{main}}} -23.5",
        f"vistter_program_peak_dbfs{{{main}}} -3.25",
        f"vistter_playout_realtime{{{main}}} 1.0",
        f'vistter_camera_online{{camera="wharf",{main}}} 1.0',
        f'vistter_camera_online{{camera="pier",{main}}} 0.0',
        f'vistter_camera_frame_age_seconds{{camera="wharf",{main}}} 0.04',
        f'vistter_camera_frames_total{{camera="wharf",{main}}} 880.0',
        f'vistter_encoder_speed_ratio{{encoder="e1",{main}}} 0.99',
        f'vistter_encoder_bytes_per_second{{encoder="e1",{main}}} 562500.0',
        'vistter_output_publishing{namespace="default",output="tape",program="main"} 1.0',
        'vistter_output_sent_bytes_total{namespace="default",output="tape",program="main"} 123456.0',
        'vistter_output_dropped_groups_total{namespace="default",output="tape",program="main"} 7.0',
        'vistter_output_reconnects_total{namespace="default",output="tape",program="main"} 5.0',
        'vistter_data_age_seconds{data="wind",namespace="default",overlay="weather",program="main"} 2.5',
        'vistter_data_fetches_total{data="wind",namespace="default",overlay="weather",program="main"} 9.0',
        'vistter_data_failures_total{data="wind",namespace="default",overlay="weather",program="main",'
        'reason="Timeout"} 3.0',
    ):
        assert line in lines(busy)


@pytest.mark.parametrize(
    ("role", "name", "reason", "count"),
    [
        ("ingest", "wharf", "Timeout", 4),
        ("encoder", "e1", "Killed", 1),
        ("pusher", "tape", "ConnectionLost", 5),
        ("playout", "main", "Lost", 2),
    ],
)
def test_restarts_are_counted_by_role_and_reason(
    busy: Playout, role: str, name: str, reason: str, count: int
) -> None:
    labels = f'name="{name}",namespace="default",program="main",reason="{reason}",role="{role}"'
    assert f"vistter_process_restarts_total{{{labels}}} {count}.0" in lines(busy)


def test_a_camera_that_is_down_has_no_frame_age(busy: Playout) -> None:
    assert not [line for line in lines(busy) if "frame_age" in line and "pier" in line]


def test_data_that_was_never_there_has_no_age(busy: Playout) -> None:
    assert not [line for line in lines(busy) if "data_age" in line and "news" in line]


def test_series_of_what_is_gone_are_gone(busy: Playout) -> None:
    playouts = [busy]
    metrics = Metrics()
    metrics.add(Figures(playouts))
    assert b'camera="wharf"' in metrics.render()
    busy.status = None
    assert b'camera="wharf"' not in metrics.render()
    assert b"vistter_playout_up{" in metrics.render()
    playouts.clear()
    assert b"vistter_playout_up{" not in metrics.render()


def test_promtool_finds_nothing_to_say(busy: Playout) -> None:
    metrics = Metrics()
    metrics.add(Figures([busy]))
    metrics.reconciled("Camera", 0.01, None)
    metrics.status_writes.labels("Camera").inc()
    said = subprocess.run(
        [needed_program("promtool"), "check", "metrics"],
        input=metrics.render(),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, b"", b"")
