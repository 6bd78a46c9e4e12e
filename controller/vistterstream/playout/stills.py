"""Still pictures that fill the frame: drawn once, off the clock thread, and shown like a camera's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vistterstream.playout.frames import Frame
from vistterstream.playout.pictures import open_picture, stamp_of
from vistterstream.playout.pieces import Unusable
from vistterstream.resources.program import Format
from vistterstream.resources.timeline import Fit
from vistterstream.timeline.plan import ImagePlan


class Stills:
    """The pictures of a plan, by id; `names` are those of their files.

    `problems` has a sentence for each file that cannot be read; its picture is not in `frames`, and the slate
    is shown.
    """

    def __init__(self, format: Format, images: Sequence[ImagePlan], previous: Stills | None = None) -> None:
        """Draws what `previous` has not drawn already from the same file."""
        self.frames: dict[str, Frame] = {}
        self.names = {image.id: image.called for image in images}
        self.problems: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        for image in images:
            key = f"{format.width}x{format.height}|{stamp_of(Path(image.file))}"
            if previous is not None and previous._keys.get(image.id) == key:
                self.frames[image.id] = previous.frames[image.id]
            else:
                try:
                    self.frames[image.id] = drawn(image, format.width, format.height)
                except Unusable as error:
                    self.problems[image.file] = str(error)
                    continue
            self._keys[image.id] = key


def drawn(image: ImagePlan, width: int, height: int) -> Frame:
    """The picture at this size; raises Unusable where the file is no picture."""
    picture = open_picture(Path(image.file))
    ground = Image.new("RGBA", (width, height), image.color.rgba[:3])
    if image.fit is Fit.FIT:
        scaled = ImageOps.contain(picture, ground.size, Image.Resampling.LANCZOS)
        place = ((width - scaled.width) // 2, (height - scaled.height) // 2)
        ground.alpha_composite(scaled, place)
    else:
        ground.alpha_composite(ImageOps.fit(picture, ground.size, Image.Resampling.LANCZOS))
    frame = Frame(width, height)
    frame.put_rgb(np.asarray(ground.convert("RGB")))
    return frame
