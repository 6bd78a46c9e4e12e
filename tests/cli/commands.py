"""Runs the ``vistter`` command as a user would, and a small appliance for it to look at."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from peers.vistter import VISTTER

ROOT = Path(__file__).parents[2]


def vistter(
    *arguments: str | Path,
    state: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    deadline: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end. `state` is the state folder."""
    environment = {**os.environ, **(env or {})}
    environment.pop("VISTTER_STATE_DIR", None)
    if state is not None:
        environment["VISTTER_STATE_DIR"] = str(state)
    return subprocess.run(
        [str(VISTTER), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


SMALL = """
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: pier}
spec: {source: {testPattern: {pattern: motion}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Camera
metadata: {name: spare}
spec: {source: {testPattern: {pattern: grid}}}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Timeline
metadata: {name: tour}
spec: {loop: true, tracks: [{name: pictures, video: [{camera: pier, duration: 1h}]}]}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Program
metadata: {name: main}
spec: {format: {width: 320, height: 180, frameRate: "15"}, timeline: tour}
---
apiVersion: stream.vistter.io/v1alpha1
kind: Output
metadata: {name: preview}
spec:
  program: main
  encoding: {video: {bitrate: 200k, preset: ultrafast}}
  targets: [{name: page, hls: {segmentDuration: 1s}}]
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: correct-horse-battery-staple}
"""
"""Manifests of an appliance that is on air with little work."""
