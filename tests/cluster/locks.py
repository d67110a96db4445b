"""An advisory lock on a file: the kernel drops it when its holder dies, so a killed run never blocks the next."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, on_wait: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Hold the lock at path; call on_wait once, before waiting for another holder.

    Give its file descriptor: a child that inherits it holds the lock as long as it lives, whatever happens to us.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _acquire(path, on_wait)
    try:
        yield handle
    finally:
        os.close(handle)


def _acquire(path: Path, on_wait: Callable[[], None]) -> int:
    while True:
        # Programs started under the lock do not inherit it: Python opens files close-on-exec.
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(handle, fcntl.LOCK_EX)
        if _is_still_at(path, handle):
            return handle
        os.close(handle)  # its holder removed the file, and others may already lock a new one


def _is_still_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False
