"""Photographs are published as masked pixels and nothing else."""

from __future__ import annotations

import io
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from veil.contracts import Unpublishable
from veil.transforms.photo import clean

SECRET = b"Quillon Vasterby"


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(payload: bytes) -> Image.Image:
    return Image.open(io.BytesIO(payload)).convert("RGB")


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    package = find_spec("skimage")
    assert package is not None
    assert package.origin is not None
    return Image.open(Path(package.origin).parent / "data" / "astronaut.png").convert("RGB")


def test_a_face_becomes_a_solid_box(astronaut: Image.Image) -> None:
    photo = clean(encode(astronaut, "PNG"))
    (left, top, right, bottom) = photo.faces[0]
    assert left < 190
    assert right > 262
    assert set(pixels(photo.payload).crop((left, top, right, bottom)).get_flattened_data()) == {(0, 0, 0)}
    assert pixels(photo.payload).getpixel((10, 300)) == astronaut.getpixel((10, 300))


def test_metadata_is_gone_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, SECRET.decode()
    source = Image.new("RGB", (80, 40), (200, 30, 30))
    photo = clean(encode(source, "JPEG", exif=exif, comment=SECRET, icc_profile=SECRET * 20))
    assert (photo.width, photo.height) == (40, 80)
    assert photo.content_type == "image/jpeg"
    assert SECRET not in photo.payload
    assert not pixels(photo.payload).getexif()


def test_what_transparency_hid_stays_hidden() -> None:
    hidden = Image.new("RGBA", (40, 40), (250, 250, 250, 0))
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode())
    photo = clean(encode(hidden, "PNG", pnginfo=text))
    assert pixels(photo.payload).getextrema() == ((0, 0), (0, 0), (0, 0))
    assert SECRET not in photo.payload


def bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def animation() -> bytes:
    frames = [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 200)]
    return encode(frames[0], "GIF", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not a picture"),
        (b"%PDF-1.7 text", "not a picture"),
        (encode(Image.effect_noise((90, 90), 80), "JPEG")[:900], "truncated"),
        (encode(Image.effect_noise((90, 90), 80), "PNG")[:900], "truncated"),
        (bomb(), "more than 50,000,000 pixels"),
        (animation(), "animation"),
        (encode(Image.new("I;16", (20, 20)), "PNG"), "8 bits"),
    ],
)
def test_what_cannot_be_made_safe_is_held_with_a_reason(payload: bytes, reason: str) -> None:
    with pytest.raises(Unpublishable, match=reason):
        clean(payload)


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "BMP", "GIF", "MPO"])
def test_every_format_that_is_named_is_read(kind: str) -> None:
    photo = clean(encode(Image.new("RGB", (40, 30), (9, 200, 9)), kind))
    assert (photo.width, photo.height, photo.faces) == (40, 30, ())
