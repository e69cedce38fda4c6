"""Other systems' policies, judged by their documented rules: the oracles of
tests/e2e/import_test.py, written from those rules and not from our code.

A request is what a native policy's test has as `request`: names in their
canonical form. Each judge answers whether the foreign system would let such a
certificate out; each maker draws a random policy, and requests that are near
to what it allows.
"""
import ipaddress
import json
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
    rules = rule.get("validations") or []
    # The one rule that is drawn says that there are no stars.
    if rules and any("*" in v for v in values):
        return False
    return bool(patterns or rules) and (not patterns or all(
        any(glob(p, v) for p in patterns) for v in values))


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


def crp_document(spec, n=0):
    return json.dumps({
        "apiVersion": "policy.cert-manager.io/v1alpha1",
        "kind": "CertificateRequestPolicy",
        "metadata": {"name": f"policy-{n}"}, "spec": spec})


def step_document(policy, _n=0):
    return json.dumps({"policy": {"x509": policy}})


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
        if globs is DNS_GLOBS and random.random() < 0.2:
            made["validations"] = [{"rule": random.choice(
                ["!self.contains('*')", '! self.startsWith("*.")'])}]
            if random.random() < 0.2:
                del made["values"]
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


# -- step-ca -----------------------------------------------------------------

def step_zone(rule):
    return rule[1:] if rule.startswith("*.") else rule


def step_host(host, rule, wildcards):
    """A rule with a star is one label and the zone."""
    if host.startswith("*.") and not wildcards:
        return False
    labels, want = host.lower().split("."), rule.lower().split(".")
    if want[0] == "*":
        return len(labels) == len(want) and labels[1:] == want[1:]
    return labels == want


def step_email(address, rule):
    local, _, host = address.partition("@")
    rule = rule.lower().removeprefix("@")
    if "@" in rule:
        want, _, zone = rule.partition("@")
        return local == want and host.lower() == zone
    return host.lower() == rule


def uri_host(uri):
    found = re.match(r"[^:]*://([^/?#]*)", uri)
    return re.sub(r":\d*$", "", found[1].rpartition("@")[2]) if found else ""


def is_ip(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


class Refused(Exception):
    """A name that cannot be matched at all is refused."""


def step_matches(kind, value, rule, wildcards):
    if kind == "dns":
        return step_host(value, rule, wildcards)
    if kind == "ip":
        return ipaddress.ip_address(value) in ipaddress.ip_network(
            rule, strict=False)
    if kind == "email":
        return step_email(value, rule)
    if kind == "cn":
        return value.lower() == rule.lower()
    host = uri_host(value)
    if not host or is_ip(host):
        raise Refused
    return step_host(host, rule, wildcards)


def step_name(policy, kind, value):
    """Denials first; then one of those allowed, where any is."""
    allow, deny = policy.get("allow", {}), policy.get("deny", {})
    good, bad = allow.get(kind, []), deny.get(kind, [])
    if not good and not bad and any(allow.values()) and kind != "cn":
        return False
    wild = policy.get("allowWildcardNames", False)
    try:
        if any(step_matches(kind, value, r, wild) for r in bad):
            return False
        return not good or any(step_matches(kind, value, r, wild)
                               for r in good)
    except Refused:
        return False


def step_approves(policy, request):
    allow, deny = policy.get("allow", {}), policy.get("deny", {})
    if not any(allow.values()) and not any(deny.values()):
        return True
    for kind in ("dns", "ip", "email", "uri"):
        if not all(step_name(policy, kind, v) for v in request.get(kind, [])):
            return False
    name = request.get("subject", {}).get("commonName")
    if name is None:
        return True
    if (allow.get("cn") or deny.get("cn")) and step_name(policy, "cn", name):
        return True
    if is_ip(name):
        return step_name(policy, "ip", name)
    if "@" in name:
        return is_email(name) and step_name(policy, "email", name)
    return is_dns(name.lower()) and step_name(policy, "dns", name.lower())


STEP_RULES = {
    "dns": ["*.example.com", "www.example.com", "example.com", "host",
            "*.a.example.com", "admin.example.com", "*.Example.NET"],
    "ip": ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/16", "fd00::/16", "fd00::1",
           "192.168.0.0/24"],
    "email": ["@example.com", "example.net", "bob@example.com",
              "Admin@example.com"],
    "uri": ["www.example.com", "*.example.com", "cluster.local"],
    "cn": ["My Service", "www.example.com", "admin.example.com", "Bob"],
}
STEP_VALUES = {
    "dns": ["www.example.com", "example.com", "a.b.example.com", "host",
            "*.example.com", "x.a.example.com", "admin.example.com",
            "*.a.example.com", "a.example.net", "other.example.org",
            "b.example.com"],
    "ip": ["10.1.2.3", "10.2.0.1", "11.0.0.1", "fd00::1", "fd01::1",
           "192.168.0.7", "10.1.9.9"],
    "email": ["bob@example.com", "alice@example.com", "x@example.net",
              "admin@example.com", "Bob@example.com", "x@a.example.com"],
    "uri": ["https://www.example.com/x", "spiffe://cluster.local/ns/a",
            "https://a.example.com:8443/", "https://user@b.example.com/?q=1",
            "urn:x", "https://10.0.0.1/", "https://other.example.org",
            "https://a.b.example.com/"],
}
STEP_NAMES = ["My Service", "my service", "www.example.com", "Bob", "Evil Inc",
              "admin.example.com", "bob@example.com", "10.1.2.3",
              "*.example.com", "a.b.example.com", "host"]


