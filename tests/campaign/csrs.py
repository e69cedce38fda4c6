"""Corpora of CSRs for a campaign: good ones, known pitfalls, names of the
real world, and mutations of them all."""
import base64
import glob
import ipaddress
import os
import random
import re

import cryptography_vectors
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.lib import der

EXTENSION_REQUEST = bytes.fromhex("06092a864886f70d01090e")


def tlv(tag, content):
    n = len(content)
    if n < 0x80:
        return bytes([tag, n]) + content
    size = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content


def request(key, subject, extensions):
    """A signed CSR with this Name and these Extensions, as they are."""
    spki = key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)
    attributes = b""
    if extensions:
        attributes = tlv(0x30, EXTENSION_REQUEST + tlv(0x31, extensions))
    info = tlv(0x30, b"\x02\x01\x00" + subject + spki +
               tlv(0xA0, attributes))
    signature = key.sign(info, ec.ECDSA(hashes.SHA256(), True))
    return tlv(0x30, info + bytes.fromhex("300a06082a8648ce3d040302") +
               tlv(0x03, b"\x00" + signature))


def from_certificate(key, certificate):
    """Subject and extensions of a certificate as a request; None: it has no
    such parts."""
    try:
        fields = der.children(der.children(certificate)[0])
        first = 1 if fields[0][0] == 0xA0 else 0
        subject = fields[first + 4]
        extensions = [f for f in fields if f[0] == 0xA3]
        return request(key, subject, der.content(extensions[0])
                       if extensions else b"")
    except IndexError:
        return None


