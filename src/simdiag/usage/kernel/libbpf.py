"""The distribution's libbpf by ctypes: load an object, attach it to a cgroup, read its maps.

``libbpf.so.1`` or ``libbpf.so.0`` (0.3 or newer), whichever is there; iproute2 brings it. Only what
both have is used. They differ in how they tell of errors: a pointer that is one in disguise with
the old, ``NULL`` and errno with the new.

What is loaded belongs to this process: nothing is pinned, so that the kernel takes it away when the
process ends, however it ends.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

from simdiag.errors import SimdiagError
from simdiag.message import N_, message

_NAMES = ("libbpf.so.1", "libbpf.so.0")
_SAMPLE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
_HIGHEST_ERROR = 4095
_BATCH = 256

_FUNCTIONS: dict[str, tuple[type, tuple[type, ...]]] = {
    "libbpf_set_print": (c_void_p, (c_void_p,)),
    "bpf_object__open_mem": (c_void_p, (c_void_p, c_size_t, c_void_p)),
    "bpf_object__load": (c_int, (c_void_p,)),
    "bpf_object__close": (None, (c_void_p,)),  # type: ignore[dict-item]
    "bpf_object__find_map_by_name": (c_void_p, (c_void_p, c_char_p)),
    "bpf_object__find_program_by_name": (c_void_p, (c_void_p, c_char_p)),
    "bpf_map__fd": (c_int, (c_void_p,)),
    "bpf_map__set_initial_value": (c_int, (c_void_p, c_void_p, c_size_t)),
    "bpf_program__attach_cgroup": (c_void_p, (c_void_p, c_int)),
    "bpf_link__destroy": (c_int, (c_void_p,)),
    "bpf_map_lookup_elem": (c_int, (c_int, c_void_p, c_void_p)),
    "bpf_map_update_elem": (c_int, (c_int, c_void_p, c_void_p, c_uint64)),
    "bpf_map_delete_elem": (c_int, (c_int, c_void_p)),
    "bpf_map_lookup_batch": (
        c_int,
        (c_int, c_void_p, c_void_p, c_void_p, c_void_p, POINTER(c_uint32), c_void_p),
    ),
    "ring_buffer__new": (c_void_p, (c_int, _SAMPLE, c_void_p, c_void_p)),
    "ring_buffer__poll": (c_int, (c_void_p, c_int)),
    "ring_buffer__free": (None, (c_void_p,)),  # type: ignore[dict-item]
}
"""What is used of it: the type of the result, and those of the arguments."""


class _OpenOptions(ctypes.Structure):
    """The head of ``struct bpf_object_open_opts``; libbpf takes the rest for zero."""

    _fields_ = (("size", c_size_t), ("name", c_char_p))


class Library:
    """The functions of libbpf. Raises ``SimdiagError`` where it is missing or too old."""

    def __init__(self) -> None:
        library = next(filter(None, map(_open, _NAMES)), None)
        if library is None:
            text = N_("libbpf is missing: install it (on Debian and Ubuntu: apt install libbpf1)")
            raise SimdiagError(message(text))
        for name, (result, arguments) in _FUNCTIONS.items():
            try:
                function = getattr(library, name)
            except AttributeError as problem:
                text = N_("this libbpf is too old, it lacks {name}: 0.3 or newer is needed")
                raise SimdiagError(message(text, name=name)) from problem
            function.restype, function.argtypes = result, arguments
        self._library = library
        library.libbpf_set_print(None)  # what is wrong is told by what is raised

    def call(self, name: str, *arguments: object) -> int:
        """Call a function whose result is a number, negative for an error. Raises ``OSError``."""
        ctypes.set_errno(0)
        result = int(getattr(self._library, name)(*arguments))
        if result < 0:
            raise _error(ctypes.get_errno() or -result)
        return result

    def make(self, name: str, *arguments: object) -> int:
        """Call a function whose result is a pointer. Raises ``OSError``."""
        ctypes.set_errno(0)
        result = getattr(self._library, name)(*arguments)
        if not result:
            raise _error(ctypes.get_errno() or errno.ENOENT)
        disguised = (1 << 8 * ctypes.sizeof(c_void_p)) - result
        if disguised <= _HIGHEST_ERROR:
            raise _error(disguised)
        return int(result)

    def end(self, name: str, pointer: int) -> None:
        """Call a function that ends something."""
        getattr(self._library, name)(pointer)


class Map:
    """A map of the loaded object; keys and values are bytes."""

    def __init__(self, library: Library, fd: int, key_size: int, value_size: int) -> None:
        self._library, self._fd = library, fd
        self._key_size, self._value_size = key_size, value_size

    def get(self, key: bytes) -> bytes | None:
        """Return a value, ``None`` if there is none."""
        value = ctypes.create_string_buffer(self._value_size)
        try:
            self._library.call("bpf_map_lookup_elem", self._fd, key, value)
        except FileNotFoundError:
            return None
        return value.raw

    def set(self, key: bytes, value: bytes) -> None:
        """Set a value. Raises ``OSError``."""
        self._library.call("bpf_map_update_elem", self._fd, key, value, 0)

    def delete(self, key: bytes) -> None:
        """Remove a key, if it is there."""
        with suppress(FileNotFoundError):
            self._library.call("bpf_map_delete_elem", self._fd, key)

    def push(self, value: bytes) -> None:
        """Put a value on top of a stack. Raises ``OSError``."""
        self._library.call("bpf_map_update_elem", self._fd, None, value, 0)

    def values(self) -> Iterator[bytes]:
        """Yield the values of an array in their order; who stops has not read all of them."""
        keys = ctypes.create_string_buffer(self._key_size * _BATCH)
        values = ctypes.create_string_buffer(self._value_size * _BATCH)
        position = ctypes.create_string_buffer(self._key_size)
        at, more = None, True
        while more:
            count = c_uint32(_BATCH)
            try:
                self._library.call(
                    "bpf_map_lookup_batch", self._fd, at, position, keys, values, byref(count), None
                )
            except FileNotFoundError:  # these are the last
                more = False
            data = values.raw
            for start in range(0, count.value * self._value_size, self._value_size):
                yield data[start : start + self._value_size]
            at = position


class Object:
    """A BPF object, loaded; ends with :meth:`close`.

    ``constants`` is what its ``.rodata`` holds, ``name`` goes before the names of its maps. Raises
    ``OSError`` where the kernel refuses it.
    """

    def __init__(self, library: Library, code: bytes, name: str, constants: bytes) -> None:
        self._library = library
        self._closing = ExitStack()
        self._keep: list[object] = []
        options = _OpenOptions(ctypes.sizeof(_OpenOptions), name.encode())
        self._object = library.make("bpf_object__open_mem", code, len(code), byref(options))
        self._closing.callback(library.end, "bpf_object__close", self._object)
        try:
            constant_map = self._find(f"{name}.rodata")
            library.call("bpf_map__set_initial_value", constant_map, constants, len(constants))
            with _room_for_maps():
                library.call("bpf_object__load", self._object)
        except BaseException:
            self.close()
            raise

    def attach(self, cgroup: Path, *programs: str) -> None:
        """Attach programs to a cgroup, beside those of others. Raises ``OSError``."""
        folder = os.open(cgroup, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in programs:
                find = "bpf_object__find_program_by_name"
                program = self._library.make(find, self._object, name.encode())
                link = self._library.make("bpf_program__attach_cgroup", program, folder)
                self._closing.callback(self._library.end, "bpf_link__destroy", link)
        finally:
            os.close(folder)

    def map(self, name: str, key_size: int, value_size: int) -> Map:
        """Return a map."""
        fd = self._library.call("bpf_map__fd", self._find(name))
        return Map(self._library, fd, key_size, value_size)

    def listen(self, name: str, take: Callable[[bytes], None]) -> Callable[[float], None]:
        """Have ``take`` called for what arrives in a ring buffer.

        Returns the function that waits for it: seconds, less when something came or on a signal.
        """

        def each(_context: int, data: int, size: int) -> int:
            take(ctypes.string_at(data, size))
            return 0

        def wait(seconds: float) -> None:
            with suppress(InterruptedError):
                self._library.call("ring_buffer__poll", ring, round(seconds * 1000))

        callback = _SAMPLE(each)
        self._keep.append(callback)  # libbpf goes on calling it
        fd = self._library.call("bpf_map__fd", self._find(name))
        ring = self._library.make("ring_buffer__new", fd, callback, None, None)
        self._closing.callback(self._library.end, "ring_buffer__free", ring)
        return wait

    def close(self) -> None:
        """Detach and unload."""
        self._closing.close()

    def _find(self, name: str) -> int:
        return self._library.make("bpf_object__find_map_by_name", self._object, name.encode())


def _open(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name, use_errno=True)
    except OSError:
        return None


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@contextmanager
def _room_for_maps() -> Iterator[None]:
    """Before Linux 5.11 maps are charged to the limit of locked memory, which is small."""
    before = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY,) * 2)
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_MEMLOCK, before)
