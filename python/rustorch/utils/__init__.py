"""Tools around training."""

from . import data as data
