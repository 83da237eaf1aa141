"""DICOM objects: recognised and held, since nothing here can make them safe yet."""

from veil.modalities.base import Modality
from veil.readers.formats import dicom_format

MODALITY = Modality(name="dicom", title="DICOM objects", recognise=dicom_format)
