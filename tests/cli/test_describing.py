from __future__ import annotations

import pytest

from cli.commands import vistter
from peers.vistter import Appliance

pytestmark = pytest.mark.e2e


def test_a_program_is_described_with_conditions_processes_and_events(on_air: Appliance) -> None:
    done = vistter("describe", "program", "main", state=on_air.state)
    assert (done.returncode, done.stderr) == (0, "")
    text = done.stdout
    assert f"Written in:   {on_air.manifests}/small.yaml:" in text
    assert "Managed by:   file" in text
    assert "  timeline: tour" in text
    assert f"playout   {on_air.pid('playout', 'main')}" in text
    assert "Timeline tour (spec.timeline)" in text
    assert "Used by:\n  Output preview" in text
    assert "PlayoutStarted" in text
    for section in ("Spec:", "Status:", "Conditions:", "Processes:", "Uses:", "Events:"):
        assert f"\n{section}\n" in text


def test_an_output_shows_its_two_processes(on_air: Appliance) -> None:
    text = vistter("describe", "output", "preview", state=on_air.state).stdout
    assert f"encoder   {on_air.pid('encoder', 'preview')}" in text
    assert f"pusher    {on_air.pid('pusher', 'preview')}" in text
    assert text.count("runs\n") == 2
    assert text.count("   ffmpeg   ") == 2


def test_all_of_a_kind_are_described_without_a_name(on_air: Appliance) -> None:
    text = vistter("describe", "cameras", state=on_air.state).stdout
    assert text.count("Kind:         Camera") == 2


def test_a_secret_shows_its_keys_alone(on_air: Appliance) -> None:
    text = vistter("describe", "secret", "login", state=on_air.state).stdout
    assert "password: (not shown)" in text
    assert "correct-horse" not in text


def test_what_is_not_there_is_told(on_air: Appliance) -> None:
    done = vistter("describe", "camera", "nowhere", state=on_air.state)
    assert (done.returncode, done.stderr) == (1, "There is no Camera default/nowhere\n")
