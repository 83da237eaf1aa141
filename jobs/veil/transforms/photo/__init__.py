"""Photographs: metadata goes, faces are masked, what cannot be decoded is not published."""

from veil.transforms.photo.clean import CleanPhoto, clean

__all__ = ["CleanPhoto", "clean"]
