"""The parts of a DataLoader: how samples become a batch, how workers run, and how batches travel between processes."""

from . import collate as collate, pin_memory as pin_memory
