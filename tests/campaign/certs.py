"""Certificates for a campaign: what real houses issue, by their policies.

Every house is a whole installation of the program; requests go in over
HTTPS. The CSRs come from a seeded generator and are made by pyca/cryptography
where openssl(1) would be too slow. A corpus is a directory of PEM files, each
certificate in one of its own, with the file of its issuer.
"""
import ipaddress
import os
import random
import re
import shutil

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from tests.lib.house import Failure, House

# Kinds of CA keys, each with the other options of `init`.
CAS = {
    "p256": ("--key", "ec-p256", "--crl-url", "http://crl.corp.example/"),
    "p384": ("--key", "ec-p384"),
    "rsa": ("--key", "rsa-3072", "--crl-url", "http://crl.corp.example/"),
    "ed25519": ("--key", "ed25519", "--single-tier"),
}

EC = ("p256", "p384")
SIGN = ["digital signature"]


def make_keys():
    """One key of each kind that the default policy takes."""
    keys = {"p256": ec.generate_private_key(ec.SECP256R1()),
            "p384": ec.generate_private_key(ec.SECP384R1()),
            "ed25519": ed25519.Ed25519PrivateKey.generate()}
    for bits in (2048, 3072, 4096):
        keys[f"rsa{bits}"] = rsa.generate_private_key(65537, bits)
    return keys


def make_csr(key, names, subject=()):
    """A CSR (PEM) for GeneralNames and (OID, text) attributes."""
    b = x509.CertificateSigningRequestBuilder(x509.Name(
        [x509.NameAttribute(oid, text) for oid, text in subject]))
    if names:
        b = b.add_extension(x509.SubjectAlternativeName(names),
                            critical=not subject)
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else (
        hashes.SHA256())
    return b.sign(key, digest).public_bytes(
        serialization.Encoding.PEM).decode()


def dns(*names):
    return [x509.DNSName(n) for n in names]


def ip(*texts):
    return [x509.IPAddress(ipaddress.ip_address(t)) for t in texts]


class Corpus:
    """The certificates of a campaign, on disk."""

    def __init__(self, directory):
        self.directory = directory
        self.rows = []  # (path of the certificate, of its issuer, what it is)
        os.makedirs(directory, exist_ok=True)

    def add(self, pem, issuer, what):
        """One certificate; its path. issuer None: it is self-signed."""
        path = os.path.join(self.directory, f"{len(self.rows):05}.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(pem)
        self.rows.append((path, issuer or path, what))
        return path


def pems(text):
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?"
                      r"-----END CERTIFICATE-----\n", text, re.S)


def add_cas(corpus, path):
    """The CA certificates of a chain file; the path of the issuing one."""
    with open(path, encoding="ascii") as f:
        chain = pems(f.read())
    above = None
    for pem in reversed(chain):
        above = corpus.add(pem, above, f"CA of {path}")
    return above


def draw_label(rng, longest=63):
    ends = "abcdefghijklmnopqrstuvwxyz0123456789"
    n = rng.choice((1, 2, 3, 8, 20, longest))
    text = "".join(rng.choice(ends + "-") for _ in range(n))
    text = rng.choice(ends) + text[1:-1] + rng.choice(ends) if n > 1 else (
        rng.choice(ends))
    # "--" in places 3 and 4 is reserved for A-labels (RFC 5890 2.3.1).
    return text.replace("--", "-x")[:n]


def draw_dns(rng, zone="example"):
    name = ".".join([draw_label(rng) for _ in range(rng.randint(1, 3))])
    wild = "*." if rng.random() < 0.2 else ""
    return wild + name + "." + zone


def draw_ip(rng):
    if rng.random() < 0.5:
        return str(ipaddress.IPv4Address(rng.getrandbits(32)))
    return str(ipaddress.IPv6Address((0x20010db8 << 96) |
                                     rng.getrandbits(96)))


def draw_names(rng):
    names = []
    for n in {draw_dns(rng) for _ in range(rng.choice((0, 1, 1, 2, 5, 20)))}:
        names += dns(n)
    for n in {draw_ip(rng) for _ in range(rng.choice((0, 0, 1, 3)))}:
        names += ip(n)
    return names or dns(draw_dns(rng))


