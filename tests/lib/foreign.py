"""Other systems' policies, judged by their documented rules: the oracles of
tests/e2e/import_test.py, written from those rules and not from our code.

A request is what a native policy's test has as `request`: names in their
canonical form. Each judge answers whether the foreign system would let such a
certificate out; each maker draws a random policy, and requests that are near
to what it allows.
"""
import ipaddress
import re

LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
DNS = re.compile(rf"(\*\.)?({LABEL}\.)*(?!\d+$){LABEL}")


def is_dns(name):
    return len(name) <= 253 and DNS.fullmatch(name) is not None


def is_email(name):
    local, at, host = name.partition("@")
    return bool(at) and is_dns(host) and host[0] != "*" and re.fullmatch(
        r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*",
        local) is not None and len(local) <= 64


def is_uri(name):
    found = re.fullmatch(r"[a-z][a-z0-9+.-]*:(//([^/?#]*))?(.*)", name)
    if not found or not re.fullmatch(
            r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]+", name):
        return False
    if name.count("#") > 1 or name.endswith(":"):
        return False
    if found[1] is None:
        return True
    return re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", found[2]) is not None


def reads_in_one_way(uri):
    """No segment that is empty, `.` or `..` (RFC 3986 5.2.4)."""
    path = re.sub(r"^[a-z0-9+.-]+:(//[^/?#]*)?", "", uri)
    segments = re.split(r"[?#]", path)[0].split("/")
    return not any(s in (".", "..") for s in segments) and \
        "" not in segments[1:-1]


# -- approver-policy ---------------------------------------------------------

WORDS = ["signing", "digital signature", "content commitment",
         "key encipherment", "key agreement", "data encipherment",
         "cert sign", "crl sign", "encipher only", "decipher only", "any",
         "server auth", "client auth", "code signing", "email protection",
         "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user",
         "timestamping", "ocsp signing", "microsoft sgc", "netscape sgc"]
SAME = [{"signing", "digital signature"}, {"email protection", "s/mime"}]
SUBJECT = {"organizations": "organization", "countries": "country",
           "organizationalUnits": "organizationalUnit",
           "localities": "locality", "provinces": "stateOrProvince",
           "streetAddresses": "streetAddress", "postalCodes": "postalCode"}
NAMES = {"dnsNames": "dns", "ipAddresses": "ip", "uris": "uri",
         "emailAddresses": "email"}
DAY = 86400


def glob(pattern, text):
    """`*` is any characters, also none; there is nothing else."""
    return re.fullmatch("".join(".*" if c == "*" else re.escape(c)
                                for c in pattern), text, re.S) is not None


def seconds(duration):
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(n) * units[u]
               for n, u in re.findall(r"(\d+)([hms])", duration))


def slice_allowed(rule, values, fold=lambda s: s):
    """evaluateSlice: all of the values, or none where none is required."""
    rule = rule or {}
    if not values:
        return not rule.get("required", False)
    patterns = [fold(p) for p in rule.get("values") or []]
    return bool(patterns) and all(any(glob(p, v) for p in patterns)
                                  for v in values)


def fold_host(name):
    """An address or a URI with its host in lower case, as it is issued."""
    if "://" in name:
        found = re.match(r"[^/?#]*//[^/?#*]*", name)
        at = found.end() if found else 0
        return name[:at].lower() + name[at:]
    if "@" in name:
        local, _, host = name.partition("@")
        return local + "@" + host.lower()
    return name


def as_list(value):
    return value if isinstance(value, list) else [] if value is None \
        else [value]


def usage_allowed(patterns, word):
    """One of the words that a certificate cannot tell apart is enough."""
    same = next((s for s in SAME if word in s), {word})
    return any(glob(p, w) for p in patterns for w in same)


def key_allowed(rule, key):
    alg, _, size = key.partition(" ")
    bits = {"P-256": 256, "P-384": 384, "P-521": 521, "": -1}.get(size)
    bits = int(size) if bits is None else bits
    want = {"RSA": "RSA", "ECDSA": "EC", "Ed25519": "Ed25519"}
    return (("algorithm" not in rule or want[rule["algorithm"]] == alg) and
            ("minSize" not in rule or bits >= rule["minSize"]) and
            ("maxSize" not in rule or bits <= rule["maxSize"]))


