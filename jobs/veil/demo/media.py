"""Files of the demo that are no text: photographs, and the least that is a WAV, MP4 or GPX file.

Each carries an identifier of its patient in its metadata.
"""

from __future__ import annotations

import io
import struct
import wave
from datetime import date
from functools import cache
from importlib.resources import files
from math import sin
from random import Random
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from veil.demo.people import Person, fold
from veil.demo.resources import Plant

if TYPE_CHECKING:
    from PIL.Image import Image

Media = tuple[bytes, list[Plant]]
"""A file's bytes and the identifiers in them."""


@cache
def _picture(name: str) -> Image:
    """Open one of scikit-image's own pictures: a public-domain portrait (astronaut) or a cup of coffee."""
    from PIL import Image as images

    return images.open(io.BytesIO(files("skimage").joinpath("data", f"{name}.png").read_bytes())).convert("RGB")


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = abs(value) % 1 * 60
    return float(int(abs(value))), float(int(minutes)), round(minutes % 1 * 60, 2)


def photo(rng: Random, person: Person, day: date, *, face: bool) -> Media:
    """Take a JPEG of `person`, a portrait or a faceless picture, with EXIF as a camera writes it (CIPA DC-008)."""
    from PIL import Image as images
    from PIL import ImageOps
    from PIL.ExifTags import GPS, IFD, Base

    picture = _picture("astronaut" if face else "coffee")
    scale = rng.uniform(0.6, 1.0)
    picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    serial, artist = f"CAM{rng.randrange(10**7, 10**8)}", fold(person.name)
    exif = images.Exif()
    exif[Base.Make], exif[Base.Model] = "Demo Optics", "Ward Camera 2"
    exif[Base.Artist] = artist
    exif[Base.DateTime] = f"{day:%Y:%m:%d} 09:41:07"
    exif.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: f"{day:%Y:%m:%d} 09:41:07", Base.BodySerialNumber: serial})
    north, east = ("S", "N")[person.latitude >= 0], ("W", "E")[person.longitude >= 0]
    exif.get_ifd(IFD.GPSInfo).update(
        {
            GPS.GPSLatitudeRef: north,
            GPS.GPSLatitude: _degrees(person.latitude),
            GPS.GPSLongitudeRef: east,
            GPS.GPSLongitude: _degrees(person.longitude),
        }
    )
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=rng.choice((80, 85, 90)), exif=exif)
    return out.getvalue(), [("NAME", artist, "EXIF Artist"), ("DEVICE", serial, "EXIF BodySerialNumber")]


def wav(person: Person) -> Media:
    """Record a tenth of a second of a tone at 8 kHz, with the speaker's name in the RIFF INFO list."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"".join(struct.pack("<h", round(9000 * sin(step / 3))) for step in range(800)))
    name = fold(person.name).encode()
    padded = name + bytes(2 - len(name) % 2)
    info = b"INFOIART" + struct.pack("<I", len(padded)) + padded
    riff = out.getvalue() + b"LIST" + struct.pack("<I", len(info)) + info
    return riff[:4] + struct.pack("<I", len(riff) - 8) + riff[8:], [("NAME", name.decode(), "RIFF INFO")]


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def mp4(person: Person) -> Media:
    """Write an MP4 without tracks (ISO/IEC 14496-12) whose user data holds the patient's name as its title."""
    name = fold(person.name).encode()
    title = _box(b"\xa9nam", struct.pack(">HH", len(name), 0x15C7), name)
    header = struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 1000, 0x10000, 0x100)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    moov = _box(b"moov", _box(b"mvhd", header, matrix, bytes(24), struct.pack(">I", 1)), _box(b"udta", title))
    return _box(b"ftyp", b"isom", bytes(4), b"isommp42") + _box(b"mdat", bytes(64)) + moov, [
        ("NAME", name.decode(), "udta")
    ]


def gpx(rng: Random, person: Person, day: date) -> Media:
    """Write a GPX 1.1 track that begins at the patient's door and carries their name."""
    points = []
    latitude, longitude = person.latitude, person.longitude
    for minute in range(30):
        points.append(
            f'<trkpt lat="{latitude:.6f}" lon="{longitude:.6f}"><time>{day}T11:{minute:02d}:00Z</time></trkpt>'
        )
        latitude += rng.uniform(-0.0006, 0.0008)
        longitude += rng.uniform(-0.0006, 0.0008)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="Ward Tracker" xmlns="http://www.topografix.com/GPX/1/1">\n'
        f"<trk><name>{escape(person.name)} gait study</name><trkseg>\n"
        + "\n".join(points)
        + "\n</trkseg></trk></gpx>\n"
    )
    return text.encode(), [("NAME", person.name, "trk/name")]
