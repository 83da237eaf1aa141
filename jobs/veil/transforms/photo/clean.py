"""A photograph without its metadata and without faces: 45 CFR 164.514(b)(2)(i)(Q), full-face photographs."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError

from veil.contracts import Unpublishable
from veil.transforms.photo.faces import Box, find_faces

MAX_PIXELS = 50_000_000
"""Pixels of the largest picture that is decoded: a few kilobytes can announce a terabyte."""
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class CleanPhoto:
    """A picture encoded anew from its masked pixels.

    `width` and `height` are in pixels; `faces` are the masked boxes (left, top, right, bottom) in pixels, half-open.
    """

    payload: bytes = field(repr=False)
    content_type: str
    width: int
    height: int
    faces: tuple[Box, ...]


def clean(payload: bytes) -> CleanPhoto:
    """Mask every face of a photograph and encode the pixels anew.

    Parameters
    ----------
    payload
        JPEG, PNG, WebP, TIFF, BMP or GIF of one frame; of a multi-picture JPEG the first picture.

    Returns
    -------
    CleanPhoto
        A JPEG where the original was one, a PNG otherwise; upright, RGB, without any metadata.

    Raises
    ------
    Unpublishable
        When the payload is no picture, is damaged, animated or too large.
    """
    picture = _upright(payload)
    faces = find_faces(picture)
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in faces:
        draw.rectangle((left, top, right - 1, bottom - 1), fill=(0, 0, 0))
    lossy = payload.startswith(b"\xff\xd8")
    return CleanPhoto(_encode(picture, lossy), "image/jpeg" if lossy else "image/png", *picture.size, faces)


def _upright(payload: bytes) -> Image.Image:
    Image.init()  # a format that is named but not loaded yet is a KeyError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged metadata is no reason to hold a picture whose pixels are whole
            with Image.open(io.BytesIO(payload), formats=FORMATS) as source:
                _check(source)
                source.load()
                return _opaque(ImageOps.exif_transpose(source))
    except UnidentifiedImageError:
        raise Unpublishable("not a picture in a format that is read (JPEG, PNG, WebP, TIFF, BMP, GIF)") from None
    except Image.DecompressionBombError:
        raise Unpublishable(f"picture of more than {MAX_PIXELS:,} pixels") from None
    except Unpublishable:
        raise
    except Exception:  # noqa: BLE001 - a damaged file makes decoders raise anything, and its text may quote the file
        raise Unpublishable("damaged or truncated picture") from None


def _check(source: Image.Image) -> None:
    if source.width * source.height > MAX_PIXELS:
        raise Unpublishable(f"picture of more than {MAX_PIXELS:,} pixels")
    if not source.width or not source.height:
        raise Unpublishable("picture without pixels")
    if source.format != "MPO" and getattr(source, "n_frames", 1) > 1:
        raise Unpublishable("animation or picture of several pages")
    if source.mode[0] in "IF":
        raise Unpublishable("picture with more than 8 bits for each channel")


def _opaque(source: Image.Image) -> Image.Image:
    """RGB pixels alone; what transparency hid stays hidden."""
    if source.has_transparency_data:
        layer = source.convert("RGBA")
        base = Image.new("RGB", layer.size)
        base.paste(layer, mask=layer.getchannel("A"))
        return base
    rgb = source.convert("RGB")
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())  # a new picture carries no metadata over


def _encode(picture: Image.Image, lossy: bool) -> bytes:
    buffer = io.BytesIO()
    if lossy:
        picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    else:
        picture.save(buffer, "PNG")
    return buffer.getvalue()