def draw_usages(rng, kind):
    """Usages that the default policy takes and that the key can serve."""
    if rng.random() < 0.3:
        return None
    usages = list(SIGN)
    if kind.startswith("rsa") and rng.random() < 0.5:
        usages.append("key encipherment")
    if kind in EC and rng.random() < 0.3:
        usages.append("key agreement")
    return usages + rng.choice((["server auth"], ["client auth"],
                                ["server auth", "client auth"]))


def draw_request(rng, keys):
    """(CSR, fields) that the default policy issues."""
    kind = rng.choice(list(keys))
    names = draw_names(rng)
    subject = []
    common = [n.value for n in names if isinstance(n, x509.DNSName) and
              len(n.value) <= 64]
    if common and rng.random() < 0.5:
        subject = [(NameOID.COMMON_NAME, rng.choice(common))]
    fields = {"duration": f"{rng.randint(5, 90 * 24 * 60)}m"}
    usages = draw_usages(rng, kind)
    if usages:
        fields["usages"] = usages
    return make_csr(keys[kind], names, subject), fields


def fixed_requests(keys):
    """The corners that a generator seldom meets."""
    long = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])
    wide = dns(*[f"h{i}.corp.example" for i in range(100)])
    punycode = dns("xn--bcher-kva.example", "*.xn--bcher-kva.example")
    for kind, key in keys.items():
        yield make_csr(key, dns("www.corp.example"),
                       [(NameOID.COMMON_NAME, "www.corp.example")]), {}
        yield make_csr(key, dns("www.corp.example")), {"duration": "90d"}
        yield make_csr(key, ip("10.0.0.1")), {"duration": "5m"}
        yield make_csr(key, ip("2001:db8::1", "::1")), {}
        yield make_csr(key, wide), {}
        yield make_csr(key, dns(long)), {}
        yield make_csr(key, punycode), {}
        yield make_csr(key, dns("*.corp.example", "corp.example")), {}
        if kind.startswith("rsa"):
            yield make_csr(key, dns("k.corp.example")), {
                "usages": ["digital signature", "key encipherment",
                           "server auth"]}


def example_requests(keys):
    """(CSR, fields) for each example, as its own tests have them."""
    web = [(NameOID.COMMON_NAME, "www.shop.example")]
    shop = {"tier": "web", "team": "shop"}
    for kind in EC:
        key = keys[kind]
        yield make_csr(key, dns("www.shop.example", "shop.corp.example"),
                       web), {
            "namespace": "shop-prod", "namespace_labels": shop}
        yield make_csr(key, dns("*.shop.example", "shop.example")), {
            "namespace": "ingress-shop", "namespace_labels": shop}
        yield make_csr(key, dns("www.shop.corp.example",
                                "*.shop.corp.example")), {
            "requester": {"username": "alice", "groups": ["web-admins"]}}
        yield make_csr(key, dns("a.vm.corp.example") + ip("10.20.3.4"),
                       [(NameOID.ORGANIZATION_NAME, "Acme"),
                        (NameOID.COMMON_NAME, "a.vm.corp.example")]), {
            "duration": "365d",
            "usages": SIGN + ["server auth", "client auth"],
            "requester": {"username": "vm", "groups": ["vm-pipeline"]}}
    yield make_csr(keys["p256"], [x509.UniformResourceIdentifier(
        "spiffe://prod.example/ns/shop/sa/cart")]), {
            "issuer": "mesh", "duration": "1h",
            "requester": {"username": "system:serviceaccount:shop:cart"}}
    for kind, key in keys.items():
        encipher = ["key encipherment"] if kind.startswith("rsa") else []
        yield make_csr(key, dns("A.example", "*.b.example") + ip("10.0.0.1"), [
            (NameOID.COUNTRY_NAME, "CH"), (NameOID.ORGANIZATION_NAME, "A"),
            (NameOID.COMMON_NAME, "a.example")]), {
                "issuer": "migration", "duration": "365d",
                "usages": SIGN + encipher + ["server auth"]}


PURPOSES = {  # and key usages that RFC 5280 4.2.1.12 has for them
    "server auth": (), "client auth": (), "code signing": (),
    "email protection": ("content commitment",), "1.3.6.1.4.1.99999.5": ()}


