"""The ``vistter`` command's end of the controller's socket (local.py says what is spoken)."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vistterstream.api.address import SOCKET, reachable
from vistterstream.base.errors import VistterError

_TIMEOUT = 15.0  # seconds for an answer; a controller that is well needs a few milliseconds


class NoController(VistterError):
    """No controller runs on the state folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"No controller runs on {folder}; start one with: vistter run --state-dir {folder}",
            reason="NoController",
        )


class ConnectionLost(VistterError):
    """The controller went away, or does not answer."""


class Client:
    """A connection to the controller of the state folder `folder`. Raises NoController.

    Blocking: a command does one thing and ends. Answers that are errors are raised as VistterError with the
    controller's words. An answer may take `timeout` seconds.
    """

    def __init__(self, folder: Path, *, timeout: float = _TIMEOUT) -> None:
        self.folder = folder
        self._timeout = timeout
        self._socket = _connect(folder, timeout)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The answer to one request. Raises VistterError."""
        self._say(op, fields)
        return self._hear()

    def follow(self, op: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """The answers to a request that goes on. Raises VistterError; ConnectionLost when it ends."""
        self._say(op, fields)
        self._socket.settimeout(None)
        while True:
            yield self._hear()

    def _say(self, op: str, fields: dict[str, Any]) -> None:
        request = {"op": op, **{name: value for name, value in fields.items() if value is not None}}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except TimeoutError:
            raise _silent(self.folder, self._timeout) from None
        except OSError as error:
            raise _lost(self.folder) from error

    def _hear(self) -> dict[str, Any]:
        try:
            line = self._lines.readline()
        except TimeoutError:
            raise _silent(self.folder, self._timeout) from None
        except OSError as error:
            raise _lost(self.folder) from error
        if not line.endswith(b"\n"):
            raise _lost(self.folder)
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            raise VistterError(
                f"what answers on {self.folder} cannot be read; is it another program?", reason="BadAnswer"
            ) from None
        if "error" in answer:
            raise VistterError(answer["error"], reason=answer.get("reason", "Failed"))
        return answer


def _connect(folder: Path, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(timeout)
    try:
        with reachable(folder) as path:
            connection.connect(path)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        connection.close()
        raise NoController(folder) from None
    except PermissionError:
        connection.close()
        raise VistterError(
            f"the socket {folder / SOCKET} belongs to another user; run this as the user that runs the "
            "controller",
            reason="Forbidden",
        ) from None
    except OSError as error:
        connection.close()
        raise VistterError(
            f"the controller of {folder} cannot be reached: {error.strerror or error}", reason="Unreachable"
        ) from error
    return connection


def _silent(folder: Path, timeout: float) -> ConnectionLost:
    return ConnectionLost(
        f"the controller of {folder} does not answer within {timeout:.0f} s; is it stopped or very busy?",
        reason="Timeout",
    )


def _lost(folder: Path) -> ConnectionLost:
    return ConnectionLost(f"the controller of {folder} has ended", reason="ConnectionLost")
