"""How a batch travels from a worker: its structure as a pickle, the bytes of its tensors and arrays in shared memory.

A message is a header, and with it either the descriptor of a block or, where everything is small, the bytes themselves.
The block begins with the bytes of each tensor and array, followed by their lengths and the pickle of what holds them.
"""

from __future__ import annotations

import io
import os
import pickle
import socket
import struct
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from rustorch._C import Tensor, UntypedStorage

from .blocks import ONCE, LoaderBlocks, WorkerBlocks

# What a reply is: a batch, an error, or the word that the worker's stream has ended.
BATCH, ERROR, END = range(3)

# Epoch, task, kind, number of buffers, length of the pickle, length of everything, the number of the block it is in.
_HEADER = struct.Struct("<qqBIQQi")
# Epoch, task, length of the pickle, how many numbers of blocks come before it.
_TASK = struct.Struct("<qqQI")
# What stands for the number of a block where there is none.
_NO_BLOCK = -2

# Vectors are read from addresses that are a multiple of it.
_ALIGNMENT = 64
# A message up to here goes over the socket, which is faster than a block.
_INLINE = 8192
# The most replies that wait in one socket: so few always fit, and a worker never waits for its reader to reply.
MOST_WAITING = 8
# The most pieces that one system call writes.
_PIECES = 512


class Reply(NamedTuple):
    """What a worker answers to a task."""

    epoch: int
    task: int
    kind: int
    content: Any


def _own_storage(tensor: Tensor) -> Any:
    """A tensor's pickle; one that shows a part of its storage is copied, so that the rest stays where it is."""
    if tensor.device.type == "cpu" and tensor.untyped_storage().nbytes() > tensor.numel() * tensor.element_size():
        if tensor.requires_grad and not tensor.is_leaf:
            raise RuntimeError("a tensor that is a result with a gradient cannot leave its process; send its detach()")
        tensor = tensor.detach().clone().requires_grad_(tensor.requires_grad)
    return tensor.__reduce_ex__(5)


def _out_of_band(storage: UntypedStorage) -> Any:
    """A storage's pickle, without its bytes; rustorch.multiprocessing has another way, for single tensors."""
    return storage.__reduce_ex__(5)


def _pickled(content: Any) -> tuple[bytes, list[memoryview]]:
    """A pickle of the content, and the bytes that it takes from elsewhere."""
    buffers: list[memoryview] = []
    stream = io.BytesIO()

    def take(buffer: pickle.PickleBuffer) -> None:
        buffers.append(buffer.raw())

    # What processes can send each other, sockets and locks too, and tensors in our way.
    pickler = ForkingPickler(stream, 5, True, take)
    pickler.dispatch_table[Tensor] = _own_storage
    pickler.dispatch_table[UntypedStorage] = _out_of_band
    pickler.dump(content)
    return stream.getvalue(), buffers


def _pieces(body: bytes, buffers: list[memoryview]) -> Iterator[bytes | memoryview]:
    for buffer in buffers:
        yield buffer
        if padding := -buffer.nbytes % _ALIGNMENT:
            yield bytes(padding)
    yield struct.pack(f"<{len(buffers)}Q", *(buffer.nbytes for buffer in buffers))
    yield body


def _write(descriptor: int, pieces: list[bytes | memoryview]) -> None:
    for start in range(0, len(pieces), _PIECES):
        part = [memoryview(piece) for piece in pieces[start : start + _PIECES]]
        while part:
            written = os.writev(descriptor, part)
            while part and written >= part[0].nbytes:
                written -= part.pop(0).nbytes
            if written:
                part[0] = part[0][written:]


class Packed(NamedTuple):
    """A reply that is ready to be sent: a message, perhaps a descriptor with it, and whether that is closed then."""

    message: bytes
    descriptor: int | None = None
    once: bool = False


def pack(reply: Reply, blocks: WorkerBlocks) -> Packed:
    """Makes a message of a reply: everything that can fail because of what is in it."""
    body, buffers = _pickled(reply.content)
    pieces = list(_pieces(body, buffers))
    total = sum(len(piece) if isinstance(piece, bytes) else piece.nbytes for piece in pieces)

    def header(block: int) -> bytes:
        return _HEADER.pack(reply.epoch, reply.task, reply.kind, len(buffers), len(body), total, block)

    if total <= _INLINE:
        return Packed(b"".join([header(_NO_BLOCK), *pieces]))
    number, descriptor, is_new = blocks.take(total)
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        _write(descriptor, pieces)
    except BaseException:
        if number == ONCE:
            os.close(descriptor)
        else:
            blocks.drop(number)
        raise
    return Packed(header(number), descriptor if is_new else None, number == ONCE)


def send(sock: socket.socket, packed: Packed) -> None:
    """Sends a message."""
    if packed.descriptor is None:
        sock.sendall(packed.message)
        return
    try:
        socket.send_fds(sock, [packed.message], [packed.descriptor])
    finally:
        if packed.once:
            os.close(packed.descriptor)


def _read(sock: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        count = sock.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return content


def receive_reply(sock: socket.socket, wanted: int, blocks: LoaderBlocks) -> Reply:
    """The next reply of a worker; the content of one to another epoch than the wanted is not looked at.

    An EOFError if the worker is gone.
    """
    header, descriptors, _, _ = socket.recv_fds(sock, _HEADER.size, 1)
    try:
        if not header:
            raise EOFError
        header += _read(sock, _HEADER.size - len(header))
        epoch, task, kind, count, length, total, number = _HEADER.unpack(header)
        if number == _NO_BLOCK:
            block: Any = _read(sock, total)
        else:
            block = blocks.content(number, descriptors[0] if descriptors else None, total, epoch == wanted)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    if epoch != wanted:
        return Reply(epoch, task, kind, None)
    view = memoryview(block).cast("B")
    table = total - length - 8 * count
    buffers, start = [], 0
    for size in struct.unpack_from(f"<{count}Q", view, table):
        buffers.append(view[start : start + size])
        start += size + -size % _ALIGNMENT
    return Reply(epoch, task, kind, pickle.loads(view[total - length :], buffers=buffers))


def send_task(sock: socket.socket, blocks: LoaderBlocks, epoch: int, task: int, index: Any) -> None:
    """Sends a worker what it is to fetch, and which blocks are free."""
    content, numbers = ForkingPickler.dumps(index, 5), blocks.told()
    header = _TASK.pack(epoch, task, len(content), len(numbers))
    sock.sendall(b"".join([header, struct.pack(f"<{len(numbers)}i", *numbers), content]))


def receive_task(sock: socket.socket, blocks: WorkerBlocks) -> tuple[int, int, Any]:
    """The next task of a worker: its epoch, its number and what to fetch. An EOFError if the loader is gone."""
    epoch, task, length, count = _TASK.unpack(_read(sock, _TASK.size))
    blocks.give_back(struct.unpack(f"<{count}i", _read(sock, 4 * count)))
    return epoch, task, pickle.loads(_read(sock, length))