def draw_wide(rng, keys):
    """(CSR, fields) that the policy `wide` issues."""
    kind = rng.choice(list(keys))
    names = draw_names(rng)
    for text in ("spiffe://td.example/ns/a", "https://corp.example:8443/x?y"):
        if rng.random() < 0.3:
            names.append(x509.UniformResourceIdentifier(text))
    if rng.random() < 0.2:
        names.append(x509.DirectoryName(x509.Name([x509.NameAttribute(
            NameOID.COMMON_NAME, "Joe")])))
    if rng.random() < 0.2:
        names.append(x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")))
    if rng.random() < 0.2:
        names.append(x509.OtherName(
            x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"),
            b"\x0c\x10joe@corp.example"))
    purposes = rng.sample(list(PURPOSES), rng.randint(1, 2))
    usages = list(SIGN)
    for purpose in purposes:
        usages += [u for u in PURPOSES[purpose] if u not in usages]
    if "email protection" in purposes or rng.random() < 0.2:
        names.append(x509.RFC822Name("joe@corp.example"))
    subject = [(NameOID.COUNTRY_NAME, "CH"),
               (NameOID.STATE_OR_PROVINCE_NAME, "Z\u00fcrich"),
               (NameOID.LOCALITY_NAME, "Z\u00fcrich"),
               (NameOID.ORGANIZATION_NAME, "Example Corp"),
               (NameOID.ORGANIZATIONAL_UNIT_NAME, "\u6771\u4eac"),
               (NameOID.SERIAL_NUMBER, "A-1 (7)")]
    subject = [a for a in subject if rng.random() < 0.5]
    common = [n.value for n in names if isinstance(n, x509.DNSName) and
              len(n.value) <= 64]
    if common and rng.random() < 0.5:
        subject.append((NameOID.COMMON_NAME, rng.choice(common)))
    return make_csr(keys[kind], names, subject), {
        "duration": f"{rng.randint(1, 397)}d", "usages": usages + purposes,
        "requester": {"username": "w", "groups": ["wide"]}}


def wide_requests(rng, keys, count):
    """For tests/campaign/wide.yaml: all fields, short lives, CAs."""
    for _ in range(count):
        yield draw_wide(rng, keys)
    for key in (key for kind, key in keys.items() if kind != "p521"):
        yield make_csr(key, dns("s.corp.example")), {
            "requester": {"username": "s", "groups": ["short"]}}
        yield make_csr(key, [], [
            (NameOID.COUNTRY_NAME, "CH"),
            (NameOID.ORGANIZATION_NAME, "Example Corp"),
            (NameOID.COMMON_NAME, "Example Issuing CA")]), {
            "isCA": True, "requester": {"username": "c", "groups": ["cas"]}}


# What the issuer's ceiling has to allow for it.
WIDE_CEILING = (
    ('ext_key_usage: ["server auth", "client auth"]',
     'ext_key_usage: ["server auth", "client auth", "code signing", '
     '"email protection", "1.3.6.1.4.1.99999.5"]'),
    ("permitted_kinds: []",
     "permitted_kinds: [other_name, directory_name, registered_id]"),
    ("ca: false", "ca: true"))


def wide_house(corpus, rng, keys, count):
    """All that a policy can decide on, under a CA that may certify CAs."""
    with House(CAS["p384"]) as house:
        house.cli("ca", "create", "wide", "--self-signed", "--key",
                  "ec-p256", "--path-len", "1")
        path = os.path.join(house.dir, "countersign.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        head, _, stanza = text.partition('- name: "wide"')
        for old, new in WIDE_CEILING:
            if old not in stanza:
                raise Failure(f"no `{old}` in\n{stanza}")
            stanza = stanza.replace(old, new)
        with open(path, "w", encoding="utf-8") as f:
            f.write(head + '- name: "wide"' + stanza)
        here = os.path.dirname(os.path.abspath(__file__))
        shutil.copy(os.path.join(here, "wide.yaml"),
                    os.path.join(house.dir, "policies"))
        chain = os.path.join(house.dir, "issuers", "wide", "chain.pem")
        issuer = {"wide": add_cas(corpus, chain)}
        house.start()
        house.client_add("campaign", "submit", "approve", "gateway")
        house.cli("policy", "apply")
        requests = [(csr, {**fields, "issuer": "wide"})
                    for csr, fields in wide_requests(rng, keys, count)]
        policies = submit_all(house, corpus, issuer, requests, "wide")
        house.stop()
    return policies


def names_of(directory):
    """The policies of a directory of documents."""
    found = set()
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), encoding="utf-8") as f:
            found.update(re.findall(r"^metadata: *\{name: ([a-z0-9-]+)",
                                    f.read(), re.M))
    return found


