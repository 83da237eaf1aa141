"""Location traces: recognised and held, since nothing here can make them safe yet."""

from veil.modalities.base import Modality
from veil.readers.formats import location_format

MODALITY = Modality(name="location", title="Location traces", recognise=location_format)
