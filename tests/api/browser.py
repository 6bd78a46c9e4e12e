"""Chromium with one page, driven over the Chrome DevTools Protocol."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from peers import needs
from peers.process import Peer
from peers.waiting import until


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        needs.missing("chromium")
    assert found is not None
    return found


class Page:
    """What a person with a browser would see."""

    def __init__(self, portal: BlockingPortal, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._portal = portal
        self._socket = socket
        self._number = 0
        self.complaints: list[str] = []
        """Errors on the page's console, and what its Content-Security-Policy refused."""
        for domain in ("Runtime", "Log", "Page"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the protocol; its result."""
        return self._portal.call(self._command, method, parameters)

    async def _command(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        with anyio.fail_after(20):
            await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
            while True:
                message: dict[str, Any] = await self._socket.receive_json()
                if message.get("id") == self._number:
                    assert "error" not in message, message
                    result: dict[str, Any] = message["result"]
                    return result
                self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"]))
        if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(parameters["entry"]["text"] + " " + parameters["entry"].get("url", ""))

    def open(self, address: str, *, first: str = "") -> None:
        """Go to an address; the script `first` runs before those of the page."""
        if first:
            self.command("Page.addScriptToEvaluateOnNewDocument", source=first)
        self.command("Page.navigate", url=address)

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.command("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def text(self, id: str = "") -> str:
        """The text of an element that can be seen, or of the page."""
        found = f"document.getElementById('{id}')" if id else "document.body"
        return str(self.evaluate(f"{found}?.innerText ?? ''"))

    def see(self, words: str, deadline: float = 15, id: str = "") -> None:
        """Wait until the words are there."""
        until(
            lambda: words in self.text(id),
            deadline,
            lambda: f"the page shows {words!r}: {self.text()}",
            every=0.1,
        )


@contextmanager
def page(folder: Path) -> Iterator[Page]:
    """A browser with an empty page; `folder` is for its profile and log."""
    profile = folder / "profile"
    command = [
        _chromium(),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--remote-debugging-port=0",
        "--autoplay-policy=no-user-gesture-required",
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    browser = Peer(command, log=folder / "browser.log", env={"HOME": os.fspath(folder)})
    browser.start()
    try:
        port_file = profile / "DevToolsActivePort"
        until(lambda: port_file.is_file() and port_file.read_text().count("\n"), 30, "Chromium can be driven")
        port = port_file.read_text().splitlines()[0]

        def pages() -> list[dict[str, Any]]:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                return [entry for entry in json.load(answer) if entry["type"] == "page"]

        address = until(pages, 10, "there is a page")[0]["webSocketDebuggerUrl"]
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(_socket(address)) as socket:
            yield Page(portal, socket)
    finally:
        browser.kill()
        browser.reap()


class _socket:
    """A WebSocket without a limit on the length of a message."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __aenter__(self) -> aiohttp.ClientWebSocketResponse:
        self._session = aiohttp.ClientSession()
        return await self._session.ws_connect(self._address, max_msg_size=0)

    async def __aexit__(self, *_error: object) -> None:
        await self._session.close()
