"""The measure of lip sync measures: what is put into a file is what is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from peers import lips, needs
from peers.rtsp import Flash

FLASH = Flash(x=64, y=160, side=96, beep=1000)
OTHER = Flash(x=400, y=160, side=96, beep=3000)


def flashing(file: Path, delay: int, *, beeping: bool = True) -> Path:
    """Six seconds of a flash and a beep that comes `delay` ms later, in H.264 and AAC."""
    lit = f"drawbox=x={FLASH.x}:y={FLASH.y}:w={FLASH.side}:h={FLASH.side}:color=white:t=fill"
    video = f"color=0x303030:s=640x360:r=30:d=6,{lit}:enable='lt(mod(t,1),0.1)'"
    time = f"(t-{delay / 1000}+1)"
    beep = f"0.25*sin(2*PI*{FLASH.beep}*t)*lt(mod({time},1),0.1)" if beeping else "0"
    command = [needs.ffmpeg(), "-v", "error", "-nostdin", "-f", "lavfi", "-i", video]
    command += ["-f", "lavfi", "-i", f"aevalsrc='{beep}|{beep}':s=48000:d=6", "-c:v", "libx264"]
    command += ["-preset", "ultrafast", "-c:a", "aac", str(file)]
    subprocess.run(command, check=True, timeout=60)
    return file


@pytest.mark.slow
@pytest.mark.parametrize("delay", [-60, 0, 21, 140])
def test_a_delay_is_found_to_the_millisecond(tmp_path: Path, delay: int) -> None:
    found = lips.measure(flashing(tmp_path / "a.flv", delay), {"a": FLASH, "b": OTHER})
    assert len(found.meetings) == 5, "the first flash is there from the start"
    assert not found.alone
    assert [meeting.offset for meeting in found.meetings] == pytest.approx([delay / 1000] * 5, abs=0.001)


@pytest.mark.slow
def test_a_flash_without_a_beep_is_alone(tmp_path: Path) -> None:
    found = lips.measure(flashing(tmp_path / "a.flv", 0, beeping=False), {"a": FLASH})
    assert not found.meetings
    assert len(found.alone) == 5