def step(random):
    """A random x509 policy."""
    made = {}
    for side, chance in (("allow", 0.5), ("deny", 0.25)):
        rules = {k: some(random, v, 1, 2) for k, v in STEP_RULES.items()
                 if random.random() < chance * (0.5 if k == "cn" else 1)}
        if rules:
            made[side] = rules
    if random.random() < 0.5:
        made["allowWildcardNames"] = random.random() < 0.7
    return made


def step_request(random, policy):
    request = {}
    for kind, values in STEP_VALUES.items():
        listed = kind in policy.get("allow", {}) or \
            kind in policy.get("deny", {})
        if random.random() < (0.5 if listed else 0.15):
            request[kind] = some(random, values, 1, 2)
    if random.random() < 0.5:
        request["subject"] = {"commonName": random.choice(STEP_NAMES)}
    return request


# -- Vault -------------------------------------------------------------------

def vault_name(role, name):
    """validateNames: what a DNS name or an address has to be."""
    reduced, is_mail = name, "@" in name
    if is_mail:
        reduced = name.split("@")[1]
    wild = reduced.startswith("*.")
    if wild:
        if is_mail or not role.get("allow_wildcard_certificates", True):
            return False
        reduced = reduced[2:]
    if role.get("allow_any_name"):
        return True
    below = role.get("allow_subdomains", False)
    if role.get("allow_localhost", True):
        if reduced in ("localhost", "localdomain"):
            return True
        if below and reduced.endswith((".localhost", ".localdomain")):
            return True
    for domain in role.get("allowed_domains", []):
        fold = domain.lower()
        if role.get("allow_bare_domains") and (
                name.lower() == fold or (is_mail and reduced == fold)):
            return True
        if below and (reduced.endswith("." + fold) or
                      (wild and reduced == fold)):
            return True
        if role.get("allow_glob_domains") and "*" in domain and \
                glob(fold_host(domain) if is_mail else fold, name):
            return True
    return False


def vault_signs(role, request):
    subject = request.get("subject", {})
    name = subject.get("commonName")
    if name is None:
        if role.get("require_cn", True):
            return False
    else:
        # It is judged as a common name, and as the name that it becomes.
        kinds = role.get("cn_validations") or ["email", "hostname"]
        kind = "email" if "@" in name else "hostname"
        if kinds != ["disabled"] and kind not in kinds:
            return False
        if not (is_email(name) or is_dns(name) or is_ip(name)) or \
                not vault_name(role, name):
            return False
        # It becomes a DNS name there, and what it is here, as is told.
        if is_ip(name) and not role.get("allow_ip_sans", True):
            return False
    if not all(vault_name(role, n) for n in
               request.get("dns", []) + request.get("email", [])):
        return False
    if request.get("ip") and not role.get("allow_ip_sans", True):
        return False
    if not all(any(glob(fold_host(p), u)
                   for p in role.get("allowed_uri_sans", []))
               for u in request.get("uri", [])):
        return False
    for other in request.get("other_name", []):
        rules = [r.partition(";") for r in role.get("allowed_other_sans", [])]
        if not any(oid == other["oid"] and
                   glob(rest.partition(":")[2], other["value"])
                   for oid, _, rest in rules):
            return False
    serial = subject.get("serialNumber")
    if serial is not None and not any(
            glob(p, serial) for p in role.get("allowed_serial_numbers", [])):
        return False
    alg, _, size = request.get("key", "EC P-256").partition(" ")
    kind, bits = role.get("key_type", "rsa"), role.get("key_bits", 0)
    actual = int(size.removeprefix("P-") or 0)
    if kind == "any":
        return True
    return {"rsa": "RSA", "ec": "EC", "ed25519": "Ed25519"}[kind] == alg and \
        (alg == "Ed25519" or actual >= bits)


