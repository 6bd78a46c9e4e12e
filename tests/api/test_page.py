"""The preview page in a real browser."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from api.browser import Page, page
from api.serving import Served, camera, condition, hls, program
from api.test_upcoming import TOUR, playout
from cli.commands import ROOT
from peers import needs
from peers.waiting import until

pytestmark = pytest.mark.e2e

CLIP = ROOT / "examples" / "01-hello" / "harbour.mp4"
NO_NATIVE_HLS = "HTMLMediaElement.prototype.canPlayType = () => '';"


@pytest.fixture
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with page(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture
def picture(appliance: Served) -> None:
    """A playlist with a clip, as an output would have written it."""
    folder = appliance.folder / "hls" / "preview" / "page"
    folder.mkdir(parents=True)
    command = [needs.ffmpeg(), "-v", "error", "-i", str(CLIP), "-c", "copy", "-f", "hls", "-hls_time", "2"]
    subprocess.run([*command, "-hls_list_size", "0", str(folder / "index.m3u8")], check=True, timeout=60)


def on_air(appliance: Served, kind: str = "Camera", name: str = "pier", reason: str = "Cue") -> None:
    shown = {"source": {"kind": kind, "name": name}, "reason": reason, "overlays": ["logo"]}
    appliance.status("Program", "main", onAir={**shown, "since": "2026-05-17T10:00:00Z"})


def set_up(appliance: Served) -> None:
    appliance.apply(program(), hls("preview"), camera("pier"), camera("wharf"))
    playout(appliance.folder / "playout" / "main", TOUR, age=0)
    appliance.status("Camera", "pier", conditions=[condition("Online", "True", "Live")])
    refused = condition("Online", "False", "ConnectionRefused", "10.0.0.5 refuses the connection.")
    appliance.status("Camera", "wharf", conditions=[refused])
    appliance.status("Output", "preview", conditions=[condition("Publishing", "True")], activeTarget="page")
    appliance.record("Program", "main", "PlayoutStarted", "The playout runs.")


@pytest.mark.usefixtures("picture")
@pytest.mark.parametrize("first", ["", NO_NATIVE_HLS], ids=["the browser's own player", "hls.js"])
def test_the_page_shows_what_is_on_air_and_plays_it(appliance: Served, browser: Page, first: str) -> None:
    set_up(appliance)
    on_air(appliance)
    with appliance.site() as site:
        browser.open(site.address, first=first)
        browser.see("As the timeline says", id="on-air")
        assert "pier" in browser.text("on-air")
        browser.see("in ", id="next")
        assert "Connection refused" in browser.text("cameras")
        assert "10.0.0.5 refuses the connection." in browser.text("cameras")
        assert "ON AIR" in browser.text("cameras")
        assert "Publishing" in browser.text("outputs")
        assert "The playout runs." in browser.text("events")
        position = "document.getElementById('video').currentTime"
        until(lambda: browser.evaluate(position) > 1, 20, "the picture moves", every=0.2)
        assert browser.evaluate("document.getElementById('video').videoWidth") == 960
        assert bool(browser.evaluate("Boolean(window.Hls)")) is bool(first)
        assert browser.complaints == []


def test_the_page_follows_what_changes(appliance: Served, browser: Page) -> None:
    set_up(appliance)
    on_air(appliance)
    with appliance.site() as site:
        browser.open(site.address)
        browser.see("As the timeline says")
        on_air(appliance, "Slate", "wharf", "CameraLost")
        browser.see("Camera wharf cannot be reached")
        browser.see("Slate", id="air-name")
        appliance.complaints = ["a.yaml:3:4 spec: <b>wrong</b>"]
        browser.see("a.yaml:3:4 spec: <b>wrong</b>", id="problems")


def test_the_page_says_when_nothing_is_on_air(appliance: Served, browser: Page) -> None:
    with appliance.site() as site:
        browser.open(site.address)
        browser.see("No program is configured", id="on-air")
        browser.see("No camera is configured", id="cameras")
        appliance.apply(program(), hls("preview"))
        failed = condition("Ready", "False", "PlayoutFailed", "The disk is full.")
        appliance.status("Program", "main", conditions=[failed])
        browser.see("Nothing is on air", id="on-air")
        browser.see("The disk is full.", id="on-air")


def test_the_page_says_when_the_controller_is_gone_and_finds_it_again(
    appliance: Served, browser: Page
) -> None:
    set_up(appliance)
    on_air(appliance)
    with appliance.site() as site:
        browser.open(site.address)
        browser.see("Connected", id="connection")
        port = site.port
    browser.see("Not connected", id="connection")
    browser.see("The controller has not answered since", id="lost")
    assert "pier" in browser.text("on-air"), "what was last known stays"
    with appliance.site(port=port):
        browser.see("Connected", 20, id="connection")
        hidden = "document.getElementById('lost').hidden"
        until(lambda: browser.evaluate(hidden), 5, "the warning is gone")


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_nothing_is_cut_off_on_any_screen(appliance: Served, browser: Page, width: int) -> None:
    set_up(appliance)
    on_air(appliance, name="a-camera-with-a-rather-long-name-that-somebody-chose-for-it")
    appliance.complaints = ["/a/very/long/path/that/has/no/place/to/break/" * 5]
    browser.command(
        "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 700
    )
    with appliance.site() as site:
        browser.open(site.address)
        browser.see("As the timeline says")
        assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_everything_can_be_reached_by_keyboard_and_has_a_name(appliance: Served, browser: Page) -> None:
    set_up(appliance)
    appliance.apply(program("second"), hls("other", program="second"), hls("third"))
    with appliance.site() as site:
        browser.open(site.address)
        browser.see("Connected")
        unnamed = browser.evaluate(
            "[...document.querySelectorAll('video, select, section, ul, img')].filter(e => !("
            "e.ariaLabel || e.labels?.length || e.hasAttribute('aria-labelledby') || e.hasAttribute('alt') "
            "|| e.closest('section')?.hasAttribute('aria-labelledby'))).map(e => e.outerHTML.slice(0, 80))"
        )
        assert unnamed == []
        reached = set()
        for _ in range(12):
            for kind in ("rawKeyDown", "keyUp"):
                browser.command(
                    "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
                )
            reached.add(browser.evaluate("document.activeElement.id || document.activeElement.className"))
        assert {"skip", "program", "preview", "events"} <= reached
