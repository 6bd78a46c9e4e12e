"""What the playouts count, for Prometheus: read from their newest reports at the moment of a scrape.

Totals come from the playouts as they stand, so they go on when a controller is replaced, and start again only
with the process that counts. Series of what is gone, or of which nothing is heard, are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from vistterstream.playout.protocol import CameraState, OutputState, PlayoutStatus
from vistterstream.reconcile.observations import ONLINE
from vistterstream.reconcile.playouts import Playout

_PROGRAM = ["namespace", "program"]
_CAMERA = [*_PROGRAM, "camera"]
_ENCODER = [*_PROGRAM, "encoder"]
_OUTPUT = [*_PROGRAM, "output"]
_DATA = [*_PROGRAM, "overlay", "data"]
_PROCESS = [*_PROGRAM, "role", "name", "reason"]


class Figures(Collector):
    """The collector. `playouts` is iterated at each scrape."""

    def __init__(self, playouts: Iterable[Playout]) -> None:
        self._playouts = playouts

    def describe(self) -> Iterable[Metric]:
        """No scrape when it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families."""
        playouts = list(self._playouts)
        reports = [
            ([playout.key.namespace, playout.key.name], report)
            for playout in playouts
            if (report := playout.report) is not None
        ]
        yield _up(playouts)
        yield from _programs(reports)
        yield from _cameras(reports)
        yield from _encoders(reports)
        yield from _outputs(reports)
        yield from _data(reports)
        yield _restarts(playouts, reports)


_Reports = list[tuple[list[str], PlayoutStatus]]


def _up(playouts: list[Playout]) -> Metric:
    up = GaugeMetricFamily(
        "vistter_playout_up", "Whether the program's playout runs and reports.", labels=_PROGRAM
    )
    for playout in playouts:
        labels = [playout.key.namespace, playout.key.name]
        up.add_metric(labels, float(playout.client is not None and not playout.silent))
    return up


def _programs(reports: _Reports) -> Iterator[Metric]:
    fps = GaugeMetricFamily(
        "vistter_program_fps", "Frames a second that the program delivers.", labels=_PROGRAM
    )
    late = CounterMetricFamily(
        "vistter_program_late_frames", "Frames composed after they were due.", labels=_PROGRAM
    )
    repeated = CounterMetricFamily(
        "vistter_program_repeated_frames",
        "Frames repeated because the program was too far behind.",
        labels=_PROGRAM,
    )
    realtime = GaugeMetricFamily(
        "vistter_playout_realtime", "Whether the playout's clock has real-time priority.", labels=_PROGRAM
    )
    slate = GaugeMetricFamily(
        "vistter_program_slate", "Whether the program shows the slate.", labels=_PROGRAM
    )
    loudness = GaugeMetricFamily(
        "vistter_program_loudness_lufs",
        "Momentary loudness by EBU R 128 (K-weighted, 400 ms), in LUFS; -120 is silence.",
        labels=_PROGRAM,
    )
    peak = GaugeMetricFamily(
        "vistter_program_peak_dbfs",
        "Highest sample of the last second on either channel, in dB of full scale; -120 is silence.",
        labels=_PROGRAM,
    )
    for labels, status in reports:
        if status.sound is not None:
            loudness.add_metric(labels, status.sound.momentary)
            peak.add_metric(labels, status.sound.peak)
        fps.add_metric(labels, status.fps)
        late.add_metric(labels, status.late_frames)
        repeated.add_metric(labels, status.repeated_frames)
        realtime.add_metric(labels, float(status.realtime))
        slate.add_metric(labels, float(status.on_air is None or status.on_air.kind != "Camera"))
    yield from (fps, late, repeated, realtime, slate, loudness, peak)


def _cameras(reports: _Reports) -> Iterator[Metric]:
    online = GaugeMetricFamily(
        "vistter_camera_online", "Whether the camera has something to show.", labels=_CAMERA
    )
    age = GaugeMetricFamily(
        "vistter_camera_frame_age_seconds", "Age of the newest frame of a live camera.", labels=_CAMERA
    )
    frames = CounterMetricFamily("vistter_camera_frames", "Frames decoded.", labels=_CAMERA)
    for labels, status in reports:
        for name, camera in sorted(status.cameras.items()):
            online.add_metric([*labels, name], float(camera.state in ONLINE))
            frames.add_metric([*labels, name], camera.frames)
            looked_at = camera.state in (CameraState.LIVE, CameraState.STANDBY, CameraState.STALLED)
            if looked_at and camera.frame_age is not None:
                age.add_metric([*labels, name], camera.frame_age)
    yield from (online, age, frames)


def _encoders(reports: _Reports) -> Iterator[Metric]:
    speed = GaugeMetricFamily(
        "vistter_encoder_speed_ratio", "Media time encoded over time passed.", labels=_ENCODER
    )
    rate = GaugeMetricFamily(
        "vistter_encoder_bytes_per_second", "What the encoder delivers.", labels=_ENCODER
    )
    for labels, status in reports:
        for id, encoder in sorted(status.encoders.items()):
            if encoder.speed is not None:
                speed.add_metric([*labels, id], encoder.speed)
            if encoder.bitrate is not None:
                rate.add_metric([*labels, id], encoder.bitrate / 8)
    yield from (speed, rate)


def _outputs(reports: _Reports) -> Iterator[Metric]:
    publishing = GaugeMetricFamily(
        "vistter_output_publishing", "Whether the platform takes the stream.", labels=_OUTPUT
    )
    sent = CounterMetricFamily("vistter_output_sent_bytes", "Bytes handed to pushers.", labels=_OUTPUT)
    dropped = CounterMetricFamily(
        "vistter_output_dropped_groups",
        "Groups of pictures dropped because the target did not keep up.",
        labels=_OUTPUT,
    )
    reconnects = CounterMetricFamily(
        "vistter_output_reconnects", "Times a target was connected to again.", labels=_OUTPUT
    )
    for labels, status in reports:
        for name, output in sorted(status.outputs.items()):
            publishing.add_metric([*labels, name], float(output.state is OutputState.PUBLISHING))
            sent.add_metric([*labels, name], output.bytes)
            dropped.add_metric([*labels, name], output.dropped_groups)
            reconnects.add_metric([*labels, name], output.reconnects)
    yield from (publishing, sent, dropped, reconnects)


def _data(reports: _Reports) -> Iterator[Metric]:
    age = GaugeMetricFamily(
        "vistter_data_age_seconds", "Age of the last good value of a data source.", labels=_DATA
    )
    fetches = CounterMetricFamily(
        "vistter_data_fetches", "Fetches at the address of a data source.", labels=_DATA
    )
    failures = CounterMetricFamily(
        "vistter_data_failures",
        "Fetches at the address of a data source that gave no value.",
        labels=[*_DATA, "reason"],
    )
    for labels, status in reports:
        for source in status.data:
            which = [*labels, source.overlay, source.name]
            if source.age is not None:
                age.add_metric(which, source.age)
            fetches.add_metric(which, source.fetches)
            for reason, count in sorted(source.failures.items()):
                failures.add_metric([*which, reason], count)
    yield from (age, fetches, failures)


def _restarts(playouts: list[Playout], reports: _Reports) -> Metric:
    restarts = CounterMetricFamily(
        "vistter_process_restarts",
        "Processes started again; name is that of the camera, encoder or output.",
        labels=_PROCESS,
    )
    for labels, status in reports:
        processes: list[tuple[str, str, dict[str, int]]] = [
            *(("ingest", name, camera.restarts) for name, camera in status.cameras.items()),
            *(("encoder", name, encoder.restarts) for name, encoder in status.encoders.items()),
            *(("pusher", name, output.restarts) for name, output in status.outputs.items()),
        ]
        for role, name, reasons in processes:
            for reason, count in sorted(reasons.items()):
                restarts.add_metric([*labels, role, name, reason], count)
    for playout in playouts:
        for reason, count in sorted(playout.restarts.items()):
            labels = [playout.key.namespace, playout.key.name, "playout", playout.key.name, reason]
            restarts.add_metric(labels, count)
    return restarts