def crp_approves(spec, request):
    allowed = spec.get("allowed") or {}
    limits = spec.get("constraints") or {}
    subject = request.get("subject", {})
    rules = allowed.get("subject") or {}
    if not slice_allowed(
            {"values": as_list((allowed.get("commonName") or {}).get("value")),
             "required": (allowed.get("commonName") or {}).get("required")},
            as_list(subject.get("commonName"))):
        return False
    folds = {"dns": str.lower, "uri": fold_host, "email": fold_host}
    if not all(slice_allowed(allowed.get(n), request.get(k, []),
                             folds.get(k, lambda s: s))
               for n, k in NAMES.items()):
        return False
    if not all(slice_allowed(rules.get(n), as_list(subject.get(k)))
               for n, k in SUBJECT.items()):
        return False
    if request.get("is_ca") and not allowed.get("isCA"):
        return False
    if not all(usage_allowed(allowed.get("usages") or [], w)
               for w in request.get("usages", [])):
        return False
    # A request without a duration is judged by what it is given.
    low = seconds(limits["minDuration"]) if "minDuration" in limits else 1
    high = seconds(limits["maxDuration"]) if "maxDuration" in limits \
        else 36500 * DAY
    asked = seconds(request["duration"]) if "duration" in request \
        else min(max(90 * DAY, low), high)
    return low <= asked <= high and \
        key_allowed(limits.get("privateKey") or {},
                    request.get("key", "EC P-256"))


DNS_GLOBS = ["*.example.com", "*", "www.example.com", "*.a.example.com",
             "*example.com", "w*.example.com", "*.*.example.com", "a*b*.*",
             "**.example.net", "WWW.Example.ORG", "*-prod.example.com",
             "*.x_y.example", "host", "*.com", "*w.example.com", "x.*"]
IP_GLOBS = ["10.*", "10.1.*", "10.1.2.*", "10.0.0.1", "*", "fd00:*",
            "fd00:1:*", "fd00::1", "10.1.2.3*", "*.1", "192.168.*.1",
            "fd00:1:2:3:4:5:6:*", "1*", "fd00::*"]
URI_GLOBS = ["spiffe://cluster.local/ns/*/sa/*", "*", "https://*",
             "spiffe://Cluster.Local/ns/shop/*", "spiffe://*/sa/web",
             "https://www.example.com/", "urn:*", "*/admin",
             "spiffe://cluster.local/ns/shop/sa/web"]
EMAIL_GLOBS = ["*@example.com", "*@*.example.com", "*", "bob@example.com",
               "b*@example.com", "*.example.com", "Bob@*", "*bob*",
               "*@EXAMPLE.com", "*@*"]
TEXT_GLOBS = ["Acme*", "*", "Acme Inc", "*GmbH", "A*e*", "DE", "D*"]


def some(random, items, low=0, high=3):
    return random.sample(items, random.randint(low, min(high, len(items))))


def crp(random):
    """A random spec of a CertificateRequestPolicy."""
    def rule(globs):
        made = {"values": some(random, globs, 1)}
        if random.random() < 0.25:
            made["required"] = True
        return made
    allowed = {}
    for name, globs in zip(NAMES, (DNS_GLOBS, IP_GLOBS, URI_GLOBS,
                                   EMAIL_GLOBS)):
        if random.random() < (0.9 if name == "dnsNames" else 0.4):
            allowed[name] = rule(globs)
    if random.random() < 0.5:
        allowed["commonName"] = {"value": random.choice(DNS_GLOBS +
                                                        TEXT_GLOBS)}
        if random.random() < 0.3:
            allowed["commonName"]["required"] = True
    subject = {n: rule(TEXT_GLOBS) for n in SUBJECT if random.random() < 0.15}
    if subject:
        allowed["subject"] = subject
    if random.random() < 0.3:
        allowed["isCA"] = random.random() < 0.7
    if random.random() < 0.8:
        allowed["usages"] = some(random, WORDS + ["*", "*auth", "digital*"])
    spec = {"allowed": allowed, "selector": {"issuerRef": {}}}
    limits = {}
    if random.random() < 0.3:
        limits["minDuration"] = random.choice(["1h", "20s", "48h", "90m"])
    if random.random() < 0.5:
        limits["maxDuration"] = random.choice(["48h", "2160h", "1000h30m"])
    if random.random() < 0.4:
        key = {}
        if random.random() < 0.7:
            key["algorithm"] = random.choice(["RSA", "ECDSA", "Ed25519"])
        if key.get("algorithm") != "Ed25519":
            if random.random() < 0.5:
                key["minSize"] = random.choice([0, 256, 384, 2048])
            if random.random() < 0.5:
                key["maxSize"] = random.choice([384, 521, 3072, 8192])
        limits["privateKey"] = key
    if limits:
        spec["constraints"] = limits
    return spec


