"""Turns the layers of an overlay into pixels. The slow part: never on the clock thread.

What cannot be drawn (a file that is gone, a font that nobody has) is told in a sentence and left out; it
never stops the rest. What was drawn is cached by content, bounded by bytes. Each sort of layer is drawn in a
module of its own: `images`, `texts`, `shapes`; what changes by itself in `clockface` and `ticker`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from vistterstream.playout.geometry import View
from vistterstream.playout.images import image_piece
from vistterstream.playout.masks import masked
from vistterstream.playout.pictures import stamp_of
from vistterstream.playout.pieces import DRAWING_ERRORS, Bounds, Piece, Tell, Unusable
from vistterstream.playout.plain import in_parts
from vistterstream.playout.room import Room
from vistterstream.playout.shapes import qr_piece, rectangle_piece, rectangle_sprites
from vistterstream.playout.sprites import Drawing, Look, Sprite, SpriteCache, gathered, sprite
from vistterstream.playout.texts import text_piece
from vistterstream.resources.overlay import Layer, pictures


def rasterise(
    layer: Layer, view: View, opacity: float, cache: SpriteCache, room: Room, tell: Tell
) -> tuple[Look, ...]:
    """What the layer looks like, side by side, with a fixed `opacity` worked in; none if it shows nothing.

    For image, text, rectangle and QR layers. `tell` gets a sentence for each thing that is wrong.
    """
    try:
        key = key_of(layer, view, opacity)
        wrong: list[str] = []
        drawn = known(key, cache, room)
        if drawn is None:
            before, _ = room.used
            looks = gathered(_draw(layer, view, opacity, room, wrong.append))
            for sentence in wrong:
                tell(sentence)
            drawn = Drawing(looks, room.used[0] - before)
        keep(key, drawn, cache if not wrong else None, room)
    except Unusable as error:
        tell(str(error))
        return ()
    except DRAWING_ERRORS as error:
        tell(f"It cannot be drawn ({error}); use another font, or a smaller size.")
        return ()
    return drawn.looks


def known(key: str, cache: SpriteCache, room: Room) -> Drawing | None:
    """What was drawn before; it takes as much room as it took then, which may be too much: Unusable."""
    drawn = cache.get(key)
    if drawn is not None:
        room.take_still(drawn.still)
        room.take_moving(drawn.moving)
    return drawn


def keep(key: str, drawn: Drawing, cache: SpriteCache | None, room: Room) -> None:
    """Keep what was drawn, also for others in the cache. Raises Unusable where there is no room."""
    room.keep(key if cache is not None else None, drawn.nbytes)
    if cache is not None and drawn.looks:
        cache.put(key, drawn)


def key_of(layer: Layer, view: View, opacity: float) -> str:
    """Digest of everything that the pixels depend on, the file's date and size included."""
    content = layer.model_dump_json(exclude={"name", "tracks", "opacity"}, exclude_none=True)
    files = "|".join(stamp_of(Path(file)) for _, file in pictures([layer]))
    sizes = f"{view.width}x{view.height}|{view.canvas.width}x{view.canvas.height}|{view.box}|{view.area}"
    text = f"{content}|{sizes}|{opacity!r}|{files}"
    return hashlib.sha256(text.encode()).hexdigest()


def _draw(layer: Layer, view: View, opacity: float, room: Room, tell: Tell) -> tuple[Sprite, ...]:
    bounds = room.within(view.whole)
    if layer.rectangle is not None and layer.mask is None:
        return rectangle_sprites(layer.rectangle, layer.position, view, bounds, opacity)
    drawn = piece(layer, view, bounds, tell)
    made = None if drawn is None else sprite(drawn.rgba, drawn.seen, opacity)
    return () if drawn is None or made is None else in_parts(made, drawn.rgba, drawn.seen)


def piece(layer: Layer, view: View, bounds: Bounds, tell: Tell) -> Piece | None:
    """The part of the layer that lies within `bounds`, None where nothing does. Raises Unusable."""
    drawn = _whole(layer, view, bounds, tell)
    return None if drawn is None else masked(drawn, layer.mask, view, tell)


def _whole(layer: Layer, view: View, bounds: Bounds, tell: Tell) -> Piece | None:
    """The same without its mask."""
    if layer.image is not None:
        return image_piece(layer.image, layer.position, view, bounds, tell)
    if layer.text is not None:
        return text_piece(layer.text, layer.position, view, bounds, tell)
    if layer.rectangle is not None:
        return rectangle_piece(layer.rectangle, layer.position, view, bounds)
    if layer.qr is not None:
        return qr_piece(layer.qr, layer.position, view, bounds)
    return None
