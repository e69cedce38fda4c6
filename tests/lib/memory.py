"""What stands in the memory of a process (as root)."""
import re
import subprocess

from tests.lib import der


def private_scalar(path, passphrase=None):
    """The octets of an EC key file's private number."""
    unlock = ["-passin", "file:" + passphrase] if passphrase else []
    out = subprocess.run(
        ["openssl", "ec", "-in", path, "-outform", "DER", *unlock],
        capture_output=True, check=True).stdout
    return der.content(der.children(out)[1])


LARGEST = 1 << 30


def memory(pid):
    """Every readable region of a process.

    One beyond a gibibyte is a sanitizer's shadow, which holds no octets of
    the program's own.
    """
    with open(f"/proc/{pid}/maps", encoding="ascii",
              errors="replace") as maps, open(f"/proc/{pid}/mem", "rb") as m:
        for line in maps:
            start, end, mode = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
            size = int(end, 16) - int(start, 16)
            if "r" not in mode or "[v" in line or size > LARGEST:
                continue
            try:
                m.seek(int(start, 16))
                yield m.read(size)
            except (OSError, ValueError, OverflowError):
                continue


def holds(pid, secret):
    """In either byte order: OpenSSL keeps numbers as little-endian words."""
    return any(secret in region or secret[::-1] in region
               for region in memory(pid))
