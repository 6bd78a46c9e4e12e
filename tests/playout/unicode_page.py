"""The page of scripts: ``python tests/playout/unicode_page.py OUT.png``.

It takes Debian's fonts-noto-core, fonts-noto-cjk and fonts-noto-color-emoji; what no font has is told.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import cv2
import numpy as np

from vistterstream.playout.compositor import compose, prepare
from vistterstream.playout.frames import Frame
from vistterstream.resources.overlay import OverlaySpec
from vistterstream.resources.program import Fallback, Format
from vistterstream.timeline.plan import OverlayInstance

LINES = (
    ("Latin", "Ålesund harbour, naïve façade, Łódź, Đà Nẵng"),
    ("Greek, Cyrillic", "Καλημέρα κόσμε · Доброе утро, мир"),
    ("Arabic", "مرحبا بكم في الميناء ١٢٣"),
    ("Arabic, mixed", "الرصيف Old Wharf 12 (الميناء)"),
    ("Hebrew", "שלום לכולם, ברוכים הבאים"),
    ("Hebrew, mixed", "שידור חי: Harbour Radio 98.5 (מהנמל)"),
    ("Devanagari", "नमस्ते, बंदरगाह से सीधा प्रसारण · क्षत्रिय"),
    ("Thai, Bengali, Tamil", "สวัสดีชาวโลก · ওহে বিশ্ব · வணக்கம் உலகம்"),
    ("Japanese", "港からの生中継です。ようこそ！"),
    ("Chinese, Korean", "港口现场直播 · 港口現場直播 · 항구에서 생방송"),
    ("Emoji", "⚓ 🚢 🌊 👩‍👩‍👧 👍🏽 🇳🇴 🇯🇵 ❤️ 1️⃣"),
    ("Signs", "→ ½ № € ₹ ∑ √ ≠ ☂ ♫ ✓"),
)
TICKERS = (  # the speed in canvas pixels a second, and the lines
    ("Ticker, to the left", 240, "High tide at noon\nछत्रपति नौका 🚢 दोपहर में\n正午に満潮"),
    ("Ticker, to the right", -240, "المد العالي عند الظهر ١٢\nהמעבורת Blue Star 2 יוצאת באחת"),
)
AGE = 195  # frames since the tickers came in


def page() -> tuple[Frame, dict[str, str]]:
    """The composed page, 1920x1080, and what could not be drawn."""
    layers = []
    for number, (name, text) in enumerate(LINES):
        y = 10 + 67 * number
        layers += [
            {
                "name": f"name-{number}",
                "text": {"value": name, "size": 26, "color": "#8FA3C8"},
                "position": {"x": 60, "y": y + 14},
            },
            {
                "name": f"text-{number}",
                "text": {"value": text, "size": 46, "color": "#F4F6FB", "align": "left"},
                "position": {"x": 420, "y": y},
            },
        ]
    for number, (name, speed, text) in enumerate(TICKERS):
        y = 830 + 122 * number
        ticker = {"value": text, "size": 46, "color": "#F4F6FB", "background": "#1D2236", "padding": 4}
        layers += [
            {
                "name": f"name-of-ticker-{number}",
                "text": {"value": name, "size": 26, "color": "#8FA3C8"},
                "position": {"x": 60, "y": y + 14},
            },
            {
                "name": f"ticker-{number}",
                "ticker": ticker | {"width": 1440, "speed": speed},
                "position": {"x": 420, "y": y},
            },
        ]
    spec = OverlaySpec.model_validate({"layers": layers})
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    scene = prepare(
        Format(width=1920, height=1080),
        [OverlayInstance(id="page", overlay="page", spec=spec)],
        Fallback.model_validate({"color": "#121521"}),
        wall=wall,
    )
    out = Frame(1920, 1080)
    compose(scene, out, scene.slate, None, 0.0, [("page", AGE, None)], 0, wall)
    return out, scene.problems


def rgb(frame: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture as (height, width, 3) uint8: BT.709, limited range, undone."""
    y = (frame.y.astype(np.float32) - 16) / 219
    size = (frame.width, frame.height)
    u, v = (
        (cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR).astype(np.float32) - 128) / 224
        for plane in (frame.u, frame.v)
    )
    red, blue = y + 1.5748 * v, y + 1.8556 * u
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    picture = np.clip(np.stack([red, green, blue], axis=-1) * 255 + 0.5, 0, 255)
    return picture.astype(np.uint8)


def main() -> None:
    """Write the page."""
    frame, problems = page()
    cv2.imwrite(sys.argv[1], cv2.cvtColor(rgb(frame), cv2.COLOR_RGB2BGR))
    for sentence in problems.values():
        sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    main()
