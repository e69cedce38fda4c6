"""Just enough DER for the tests: walking elements and serials, no strictness.

A second reader on purpose: what the program wrote is not read by its own
code here.
"""
import calendar
import time


def element(data, at=0):
    """(tag, content start, end) of the element at `at`."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        n = length & 0x7F
        length = int.from_bytes(data[start:start + n], "big")
        start += n
    return tag, start, start + length


def children(data, at=0):
    """The whole elements inside the constructed element at `at`."""
    _, start, end = element(data, at)
    found = []
    while start < end:
        _, _, stop = element(data, start)
        found.append(data[start:stop])
        start = stop
    return found


def content(data):
    _, start, end = element(data)
    return data[start:end]


def split_certificate(der):
    """(tbs, signature algorithm, signature octets) of a certificate."""
    tbs, algorithm, signature = children(der)
    return tbs, algorithm, content(signature)[1:]


def serial(tbs):
    """The serial's octets."""
    fields = children(tbs)
    return content(fields[1] if fields[0][0] == 0xA0 else fields[0])


def read_crl(data):
    """(number, thisUpdate, {serials}) of a CRL."""
    fields = children(children(data)[0])
    rest = fields[5:]
    serials = set()
    if rest[0][0] == 0x30:
        serials = {content(children(e)[0]) for e in children(rest.pop(0))}
    number = None
    for e in children(content(rest[0])):
        parts = children(e)
        if content(parts[0]) == b"\x55\x1d\x14":
            number = int.from_bytes(content(content(parts[-1])), "big")
    return number, time_of(fields[3]), serials


def time_of(data):
    """Seconds of a UTCTime or GeneralizedTime."""
    text = content(data).decode("ascii")
    if data[0] == 0x17:
        text = ("19" if text[:2] >= "50" else "20") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def subject_alt_names(tbs):
    """The GeneralNames of the SAN extension, each as (tag, content)."""
    for field in children(tbs):
        if field[0] != 0xA3:
            continue
        for extension in children(content(field)):
            parts = children(extension)
            if content(parts[0]) == b"\x55\x1d\x11":
                names = content(parts[-1])
                return [(n[0], content(n)) for n in children(names)]
    return []
