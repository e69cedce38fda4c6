"""Peers that speak bytes, over the house's Unix socket or over TLS."""
import os
import socket
import ssl
import time

from tests.lib.house import Failure

PATIENCE = 15


class Peer:
    """One connection. `got` is what came; `ended` how it stands."""

    def __init__(self, sock):
        self.sock = sock
        self.got = b""
        self.ended = False
        self.sock.settimeout(PATIENCE)

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, data):
        """All of it; False when the server no longer takes it."""
        try:
            self.sock.sendall(data)
        except (OSError, ssl.SSLError):
            return False
        return True

    def half_close(self):
        """No more from us. TLS has no half: its end is close_notify."""
        try:
            if isinstance(self.sock, ssl.SSLSocket):
                self.sock.setblocking(False)
                try:
                    self.sock.unwrap()
                except ssl.SSLError:
                    pass
                self.sock.settimeout(PATIENCE)
            else:
                self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def read(self, enough, patience=PATIENCE):
        """Until enough(self), or the end, or patience is lost."""
        until = time.monotonic() + patience
        while not self.ended and not enough(self):
            left = until - time.monotonic()
            if left <= 0:
                break
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                break
            except (OSError, ssl.SSLError):
                data = b""
            self.got += data
            self.ended = not data
        return self.got

    def answers(self):
        """[(status, headers, body)] of what came so far, whole ones."""
        return split(self.got)[0]

    def exchange(self, data, n=1, patience=PATIENCE):
        """Send; wait for n more answers or the end; all answers so far."""
        n += len(self.answers())
        self.send(data)
        self.read(lambda p: len(p.answers()) >= n, patience)
        return self.answers()

    def is_closed(self, patience=PATIENCE):
        """Does the server close, without another word?"""
        before = self.got
        self.read(lambda p: p.got != before, patience)
        return self.ended and self.got == before


def split(data, head_only=()):
    """Whole answers at the front of data, and what is left."""
    found = []
    while b"\r\n\r\n" in data:
        head, rest = data.split(b"\r\n\r\n", 1)
        lines = head.decode("ascii").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {k.lower(): v for k, v in
                   (l.split(": ", 1) for l in lines[1:])}
        n = int(headers.get("content-length", 0))
        if len(found) in head_only:
            n = 0
        if len(rest) < n:
            break
        found.append((status, headers, rest[:n]))
        data = rest[n:]
    return found, data


class Clear:
    """The public listener: TCP without TLS."""
    name = "clear"

    def __init__(self, port):
        self.port = port

    def open(self):
        return Peer(socket.create_connection(("127.0.0.1", self.port)))


class Plain:
    """The Unix socket, without TLS."""
    name = "plain"

    def __init__(self, house):
        self.path = os.path.join(house.dir, "run", "countersign.sock")

    def open(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.path)
        return Peer(s)


class Tls:
    """The listener with TLS."""
    name = "TLS"

    def __init__(self, house):
        self.port = house.port
        self.context = ssl.create_default_context(
            cafile=os.path.join(house.dir, "root.pem"))

    def connect(self, address="127.0.0.1"):
        """A TCP connection on which nothing was said."""
        s = socket.socket()
        s.bind((address, 0))
        s.settimeout(PATIENCE)
        s.connect(("127.0.0.1", self.port))
        return s

    def open(self, address="127.0.0.1"):
        return Peer(self.context.wrap_socket(self.connect(address),
                                             server_hostname="127.0.0.1"))


def cpu_ns(pid):
    """Processor time of a process, user and system."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as f:
        return int(f.read().split()[0])


def rss_kib(pid):
    """Resident memory of a process."""
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise Failure(f"process {pid} has no memory")
