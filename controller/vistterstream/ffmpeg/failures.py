"""Turns FFmpeg's last words into a reason and a sentence that tells the user what to do."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """Why a process ended: CamelCase `reason`, and a sentence."""

    reason: str
    message: str


# First match wins; the more telling lines stand first, since several often come together.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"Incorrect passphrase|Password required or unexpected",  # as libsrt says it
        "PassphraseRefused",
        "The passphrases of the two sides differ, or one has none. Check the Secret in passphraseSecretRef.",
    ),
    (
        r"401 Unauthorized|authorization failed|403 Forbidden",
        "Unauthorized",
        "The login was refused. Check the user name and password in the Secret.",
    ),
    (
        r"certificate verify failed|self.signed certificate|unable to get local issuer",
        "CertificateInvalid",
        "The server's certificate cannot be verified. Give tls.caFile, or set tls.verify to false.",
    ),
    (
        r"Publish\.BadName|Publish\.Denied|Already publishing|Server error:|NetStream\.Publish",
        "Rejected",
        "The platform refused the stream. Check the stream key, and that no other encoder uses it.",
    ),
    (
        r"Failed to resolve hostname|Name or service not known|No address associated",
        "UnknownHost",
        "The host name cannot be resolved. Check the address and the network's DNS.",
    ),
    (
        r"Connection refused",
        "ConnectionRefused",
        "Nothing answers at that address and port. Check that the device or server is on.",
    ),
    (
        r"REJECT reported from HS processing",  # as libsrt says it
        "NotAccepted",
        "The other side refused the connection. Check the address, and the stream key where it wants one.",
    ),
    (
        r"Connection to srt://\S+ failed: Input/output error",  # SRT is UDP: nobody refuses, nobody answers
        "Unreachable",
        "Nobody answers at that address and port. Check both, and that the device or server is on.",
    ),
    (
        r"No route to host|Network is unreachable|Host is down",
        "Unreachable",
        "The network does not reach that address. Check cable, Wi-Fi and address.",
    ),
    (
        r"404 Not Found|404 Stream Not Found|454 Session Not Found",
        "NotFound",
        "The device has no such stream. Check the path in the address.",
    ),
    (
        r"5XX Server Error|\b50[0-9] \(?(Internal|Service|Bad|Gateway)",
        "DeviceError",
        "The device answered with an error of its own. Check that it allows one more viewer, or restart it.",
    ),
    (
        r"No space left on device",
        "DiskFull",
        "The disk is full. Free some space; it is tried again.",
    ),
    (
        r"Permission denied|Read-only file system",
        "PermissionDenied",
        "Access is not allowed. Check the permissions of the file.",
    ),
    (
        r"No such file or directory",
        "FileNotFound",
        "The file or folder does not exist. Check the path.",
    ),
    (
        r"Is a directory|Not a directory",
        "NotAFile",
        "The path does not name a file. Check the path.",
    ),
    (
        r"Connection timed out|Operation timed out|Connection timed-out",
        "Timeout",
        "There was no answer in time. Check the device and the network.",
    ),
    (
        r"Error opening output \S+ (?:Input/output error|End of file|Broken pipe|Connection reset)",
        "NotAccepted",
        "The platform closed the connection before it took the stream. Check the address and the stream key.",
    ),
    (
        r"Broken pipe|Connection reset|End of file|Input/output error|I/O error|Error number -10053",
        "ConnectionLost",
        "The connection broke.",
    ),
    (
        r"Invalid data found|moov atom not found|Could not find codec|does not contain any stream"
        r"|matches no streams|Decoder not found",
        "InvalidData",
        "What came is not video that can be read. Check that the address is a video stream.",
    ),
)
_PATTERNS = tuple((re.compile(pattern), reason, message) for pattern, reason, message in _CAUSES)


def explain(status: int, lines: Iterable[str]) -> Failure:
    """Why a process with exit `status` (negative: minus the signal) ended, from its last `lines`."""
    said = [line for line in lines if "[info]" not in line]
    text = "\n".join(said)
    for pattern, reason, message in _PATTERNS:
        if pattern.search(text):
            return Failure(reason, message)
    if status < 0:
        name = signal.Signals(-status).name if -status in list(signal.Signals) else str(-status)
        return Failure("Killed", f"The process was ended by {name} from outside.")
    if status == 0:
        return Failure("Ended", "The stream came to its end.")
    last = said[-1] if said else "it said nothing"
    return Failure("Failed", f"FFmpeg ended with status {status}: {last}")
