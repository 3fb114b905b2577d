"""Messages over stream sockets: an 8-byte length, then the bytes."""

from __future__ import annotations

import socket
import struct
from collections import deque

HEADER = struct.Struct("!Q")
PIECE = 1 << 20  # bytes asked for at once (assumption: larger pieces bring nothing)


def send_message(sock: socket.socket, message: bytes) -> None:
    """Send one message on a blocking socket."""
    sock.sendall(HEADER.pack(len(message)))
    sock.sendall(message)


def receive_message(sock: socket.socket) -> bytearray:
    """Receive one message from a blocking socket.

    Raises:
        EOFError: If the other side is gone.
    """
    return _receive_exactly(sock, HEADER.unpack(_receive_exactly(sock, HEADER.size))[0])


def _receive_exactly(sock: socket.socket, size: int) -> bytearray:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        got = sock.recv_into(view, min(len(view), PIECE))
        if got == 0:
            raise EOFError("the other side is gone")
        view = view[got:]
    return buffer


class Channel:
    """One end of a connection that never blocks its owner; for one thread."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._outgoing: deque[memoryview] = deque()
        self._buffer = bytearray(HEADER.size)
        self._filled = 0
        self._in_header = True

    @property
    def has_outgoing(self) -> bool:
        """Whether something still waits to be sent."""
        return bool(self._outgoing)

    def put(self, message: bytes) -> None:
        """Queue a message and send what goes out at once."""
        self._outgoing.append(memoryview(HEADER.pack(len(message))))
        if message:
            self._outgoing.append(memoryview(message))
        self.flush()

    def flush(self) -> None:
        """Send what the connection takes; a broken one is noticed when reading."""
        while self._outgoing:
            piece = self._outgoing[0]
            try:
                sent = self.sock.send(piece)
            except BlockingIOError:
                return
            except OSError:
                self._outgoing.clear()
                return
            if sent == len(piece):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = piece[sent:]

    def receive(self) -> tuple[list[bytearray], bool]:
        """Complete messages that have arrived, and whether the other side is still there."""
        messages: list[bytearray] = []
        while True:
            if self._filled == len(self._buffer):
                self._turn_over(messages)
                continue
            view = memoryview(self._buffer)[self._filled :]
            try:
                got = self.sock.recv_into(view, min(len(view), PIECE))
            except BlockingIOError:
                return messages, True
            except OSError:
                return messages, False
            if got == 0:
                return messages, False
            self._filled += got

    def _turn_over(self, messages: list[bytearray]) -> None:
        """A header is complete: make room for the message; or a message is: hand it out."""
        if self._in_header:
            self._buffer = bytearray(HEADER.unpack(self._buffer)[0])
        else:
            messages.append(self._buffer)
            self._buffer = bytearray(HEADER.size)
        self._in_header = not self._in_header
        self._filled = 0

    def close(self) -> None:
        """Close the connection; what waits is lost."""
        self._outgoing.clear()
        self.sock.close()
