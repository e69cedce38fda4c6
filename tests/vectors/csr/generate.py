#!/usr/bin/env python3
"""Writes the corpus of CSRs beside it, and `expected`, what comes of each.

Every pitfall that parsers of PKCS#10 are known for, one file each; `expected`
has a line NAME CODES a file: the codes of findings that cs_csr_read() must
give, all of them and no other; "-" for none; "weak:..." for facts about the
key. DER and signatures are made here, by nothing but this file, so that no
library's idea of a well-formed request is in the way.

    generate.py            # writes into its own directory
"""
import hashlib
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))
rng = random.Random(2986)
cases = {}

# -- DER --------------------------------------------------------------------


def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 128:
        return bytes([tag, n]) + body
    size = (n.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + n.to_bytes(size, "big") + body


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def integer(v):
    return tlv(2, v.to_bytes(v.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    arcs = [int(a) for a in text.split(".")]
    out = b""
    for a in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = [a & 127]
        while a > 127:
            a >>= 7
            part.append(0x80 | a & 127)
        out += bytes(reversed(part))
    return tlv(6, out)


def bits(octets):
    return tlv(3, b"\0", octets)


NULL = tlv(5)
TRUE = tlv(1, b"\xff")

# -- keys -------------------------------------------------------------------


def is_prime(n):
    for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        if n % p == 0:
            return n == p
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(10):
        x = pow(rng.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(size, e=65537, near=None):
    n = near if near else rng.getrandbits(size) | 3 << size - 2
    n |= 1
    while not is_prime(n) or n % e == 1:
        n += 2
    return n


class Rsa:
    """A key of these primes; signs by PKCS#1 v1.5."""

    SHA256 = seq(oid("1.2.840.113549.1.1.11"), NULL)
    PREFIX = seq(seq(oid("2.16.840.1.101.3.4.2.1"), NULL), tlv(4, b"\0" * 32))

    def __init__(self, primes, e=65537):
        self.n, self.e, phi = 1, e, 1
        for p in primes:
            self.n, phi = self.n * p, phi * (p - 1)
        self.d = pow(e, -1, phi)
        self.alg = self.SHA256

    def spki(self):
        return seq(seq(oid("1.2.840.113549.1.1.1"), NULL),
                   bits(seq(integer(self.n), integer(self.e))))

    def sign(self, message):
        size = (self.n.bit_length() + 7) // 8
        t = self.PREFIX[:-32] + hashlib.sha256(message).digest()
        t = b"\0\1" + b"\xff" * (size - len(t) - 3) + b"\0" + t
        return pow(int.from_bytes(t, "big"), self.d, self.n).to_bytes(
            size, "big")


class Curve:
    def __init__(self, name, p, b, n, x, y, alg, digest):
        self.oid, self.p, self.b, self.n, self.g = oid(name), p, b, n, (x, y)
        self.alg, self.digest = seq(oid(alg)), digest
        self.size = (p.bit_length() + 7) // 8

    def add(self, a, b):
        p = self.p
        if a is None or b is None:
            return a or b
        if a == b:
            k = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, p)
        elif a[0] == b[0]:
            return None
        else:
            k = (b[1] - a[1]) * pow(b[0] - a[0], -1, p)
        x = (k * k - a[0] - b[0]) % p
        return x, (k * (a[0] - x) - a[1]) % p

    def times(self, k, point):
        out = None
        while k:
            if k & 1:
                out = self.add(out, point)
            point, k = self.add(point, point), k >> 1
        return out


P256 = Curve(
    "1.2.840.10045.3.1.7", 2**256 - 2**224 + 2**192 + 2**96 - 1,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    "1.2.840.10045.4.3.2", hashlib.sha256)
P521 = Curve(
    "1.3.132.0.35", 2**521 - 1,
    int("0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF1"
        "09E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B50"
        "3F00", 16),
    int("01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91"
        "386409", 16),
    int("00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D"
        "3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5"
        "BD66", 16),
    int("011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E"
        "662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD1"
        "6650", 16),
    "1.2.840.10045.4.3.4", hashlib.sha512)


class Ec:
    def __init__(self, curve):
        self.curve, self.alg = curve, curve.alg
        self.d = rng.randrange(1, curve.n)
        self.q = curve.times(self.d, curve.g)

    def point(self, q=None):
        x, y = q or self.q
        n = self.curve.size
        return b"\4" + x.to_bytes(n, "big") + y.to_bytes(n, "big")

    def spki(self, params=None, point=None):
        return seq(seq(oid("1.2.840.10045.2.1"), params or self.curve.oid),
                   bits(point or self.point()))

    def sign(self, message):
        c = self.curve
        h = int.from_bytes(c.digest(message).digest(), "big")
        h >>= max(0, c.digest().digest_size * 8 - c.n.bit_length())
        k = rng.randrange(1, c.n)
        r = c.times(k, c.g)[0] % c.n
        return seq(integer(r), integer(pow(k, -1, c.n) *
                                       (h + r * self.d) % c.n))


# -- requests ---------------------------------------------------------------

CN, O = "2.5.4.3", "2.5.4.10"
SAN, KU, BC, EKU = "2.5.29.17", "2.5.29.15", "2.5.29.19", "2.5.29.37"
EXT_REQ, MS_EXT_REQ = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14"


def rdn(kind, value, tag=12):
    return set_of(seq(oid(kind), tlv(tag, value)))


def name(*rdns):
    return seq(*rdns)


def ext(kind, value, critical=b""):
    return seq(oid(kind) if isinstance(kind, str) else kind, critical,
               tlv(4, value))


def dns(text):
    return tlv(0x82, text)


def san(*names):
    return ext(SAN, seq(*names))


def attribute(kind, *values):
    return seq(oid(kind), set_of(*values))


GOOD_NAME = name(rdn(CN, b"www.corp.example"))
GOOD_SAN = san(dns(b"www.corp.example"))


def csr(key, subject=GOOD_NAME, exts=(GOOD_SAN,), version=integer(0),
        attrs=None, spki=None, alg=None, signature=None):
    if attrs is None:
        attrs = tlv(0xa0, attribute(EXT_REQ, seq(*exts)) if exts else b"")
    info = seq(version, subject, spki or key.spki(), attrs)
    return seq(info, alg or key.alg, bits(signature or key.sign(info)))


def case(file_name, expected, der):
    assert file_name not in cases
    cases[file_name] = expected
    with open(os.path.join(HERE, file_name + ".der"), "wb") as f:
        f.write(der)


ec = Ec(P256)
p521 = Ec(P521)
rsa = Rsa([prime(1024), prime(1024)])


def well_formed():
    case("good-p256", "-", csr(ec))
    case("good-p521", "-", csr(p521))
    case("good-rsa-2048", "-", csr(rsa))
    case("good-no-extensions", "-", csr(ec, exts=()))
    case("good-empty-subject", "-", csr(ec, subject=name()))
    case("fact-ca-true", "-",
         csr(ec, exts=(GOOD_SAN, ext(BC, seq(TRUE), TRUE))))
    upn = tlv(0xa0, oid("1.3.6.1.4.1.311.20.2.3"),
              tlv(0xa0, tlv(12, b"alice@corp.example")))
    case("fact-other-name-upn", "-", csr(ec, exts=(san(upn),)))
    case("fact-unknown-extension", "-",
         csr(ec, exts=(GOOD_SAN, ext("1.2.3.4", NULL, TRUE))))


def structure():
    good = csr(ec)
    body = good[4 if good[1] == 0x82 else 3:]
    case("trailing-octet", "CSR_MALFORMED", good + b"\0")
    case("truncated", "CSR_MALFORMED", good[:-1])
    case("empty", "CSR_MALFORMED", b"")
    case("length-indefinite", "CSR_MALFORMED",
         b"\x30\x80" + body + b"\0\0")
    case("length-not-minimal", "CSR_MALFORMED",
         b"\x30\x83" + len(body).to_bytes(3, "big") + body)
    case("version-5", "CSR_MALFORMED", csr(ec, version=integer(5)))
    case("version-minus-1", "CSR_MALFORMED", csr(ec, version=integer(-1)))
    case("version-not-minimal", "CSR_MALFORMED",
         csr(ec, version=tlv(2, b"\0\0")))
    case("attributes-absent", "CSR_MALFORMED", csr(ec, attrs=b""))
    case("too-large", "CSR_TOO_LARGE",
         csr(ec, subject=name(rdn(CN, b"a" * 17000))))
    deep = NULL
    for _ in range(500):
        deep = seq(deep)
    case("attribute-nested-500-deep", "CSR_ATTRIBUTE",
         csr(ec, attrs=tlv(0xa0, attribute("1.2.3", deep))))
    deep = b"\x30\x80" * 5000 + b"\0\0" * 5000
    case("attribute-nested-5000-deep", "CSR_TOO_LARGE",
         csr(ec, attrs=tlv(0xa0, attribute("1.2.3", deep))))
    case("attribute-challenge-password", "CSR_ATTRIBUTE",
         csr(ec, attrs=tlv(0xa0, attribute("1.2.840.113549.1.9.7",
                                           tlv(12, b"secret")))))
    case("attribute-microsoft", "CSR_ATTRIBUTE",
         csr(ec, attrs=tlv(0xa0, attribute(EXT_REQ, seq(GOOD_SAN)),
                           attribute(MS_EXT_REQ, seq(
                               san(dns(b"other.example")))))))
    case("extension-request-twice", "CSR_DUPLICATE",
         csr(ec, attrs=tlv(0xa0, attribute(EXT_REQ, seq(GOOD_SAN)),
                           attribute(EXT_REQ, seq(
                               san(dns(b"other.example")))))))
    case("extension-request-two-values", "CSR_EXTENSION",
         csr(ec, attrs=tlv(0xa0, attribute(EXT_REQ, seq(GOOD_SAN),
                                           seq(GOOD_SAN)))))


def subjects():
    def refused(file_name, *rdns):
        case(file_name, "CSR_SUBJECT", csr(ec, subject=name(*rdns)))

    refused("cn-nul", rdn(CN, b"good.example\0.evil"))
    refused("cn-newline", rdn(CN, b"good.example\nevil"))
    refused("cn-bmp-string",
            rdn(CN, "www.corp.example".encode("utf-16-be"), 0x1e))
    refused("cn-t61-string", rdn(CN, b"www.corp.example", 0x14))
    refused("cn-universal-string",
            rdn(CN, "www.corp.example".encode("utf-32-be"), 0x1c))
    refused("cn-invalid-utf8", rdn(CN, b"caf\xe9"))
    refused("cn-overlong-utf8", rdn(CN, b"\xc0\xaf"))
    refused("cn-empty", rdn(CN, b""))
    refused("cn-65-characters", rdn(CN, b"a" * 65))
    refused("printable-with-at", rdn(CN, b"a@b", 0x13))
    refused("rdns-17",
            *[rdn(O, b"a%d" % i) for i in range(17)])
    refused("rdn-of-two-attributes",
            set_of(seq(oid(CN), tlv(12, b"a")), seq(oid(O), tlv(12, b"b"))))
    case("rdns-3000", "CSR_TOO_LARGE",
         csr(ec, subject=name(*[rdn(O, b"a")] * 3000)))


def names():
    def refused(file_name, *items):
        case(file_name, "CSR_SAN", csr(ec, exts=(san(*items),)))

    refused("san-dns-nul", dns(b"good.example\0.evil.example"))
    refused("san-dns-empty", dns(b""))
    refused("san-dns-empty-label", dns(b"a..example"))
    refused("san-dns-64-octet-label", dns(b"a" * 64 + b".example"))
    refused("san-dns-254-octets", dns(b".".join([b"a" * 62] * 4) + b".aa"))
    refused("san-dns-space", dns(b"a b.example"))
    refused("san-dns-u-label", dns("b\u00fccher.example".encode()))
    refused("san-dns-wildcard-inside", dns(b"a.*.example"))
    refused("san-uri-crlf", tlv(0x86, b"http://a.example/\r\nX: y"))
    refused("san-ip-5-octets", tlv(0x87, b"\x0a\0\0\1\1"))
    refused("san-ip-mapped", tlv(0x87, b"\0" * 10 + b"\xff\xff\x0a\0\0\1"))
    refused("san-email-no-at", tlv(0x81, b"alice"))
    refused("san-empty")
    refused("san-101-names", *[dns(b"n%d.example" % i) for i in range(101)])
    refused("san-x400", tlv(0xa3, seq()))
    case("san-5000-names", "CSR_TOO_LARGE",
         csr(ec, exts=(san(*[dns(b"n%d.example" % i)
                             for i in range(5000)]),)))
    case("san-twice", "CSR_DUPLICATE", csr(ec, exts=(GOOD_SAN, GOOD_SAN)))


def extensions():
    def refused(file_name, *exts):
        case(file_name, "CSR_EXTENSION", csr(ec, exts=(GOOD_SAN,) + exts))

    refused("boolean-01", ext(BC, seq(tlv(1, b"\1"))))
    refused("critical-01", ext(KU, tlv(3, b"\7\x80"), tlv(1, b"\1")))
    refused("critical-false", ext(KU, tlv(3, b"\7\x80"), tlv(1, b"\0")))
    refused("key-usage-empty", ext(KU, tlv(3, b"\0")))
    refused("key-usage-not-minimal", ext(KU, tlv(3, b"\0\x80\0")))
    refused("ext-key-usage-empty", ext(EKU, seq()))
    refused("ext-key-usage-twice", ext(EKU, seq(
        oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.1"))))
    refused("constraints-negative-path", ext(BC, seq(TRUE, integer(-1))))
    refused("oid-33-octets", ext(tlv(6, b"\x2a" + b"\x81" * 31 + b"\1"),
                                 NULL))
    refused("oid-not-minimal", ext(tlv(6, b"\x2a\x80\1"), NULL))
    case("extensions-empty", "CSR_EXTENSION",
         csr(ec, attrs=tlv(0xa0, attribute(EXT_REQ, seq()))))
    case("oid-60000-octets", "CSR_TOO_LARGE",
         csr(ec, exts=(ext(tlv(6, b"\x2a" + b"\1" * 60000), NULL),)))


def keys():
    def refused(file_name, **how):
        case(file_name, "CSR_KEY", csr(ec, **how))

    def rsa_spki(n, e):
        return seq(seq(oid("1.2.840.113549.1.1.1"), NULL),
                   bits(seq(integer(n), integer(e))))

    x, y = ec.q
    prefix = bytes([2 + y % 2])
    p = P256
    field = seq(oid("1.2.840.10045.1.1"), integer(p.p))
    explicit = seq(integer(1), field,
                   seq(tlv(4, (p.p - 3).to_bytes(32, "big")),
                       tlv(4, p.b.to_bytes(32, "big"))),
                   tlv(4, ec.point(p.g)), integer(p.n), integer(1))
    refused("ec-explicit-parameters", spki=ec.spki(params=explicit))
    refused("ec-compressed-point",
            spki=ec.spki(point=prefix + x.to_bytes(32, "big")))
    refused("ec-off-curve", spki=ec.spki(point=ec.point((x, y ^ 1))))
    refused("ec-infinity", spki=ec.spki(point=b"\0"))
    refused("ec-secp256k1", spki=ec.spki(params=oid("1.3.132.0.10")))
    refused("key-dsa", spki=seq(seq(oid("1.2.840.10040.4.1"), NULL),
                                bits(integer(5))))
    small = Rsa([prime(512), prime(512)])
    case("rsa-1024", "CSR_KEY", csr(small))
    case("rsa-2047", "CSR_KEY", csr(Rsa([prime(1024), prime(1023)])))
    case("rsa-e-1", "CSR_KEY", csr(rsa, spki=rsa_spki(rsa.n, 1)))
    case("rsa-e-3", "CSR_KEY", csr(rsa, spki=rsa_spki(rsa.n, 3)))
    case("rsa-e-even", "CSR_KEY", csr(rsa, spki=rsa_spki(rsa.n, 65538)))
    case("rsa-e-3000-bits", "CSR_KEY",
         csr(rsa, spki=rsa_spki(rsa.n, rng.getrandbits(3000) | 1)))
    case("rsa-16384", "CSR_KEY",
         csr(rsa, spki=rsa_spki(rng.getrandbits(16384) | 1 | 1 << 16383,
                                65537)))
    case("rsa-negative", "CSR_KEY", csr(rsa, spki=rsa_spki(-rsa.n, 65537)))
    case("rsa-even-modulus", "CSR_KEY",
         csr(rsa, spki=rsa_spki(rsa.n - 1, 65537)))


def signatures():
    case("signature-broken", "CSR_SIGNATURE",
         csr(ec, signature=ec.sign(b"something else")))
    case("signature-of-another-key", "CSR_SIGNATURE",
         csr(Ec(P256), spki=ec.spki()))
    for file_name, key, alg in (
            ("md5-rsa", rsa, seq(oid("1.2.840.113549.1.1.4"), NULL)),
            ("sha1-rsa", rsa, seq(oid("1.2.840.113549.1.1.5"), NULL)),
            ("sha1-ecdsa", ec, seq(oid("1.2.840.10045.4.1"))),
            ("rsa-pss", rsa, seq(oid("1.2.840.113549.1.1.10"), seq())),
            ("rsa-algorithm-ec-key", ec, Rsa.SHA256)):
        case("algorithm-" + file_name, "CSR_ALGORITHM", csr(key, alg=alg))


def infineon():
    """A prime as the ROCA library made it: k * M + 65537^a mod M."""
    primes = [n for n in range(2, 702) if is_prime(n)][:126]
    m = 1
    for p in primes:
        m *= p
    shift = 1024 - m.bit_length()
    while True:
        p = (rng.getrandbits(shift) | 3 << shift - 2) * m
        p += pow(65537, rng.getrandbits(200), m)
        if p.bit_length() == 1024 and p >> 1022 == 3 and is_prime(p):
            return p


def weak_keys():
    p = prime(1024)
    case("weak-fermat", "weak:fermat",
         csr(Rsa([p, prime(1024, near=p + (3 << 515))])))
    q = prime(1008)
    case("weak-small-factor", "weak:small-factors",
         csr(Rsa([65521, q, prime(1026 - 2)])))
    case("weak-roca", "weak:roca", csr(Rsa([infineon(), infineon()])))


def typed():
    """Values of types that have an alphabet or a form of their own."""
    def directory(file_name, expected, *rdns):
        case(file_name, expected,
             csr(ec, exts=(san(tlv(0xa4, name(*rdns))),)))

    directory("fact-directory-name", "-", rdn(O, b"Example Corp"),
              rdn(CN, b"a, b"))
    directory("san-directory-empty", "CSR_SAN")
    directory("san-directory-bmp-string", "CSR_SAN",
              rdn(CN, "www".encode("utf-16-be"), 0x1e))
    directory("san-directory-newline", "CSR_SAN", rdn(CN, b"a\nb"))
    directory("san-directory-two-attributes", "CSR_SAN",
              set_of(seq(oid(CN), tlv(12, b"a")), seq(oid(O), tlv(12, b"b"))))
    case("fact-registered-id", "-",
         csr(ec, exts=(san(tlv(0x88, oid("1.2.3.4")[2:])),)))
    case("san-registered-id-not-minimal", "CSR_SAN",
         csr(ec, exts=(san(tlv(0x88, b"\x2a\x80\x01")),)))
    for file_name, kind, value in (
            ("country-of-one-letter", "2.5.4.6", b"D"),
            ("country-not-printable", "2.5.4.6", "\u00c4\u00d6".encode()),
            ("serial-number-not-printable", "2.5.4.5", b"a@b")):
        case(file_name, "CSR_SUBJECT",
             csr(ec, subject=name(rdn(kind, value))))


def main():
    for make in (well_formed, structure, subjects, names, extensions, keys,
                 signatures, weak_keys, typed):
        make()
    with open(os.path.join(HERE, "expected"), "w", encoding="ascii") as f:
        for file_name, expected in cases.items():
            f.write(f"{file_name} {expected}\n")


if __name__ == "__main__":
    main()
