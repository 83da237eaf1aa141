"""Video recordings: recognised and held, since nothing here can make them safe yet."""

from veil.modalities.base import Modality
from veil.readers.formats import video_format

MODALITY = Modality(name="video", title="Video recordings", recognise=video_format)