FILL = ["", "a", "www", "x.y", "shop", "*", "b-1", "0", "ns/x", "..", "A",
        "10", "3", "1.2"]


def near(random, pattern):
    """A text that the glob takes, or nearly."""
    text = "".join(random.choice(FILL) if c == "*" else c for c in pattern)
    if random.random() < 0.2 and text:
        at = random.randrange(len(text))
        text = text[:at] + random.choice(["", "x", ".", "-"]) + \
            text[at + random.randint(0, 1):]
    return text


def near_ip(random, patterns):
    text = near(random, random.choice(patterns))
    if random.random() < 0.6:
        text = random.choice(
            ["10.1.2.3", "10.0.0.1", "10.1.2.30", "11.1.2.3", "100.1.2.3",
             "fd00::1", "fd00:1::5", "fd00:1:2::", "fd01::1", "192.168.7.1",
             "fd00:1:2:3:4:5:6:0", "fd00:1:2:3:4:5:6:7", "fd00:10::1"])
    try:
        made = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(made, "ipv4_mapped", None)
    return None if mapped else str(made)


def near_names(random, patterns, valid, default):
    text = near(random, random.choice(patterns or default))
    if valid is not is_email:
        text = text if valid is is_uri else text.lower()
    text = fold_host(text)
    return text if valid(text) else None


def crp_request(random, spec):
    """A request that is near to what the policy allows."""
    allowed = spec["allowed"]
    request = {}
    for name, kind in NAMES.items():
        if name not in allowed and random.random() < 0.9:
            continue
        patterns = (allowed.get(name) or {}).get("values")
        for _ in range(random.choice([0, 1, 1, 1, 2])):
            if kind == "ip":
                made = near_ip(random, patterns or IP_GLOBS)
            else:
                made = near_names(random, patterns, {
                    "dns": is_dns, "uri": is_uri, "email": is_email}[kind], {
                    "dns": DNS_GLOBS, "uri": URI_GLOBS,
                    "email": EMAIL_GLOBS}[kind])
            if made and made not in request.get(kind, []):
                request.setdefault(kind, []).append(made)
    subject = {}
    cn = allowed.get("commonName")
    if random.random() < (0.8 if cn else 0.1):
        made = near(random, cn["value"] if cn else "x").lower() \
            if random.random() < 0.5 else random.choice(
                ["Acme Inc", "www.example.com", "DE", "a.b.example.com"])
        if 0 < len(made) <= 64:
            subject["commonName"] = made
    for name, kind in SUBJECT.items():
        if random.random() < (0.8 if name in (allowed.get("subject") or {})
                              else 0.03):
            subject[kind] = random.choice(
                ["DE", "FR"] if kind == "country" else
                ["Acme", "Acme Inc", "Acme GmbH", "Evil", "DE", "Axe"])
    if subject:
        request["subject"] = subject
    if random.random() < 0.6:
        request["usages"] = some(random, [
            w for w in WORDS if usage_allowed(allowed.get("usages") or [], w)
        ] or WORDS, 1) + ([random.choice(WORDS)] if random.random() < 0.1
                          else [])
    if random.random() < 0.15:
        request["is_ca"] = random.random() < 0.7
    if random.random() < 0.4:
        request["duration"] = random.choice(
            ["1h", "24h", "48h", "1h30m", "2160h", "10m", "3000h", "30s"])
    request["key"] = random.choice(["EC P-256"] * 4 + [
        "EC P-384", "EC P-521", "RSA 2048", "RSA 3072", "RSA 4096",
        "Ed25519"])
    return request
