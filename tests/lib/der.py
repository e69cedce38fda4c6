"""Just enough DER for the tests: walking elements and serials, no strictness.

A second reader on purpose: what the program wrote is not read by its own
code here.
"""


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
