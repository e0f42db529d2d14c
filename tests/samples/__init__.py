"""Samples of the ops that are not elementwise: a module per family, each with a list SAMPLES.

A module may also have WITHOUT_SAMPLE: ops whose results do not follow from their arguments' values alone, and the test
file that holds them instead.
"""

from importlib import import_module
from pkgutil import iter_modules

from tests.sample import Sample

SAMPLES: list[Sample] = []
WITHOUT_SAMPLE: dict[str, str] = {}
for _module in iter_modules(__path__):
    _family = import_module(f"{__name__}.{_module.name}")
    SAMPLES += _family.SAMPLES
    WITHOUT_SAMPLE |= getattr(_family, "WITHOUT_SAMPLE", {})
