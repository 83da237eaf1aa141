"""Files of the demo that are no text: photographs, and the least that is a DICOM, WAV, MP4 or GPX file.

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


def _element(group: int, number: int, kind: str, value: bytes) -> bytes:
    """Write one data element in Explicit VR Little Endian (DICOM PS3.5, 7.1.2)."""
    value += (b"\0" if kind in {"UI", "OB"} else b" ") * (len(value) % 2)
    head = struct.pack("<HH2s", group, number, kind.encode())
    long = kind in {"OB", "OW"}
    return head + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))) + value


def dicom(person: Person, day: date) -> Media:
    """Write a Secondary Capture image of 8 x 8 grey pixels (DICOM PS3.10, 7.1)."""
    sop_class, instance = (
        b"1.2.840.10008.5.1.4.1.1.7",
        f"2.25.{person.id.replace('-', '').translate(_HEX)}"[:60].encode(),
    )
    name = fold(f"{person.family}^{person.given}").encode()
    meta = b"".join(
        (
            _element(2, 0x01, "OB", b"\0\1"),
            _element(2, 0x02, "UI", sop_class),
            _element(2, 0x03, "UI", instance),
            _element(2, 0x10, "UI", b"1.2.840.10008.1.2.1"),
            _element(2, 0x12, "UI", b"2.25.7"),
        )
    )
    size = struct.pack("<H", 8)
    depth = [
        _element(0x28, number, "US", struct.pack("<H", bits)) for number, bits in ((0x100, 8), (0x101, 8), (0x102, 7))
    ]
    data = b"".join(
        (
            _element(8, 0x16, "UI", sop_class),
            _element(8, 0x18, "UI", instance),
            _element(8, 0x20, "DA", f"{day:%Y%m%d}".encode()),
            _element(8, 0x60, "CS", b"OT"),
            _element(0x10, 0x10, "PN", name),
            _element(0x10, 0x20, "LO", person.mrn.encode()),
            _element(0x10, 0x30, "DA", f"{person.birth:%Y%m%d}".encode()),
            _element(0x18, 0x1000, "LO", person.device.encode()),
            _element(0x28, 0x02, "US", struct.pack("<H", 1)),
            _element(0x28, 0x04, "CS", b"MONOCHROME2"),
            _element(0x28, 0x10, "US", size),
            _element(0x28, 0x11, "US", size),
            *depth,
            _element(0x28, 0x103, "US", struct.pack("<H", 0)),
            _element(0x7FE0, 0x10, "OB", bytes(range(0, 256, 4))),
        )
    )
    length = _element(2, 0, "UL", struct.pack("<I", len(meta)))
    plants: list[Plant] = [("NAME", name.decode(), "PatientName"), ("MRN", person.mrn, "PatientID")]
    return bytes(128) + b"DICM" + length + meta + data, plants


_HEX = str.maketrans("abcdef", "123456")


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