VAULT_DOMAINS = ["example.com", "Example.NET", "*.example.org", "www.example.com",
                 "bob@example.com", "ftp*.example.com", "*", "a.example.com",
                 "*@example.com", "*.*.example.com", ""]
VAULT_NAMES = ["example.com", "www.example.com", "a.b.example.com",
               "*.example.com", "*.a.example.com", "example.net",
               "a.example.net", "localhost", "x.localhost", "*.localhost",
               "localdomain", "x.example.org", "*.example.org",
               "ftp1.example.com", "other.test", "a.example.com",
               "b.a.example.com", "example.org"]
VAULT_EMAILS = ["bob@example.com", "alice@example.com", "x@a.example.com",
                "x@example.net", "x@localhost", "x@b.localhost", "x@other.test",
                "x@www.example.com", "x@x.example.org"]
VAULT_URIS = ["spiffe://example.com/*", "*", "https://www.example.com/",
              "urn:*", "*/admin"]


def vault(random):
    """A random role; half of the flags are absent."""
    role = {"allowed_domains": some(random, VAULT_DOMAINS, 0, 3)}
    for flag, chance in (
            ("allow_bare_domains", 0.6), ("allow_subdomains", 0.5),
            ("allow_glob_domains", 0.4), ("allow_any_name", 0.1),
            ("allow_localhost", 0.5), ("allow_wildcard_certificates", 0.6),
            ("allow_ip_sans", 0.5), ("require_cn", 0.4),
            ("server_flag", 0.7), ("enforce_hostnames", 0.7)):
        if random.random() < 0.7:
            role[flag] = random.random() < chance
    if random.random() < 0.3:
        role["cn_validations"] = random.choice(
            [["email"], ["hostname"], ["email", "hostname"]])
    if random.random() < 0.4:
        role["allowed_uri_sans"] = some(random, VAULT_URIS, 1, 2)
    if random.random() < 0.2:
        role["allowed_other_sans"] = some(
            random, ["1.3.6.1.4.1.311.20.2.3;utf8:*@example.com",
                     "1.2.3.4;UTF-8:a*", "1.3.6.1.4.1.311.20.2.3;UTF8:x"], 1)
    if random.random() < 0.3:
        role["allowed_serial_numbers"] = some(random, ["12*", "7", "*"], 1, 2)
    if random.random() < 0.7:
        role["key_type"] = random.choice(["rsa", "ec", "ed25519", "any"])
        if role["key_type"] in ("rsa", "ec"):
            role["key_bits"] = random.choice(
                [0, 2048, 3072, 4096] if role["key_type"] == "rsa"
                else [0, 224, 256, 384, 521])
    if random.random() < 0.3:
        role["organization"] = ["Example Corp"]
    role["max_ttl"] = random.choice([3600, "72h", 86400 * 30])
    role["ttl"] = random.choice([0, 3600, "1h"])
    return role


def vault_request(random, role):
    request = {}
    if random.random() < 0.7:
        request["dns"] = some(random, VAULT_NAMES, 1, 2)
    if random.random() < 0.3:
        request["email"] = some(random, VAULT_EMAILS, 1, 2)
    if random.random() < 0.2:
        request["ip"] = ["10.0.0.1"]
    if random.random() < 0.2:
        request["uri"] = [random.choice(
            ["spiffe://example.com/a", "https://www.example.com/", "urn:x",
             "https://x.example/admin"])]
    if random.random() < 0.1:
        request["other_name"] = [{
            "oid": random.choice(["1.3.6.1.4.1.311.20.2.3", "1.2.3.4"]),
            "value": random.choice(["bob@example.com", "abc", "x"])}]
    subject = {}
    if random.random() < 0.8:
        subject["commonName"] = random.choice(
            VAULT_NAMES + VAULT_EMAILS[:4] + ["Some Service", "10.0.0.1"])
    if random.random() < 0.1:
        subject["serialNumber"] = random.choice(["7", "123", "9"])
    if random.random() < 0.2:
        subject["organization"] = "Acme"
    if subject:
        request["subject"] = subject
    if random.random() < 0.4:
        request["duration"] = random.choice(["1h", "200h", "9000h"])
    kind = role.get("key_type", "rsa")
    request["key"] = random.choice(
        {"rsa": ["RSA 2048", "RSA 4096"], "ec": ["EC P-256", "EC P-384"],
         "ed25519": ["Ed25519"], "any": ["EC P-256", "RSA 2048"]}[kind] * 4 +
        ["EC P-521", "RSA 3072", "Ed25519"])
    return request