def put_examples(house, directory):
    """The examples beside the default policy.

    They are written for what comes from Kubernetes; requests of the API have
    the source `api`, so that one word is another here.
    """
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), encoding="utf-8") as f:
            text = f.read()
        path = os.path.join(house.dir, "policies", name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("source: kubernetes", "source: api"))


def submit_all(house, corpus, issuer, requests, what):
    """Submit each, keep its certificate; a refusal ends the campaign."""
    policies = {}
    for csr, fields in requests:
        answer = house.submit("campaign", csr, **fields)
        if answer.status != 201:
            raise Failure(f"{what}: {answer.status} "
                          f"{answer.body.decode()}\n{fields}\n{csr}")
        policy = answer.json["policy"]["name"]
        policies[policy] = policies.get(policy, 0) + 1
        corpus.add(pems(answer.json["certificate"])[0],
                   issuer[fields.get("issuer", "default")],
                   f"{what}: {policy} {fields}")
    return policies


def add_issuer(house, name, donor):
    """A second issuer, with the CA of another installation."""
    there = os.path.join(donor.dir, "issuers", "default")
    with open(os.path.join(house.dir, "countersign.yaml"), "a",
              encoding="utf-8") as f:
        f.write(f"""  - name: "{name}"
    chain: "{there}/chain.pem"
    key: "{there}/key.pem"
    self_approval: true
    no_policy: refuse
    ceiling:
      max_validity: 398d
      ext_key_usage: ["server auth", "client auth"]
""")


def house_of(corpus, options, requests, what):
    """One installation: its CA, its listener, and what it issues."""
    with House(options) as house:
        chain = os.path.join(house.dir, "issuers", "default", "chain.pem")
        issuer = {"default": add_cas(corpus, chain)}
        house.start()
        with open(os.path.join(house.dir, "tls", "chain.pem"),
                  encoding="ascii") as f:
            corpus.add(pems(f.read())[0], issuer["default"],
                       f"{what}: _listener")
        house.client_add("campaign", "submit", "approve", "gateway")
        policies = submit_all(house, corpus, issuer, requests, what)
        house.stop()
    policies["_listener"] = 1
    return policies


def examples_house(corpus, keys, directory):
    """The examples in force, each under the issuer that it is for."""
    with House(CAS["p256"]) as house, House(CAS["p384"]) as donor, \
            House(CAS["rsa"]) as other:
        add_issuer(house, "mesh", donor)
        add_issuer(house, "migration", other)
        put_examples(house, directory)
        issuer = {n: add_cas(corpus, os.path.join(
            h.dir, "issuers", "default", "chain.pem"))
            for n, h in (("default", house), ("mesh", donor),
                         ("migration", other))}
        house.start()
        house.client_add("campaign", "submit", "approve", "gateway")
        house.cli("policy", "apply")
        policies = submit_all(house, corpus, issuer, example_requests(keys),
                              "examples")
        house.stop()
    return policies


def make(directory, seed, count, examples):
    """A corpus of `count` random certificates and the fixed ones."""
    rng = random.Random(seed)
    keys = make_keys()
    corpus = Corpus(directory)
    policies = {}
    parts = [house_of(corpus, options, [
        *fixed_requests(keys),
        *[draw_request(rng, keys) for _ in range(count // len(CAS))]], ca)
        for ca, options in CAS.items()]
    parts.append(examples_house(corpus, keys, examples))
    keys["p521"] = ec.generate_private_key(ec.SECP521R1())
    parts.append(wide_house(corpus, rng, keys, count // 2))
    for part in parts:
        for name, n in part.items():
            policies[name] = policies.get(name, 0) + n
    without = names_of(examples) - policies.keys()
    if without:
        raise Failure(f"no certificate by {sorted(without)}")
    return corpus, policies
