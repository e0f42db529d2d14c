"""The share of a dataset that one of several processes trains on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rustorch import _C, distributed

from .sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler[int]):
    """Every `num_replicas`-th index, beginning with number `rank`, of an order that all processes agree on.

    All processes get the same number of indices, `n` divided by their number and rounded up: the order goes on from its
    beginning where it is too short, or with `drop_last` loses its last indices. The order is a permutation by the seed
    `seed + epoch`, so `set_epoch` must be called before each pass for another one.

    Args:
        dataset: what has the length; its items are not read.
        num_replicas: how many processes there are; None for that of `rustorch.distributed`. Default: None.
        rank: which of them this is, from 0; None for that of `rustorch.distributed`. Default: None.
        shuffle: whether the order is random. Default: True.
        seed: the same in all processes. Default: 0.
        drop_last: whether to leave out indices rather than repeat some. Default: False.

    Raises:
        ValueError: the rank is not below the number of processes.
        RuntimeError: neither is given, and there is no `rustorch.distributed` that knows.

    Example:

    >>> list(rustorch.utils.data.DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    >>> list(rustorch.utils.data.DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False, drop_last=True))
    [1, 3]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        num_replicas = _of_the_group("get_world_size") if num_replicas is None else num_replicas
        rank = _of_the_group("get_rank") if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        count = len(dataset)
        self.num_samples = count // num_replicas if drop_last else -(-count // num_replicas)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        count = len(self.dataset)
        order = list(range(count))
        if self.shuffle:
            generator = _C.Generator().manual_seed(self.seed + self.epoch)
            order = _C.randperm(count, generator=generator, device="cpu").tolist()
        return iter([order[i % count] for i in range(self.rank, self.total_size, self.num_replicas)])

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Says which pass comes next: the order of each is another one."""
        self.epoch = epoch


def _of_the_group(function: str) -> int:
    if not distributed.is_initialized():
        raise RuntimeError("DistributedSampler: there is no group of processes to ask; give num_replicas and rank")
    known: int = getattr(distributed, function)()
    return known
