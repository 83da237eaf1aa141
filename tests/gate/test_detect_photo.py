"""The gate's own eye on photographs."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from veil.detect.canaries import photo_canaries
from veil.detect.photo import leaks


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def plain() -> Image.Image:
    return Image.new("RGB", (80, 60), (90, 120, 150))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_of_pixels_alone_passes(plain: Image.Image, kind: str) -> None:
    assert leaks(encode(plain, kind)) == []


def test_a_progressive_jpeg_passes(plain: Image.Image) -> None:
    assert leaks(encode(plain, "JPEG", progressive=True)) == []


def test_each_canary_is_found_by_its_own_detector() -> None:
    tagged, face = photo_canaries()
    assert leaks(tagged) == ["exif", "metadata"]
    assert leaks(face) == ["face"]


def test_a_face_under_a_solid_mask_is_not_reported() -> None:
    with Image.open(io.BytesIO(photo_canaries()[1])) as picture:
        ImageDraw.Draw(picture).rectangle((48, 40, 162, 195), fill=(0, 0, 0))
        assert leaks(encode(picture, "PNG")) == []


def test_comments_profiles_text_chunks_and_appended_bytes_are_seen(plain: Image.Image) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "somebody")
    assert leaks(encode(plain, "PNG", pnginfo=text)) == ["metadata"]
    assert leaks(encode(plain, "JPEG", comment=b"somebody")) == ["metadata"]
    assert leaks(encode(plain, "JPEG", icc_profile=b"x" * 200)) == ["metadata"]
    assert leaks(encode(plain, "JPEG") + b"somebody") == ["trailing-data"]
    assert leaks(encode(plain, "PNG") + b"somebody") == ["trailing-data"]


def test_other_formats_and_damage_do_not_pass(plain: Image.Image) -> None:
    assert leaks(encode(plain, "WEBP")) == ["format"]
    assert leaks(b"") == ["format"]
    assert "unreadable" in leaks(encode(plain, "JPEG")[:-40])
    assert "unreadable" in leaks(encode(plain, "PNG")[:-20])
