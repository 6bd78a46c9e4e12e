"""The leak check fails a test that leaves something behind, and says what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.parametrize(
    ("leak", "said"),
    [
        ("import subprocess; kept.append(subprocess.Popen(['sleep', '30']))", "child process"),
        ("import threading; threading.Thread(target=kept.append(threading.Event()) or kept[-1].wait, "
         "args=(30,), name='forgotten', daemon=True).start()", "thread forgotten"),
        ("import socket; kept.append(socket.socket())", "open socket:"),
        ("pass", ""),
    ],
)  # fmt: skip
def test_what_a_test_leaves_behind_fails_it(tmp_path: Path, leak: str, said: str) -> None:
    plugin = "import conftest as ours\n_no_leaks = ours._no_leaks\nours.GRACE = 0.1\n"
    (tmp_path / "leaky_plugin.py").write_text(plugin)
    (tmp_path / "test_leaky.py").write_text(
        f"kept = []\ndef test_leaky():\n    {leak}\n"
        "def test_after():\n    for item in kept:\n"
        "        getattr(item, 'kill', getattr(item, 'close', getattr(item, 'set', None)))()\n"
        "        getattr(item, '__exit__', lambda *_: None)(None, None, None)\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "leaky_plugin", "-q", "--rootdir", str(tmp_path)]
    command += ["-o", f"pythonpath={TESTS} {tmp_path}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if said:
        assert "left behind" in done.stdout, done.stdout + done.stderr
        assert said in done.stdout
        assert "1 error" in done.stdout
    else:
        assert "2 passed" in done.stdout, done.stdout + done.stderr
        assert "error" not in done.stdout
