"""DICOM objects: headers by the confidentiality profile of PS3.15, text in pixels masked."""

from veil.transforms.dicom.clean import DicomAnonymizer

__all__ = ["DicomAnonymizer"]
