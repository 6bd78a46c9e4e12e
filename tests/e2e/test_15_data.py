"""Words from a document are shown, and go on changing, whether a controller lives or not."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from e2e import stage
from peers.documents import Documents, sends
from peers.vistter import Appliance, Object, manifest
from vistterstream.playout.files import DATA, playout_dir


def _board(url: str) -> Object:
    data = [{"name": "tide", "url": url, "path": "/tide", "interval": "1s", "default": "no tide"}]
    layers = [{"name": "words", "text": {"value": "{{ tide }} in {{ town }}"}}]
    return manifest("Overlay", "board", {"layers": layers, "data": data})


def _words(appliance: Appliance) -> list[Any]:
    """The words of the board, one after the other, as the as-run log has them."""
    return [line["data"]["board"]["tide"] for line in appliance.as_run() if "data" in line]


def test_words_follow_their_document_over_the_death_of_controller_and_playout(tmp_path: Path) -> None:
    with Documents() as server, Appliance(tmp_path, start=False) as appliance:
        url = server.put("/tide.json", {"tide": "low"})
        appliance.write(
            stage.MANIFEST,
            stage.pattern("wharf", 1),
            stage.code_overlay(),
            _board(url),
            stage.timeline([("wharf", "1000s")], overlays=[{"overlay": "board"}]),
            stage.program(values={"town": "Skagen"}),
        )
        appliance.start()
        appliance.wait(lambda: _words(appliance)[-1:] == ["low"], 20, "low is shown")
        appliance.wait(
            lambda: appliance.status("Overlay", "board").get("data") == [{"name": "tide", "text": "low"}],
            10,
            "the status of the overlay says so",
        )
        revision = appliance.playout()["revision"]
        playout = appliance.wait(lambda: appliance.pid("playout", "main"), 10, "its process is told")

        appliance.kill()
        server.put("/tide.json", {"tide": "high"})
        appliance.wait(lambda: _words(appliance)[-1:] == ["high"], 20, "high is shown without a controller")
        server.answer("/tide.json", sends(b"", status=500))
        appliance.start()
        unread = appliance.wait_condition("Overlay", "board", "Ready", "False")["message"]
        assert "answered 500 Internal Server Error; the last good value is shown" in unread
        assert appliance.playout()["revision"] == revision
        assert appliance.pid("playout", "main") == playout
        kept = playout_dir(appliance.state, "default", "main") / DATA
        appliance.wait(lambda: '"high"' in kept.read_text(), 20, "the value is kept")

        before = len(_words(appliance))
        os.kill(playout, signal.SIGKILL)
        appliance.wait(lambda: len(_words(appliance)) > before, 20, "another playout shows the board")
        assert _words(appliance)[before:] == ["high"], "from its first frame on, though nobody answers"
