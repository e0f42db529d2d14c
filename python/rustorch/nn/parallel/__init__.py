"""Modules on several devices."""

from .data_parallel import DataParallel as DataParallel