def from_certificates(key, directory):
    """A CSR for each certificate of a directory of PEM files."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, "**", "*.pem"),
                                 recursive=True)):
        with open(path, encoding="latin-1") as f:
            block = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END",
                              f.read(), re.S)
        if block is None:
            continue
        csr = from_certificate(key, base64.b64decode(block.group(1)))
        if csr is not None:
            found.append((os.path.basename(path), csr))
    return found


def vectors(directory):
    """Our own corpus of pitfalls."""
    found = []
    for path in sorted(glob.glob(os.path.join(directory, "*.der"))):
        with open(path, "rb") as f:
            found.append((os.path.basename(path), f.read()))
    return found


def pyca_vectors(key):
    """The requests of cryptography-vectors, and such of its certificates."""
    directory = os.path.join(os.path.dirname(cryptography_vectors.__file__),
                             "x509")
    found = vectors(os.path.join(directory, "requests"))
    for path in sorted(glob.glob(os.path.join(directory, "requests",
                                              "*.pem"))):
        with open(path, encoding="latin-1") as f:
            block = re.search(r"-----BEGIN [A-Z ]*REQUEST-----(.*?)-----END",
                              f.read(), re.S)
        if block is not None:
            found.append((os.path.basename(path),
                          base64.b64decode(block.group(1))))
    found += from_certificates(key, directory)
    for path in sorted(glob.glob(os.path.join(directory, "PKITS_data",
                                              "certs", "*.crt"))):
        with open(path, "rb") as f:
            csr = from_certificate(key, f.read())
        if csr is not None:
            found.append((os.path.basename(path), csr))
    return found


def rich(key):
    """Requests that use what there is."""
    names = [
        x509.DNSName("a.example"), x509.DNSName("*.b.example"),
        x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.UniformResourceIdentifier("spiffe://td.example/ns/a"),
        x509.RFC822Name("joe@example.com"),
        x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"),
                       b"\x0c\x03joe"),
        x509.DirectoryName(x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "joe")]))]
    subject = x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Z\u00fcrich AG"),
        x509.NameAttribute(NameOID.COMMON_NAME, "a.example"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "joe@example.com")])
    usage = x509.KeyUsage(True, False, True, False, False, False, False,
                          False, False)
    others = [
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.BasicConstraints(True, 3), True),
        (x509.TLSFeature([x509.TLSFeatureType.status_request]), False),
        (x509.CertificatePolicies([x509.PolicyInformation(
            x509.ObjectIdentifier("1.2.3"), None)]), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"),
                                    b"\x04\x01x"), False)]
    found = []
    for i, chosen in enumerate((others, others[:3], others[3:], [])):
        b = x509.CertificateSigningRequestBuilder(subject)
        b = b.add_extension(x509.SubjectAlternativeName(names), False)
        for extension, critical in chosen:
            b = b.add_extension(extension, critical)
        csr = b.sign(key, hashes.SHA256(), ecdsa_deterministic=True)
        found.append((f"rich-{i}", csr.public_bytes(
            serialization.Encoding.DER)))
    return found


class Node:
    """One element, and what is in it if that reads as elements too."""

    def __init__(self, tag, content, depth=0):
        self.tag = tag
        self.content = content
        self.children = None
        self.prefix = b""
        inside = content
        if tag == 0x03 and content[:1] == b"\x00":
            self.prefix, inside = b"\x00", content[1:]
        if depth < 20 and (tag & 0x20 or tag in (0x03, 0x04)):
            self.children = parse_all(inside, depth + 1)

    def encode(self):
        if self.children is None:
            return tlv(self.tag, self.content)
        return tlv(self.tag, self.prefix +
                   b"".join(c if isinstance(c, bytes) else c.encode()
                            for c in self.children))


def parse_all(data, depth=0):
    """The elements of data, or None when it is not made of them."""
    nodes, at = [], 0
    while at < len(data):
        try:
            tag, start, end = der.element(data, at)
        except IndexError:
            return None
        if end > len(data) or tag & 0x1F == 0x1F or data[at + 1] == 0x80:
            return None
        nodes.append(Node(tag, data[start:end], depth))
        at = end
    return nodes


def walk(node, found):
    for i, child in enumerate(node.children or []):
        if isinstance(child, Node):
            found.append((node, i))
            walk(child, found)
    return found


def has_large_arc(data):
    """Is there an OID with a first subidentifier of 120 or more (2.40)?"""
    nodes = parse_all(data)
    if not nodes:
        return False
    return any(p.children[i].tag in (0x06, 0x88) and
               p.children[i].content[:1] >= b"\x78"
               for p, i in walk(nodes[0], []))


TAGS = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0C, 0x13, 0x14, 0x16, 0x1E,
        0x24, 0x30, 0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0x88, 0xA0, 0xA3,
        0xA4, 0xA5)
BYTES = (0x00, 0x01, 0x0A, 0x20, 0x2A, 0x2E, 0x40, 0x7F, 0x80, 0x81, 0xC0,
         0xFF)


def long_form(rng, data):
    """The element with a length that is longer than it needs to be."""
    _, start, end = der.element(data)
    size = (end - start).to_bytes(rng.choice((2, 3, 4)), "big")
    return data[:1] + bytes([0x80 | len(size)]) + size + data[start:end]


def indefinite(data):
    _, start, end = der.element(data)
    return data[:1] + b"\x80" + data[start:end] + b"\x00\x00"


def mutate_content(rng, data):
    data = bytearray(data)
    kind = rng.randrange(5)
    at = rng.randrange(len(data) + 1)
    if kind == 0 and data:
        data[at % len(data)] ^= 1 << rng.randrange(8)
    elif kind == 1 and data:
        data[at % len(data)] = rng.choice(BYTES)
    elif kind == 2:
        data[at:at] = bytes(rng.choice(BYTES)
                            for _ in range(rng.randint(1, 3)))
    elif kind == 3:
        del data[at:at + rng.randint(1, 3)]
    else:
        data = data[:at] if rng.random() < 0.5 else bytearray()
    return bytes(data)


def mutate_tree(rng, data):
    """One element changed, and every length around it made right."""
    nodes = parse_all(data)
    if not nodes:
        return mutate_content(rng, data)
    places = walk(nodes[0], [])
    if not places:
        return mutate_content(rng, data)
    parent, i = rng.choice(places)
    node = parent.children[i]
    kind = rng.randrange(9)
    if kind == 0:
        node.tag = rng.choice(TAGS)
    elif kind == 1:
        parent.children.insert(i, node)
    elif kind == 2:
        del parent.children[i]
    elif kind == 3:
        j = rng.randrange(len(parent.children))
        parent.children[i], parent.children[j] = (parent.children[j],
                                                  parent.children[i])
    elif kind == 4:
        parent.children[i] = long_form(rng, node.encode())
    elif kind == 5 and node.tag & 0x20:
        parent.children[i] = indefinite(node.encode())
    elif kind == 6:
        parent.children.insert(i, bytes([rng.choice(TAGS), 0]))
    else:
        whole = node.encode()
        _, start, _ = der.element(whole)
        parent.children[i] = tlv(node.tag, mutate_content(rng,
                                                          whole[start:]))
    return nodes[0].encode()


def mutations(seeds, count, seed):
    rng = random.Random(seed)
    found = []
    for i in range(count):
        name, data = rng.choice(seeds)
        for _ in range(rng.choice((1, 1, 1, 2))):
            change = mutate_content if rng.random() < 0.2 else mutate_tree
            data = change(rng, data)
        found.append((f"{name}~{i}", data))
    return found


def make_key():
    """The same in every run, and so are the signatures (RFC 6979)."""
    return ec.derive_private_key(20261124, ec.SECP256R1())
