"""Sound recordings: recognised and held, since nothing here can make them safe yet."""

from veil.modalities.base import Modality
from veil.readers.formats import audio_format

MODALITY = Modality(name="audio", title="Sound recordings", recognise=audio_format)
