#!/usr/bin/env python3
"""GnuTLS over what we write: `make check-plans`.

issuer/tbs_oracle_test leaves some of its random plans as JSON beside their
certificates; certtool reads each certificate, and the whole of its text, from
the serial to the last extension, must be what the plan says.

    check_plans.py CERTTOOL DIR
"""
import glob
import ipaddress
import json
import os
import subprocess
import sys
import time

ATTRIBUTES = {
    "2.5.4.3": "CN", "2.5.4.4": "surName", "2.5.4.5": "serialNumber",
    "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street",
    "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title",
    "2.5.4.42": "givenName", "2.5.4.46": "dnQualifier",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
    "1.2.840.113549.1.9.1": "EMAIL"}
USAGES = ("Digital signature.", "Non repudiation.", "Key encipherment.",
          "Data encipherment.", "Key agreement.", "Certificate signing.",
          "CRL signing.", "Key encipher only.", "Key decipher only.")
# GnuTLS prints the usages in an order of its own; they are compared as a set.
PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "TLS WWW Server.",
    "1.3.6.1.5.5.7.3.2": "TLS WWW Client.",
    "1.3.6.1.5.5.7.3.4": "Email protection.", "2.5.29.37.0": "Any purpose."}
POLICIES = {"2.23.140.1.2.1": "2.23.140.1.2.1 (CA/B Domain Validated)"}


def oid(text):
    """Content octets in hexadecimal to the dotted form."""
    arcs, value = [], 0
    for octet in bytes.fromhex(text):
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def text(value):
    return bytes.fromhex(value).decode()


def escape(value):
    """RFC 4514 2.4."""
    out = "".join("\\" + c if c in ',+"\\<>;' else c for c in value)
    if out[:1] in ("#", " "):
        out = "\\" + out
    if value.endswith(" ") and len(value) > 1:
        out = out[:-1] + "\\ "
    return out


def subject(plan):
    """RFC 4514 begins with the last RDN."""
    parts = []
    for hexadecimal, value in reversed(plan["subject"]):
        dotted = oid(hexadecimal)
        if dotted in ATTRIBUTES:
            parts.append(f"{ATTRIBUTES[dotted]}={escape(value)}")
        else:
            der = bytes([12, len(value.encode())]) + value.encode()
            parts.append(f"{dotted}=#{der.hex()}")
    return ",".join(parts)


def address(value):
    octets = bytes.fromhex(value)
    if len(octets) == 4:
        return ".".join(map(str, octets))

    return str(ipaddress.IPv6Address(octets))


def name(entry):
    kind, content = entry["kind"], entry["content"]
    if kind == "ip":
        return "IPAddress: " + address(content)
    if kind == "directory":
        # SEQUENCE, SET, SEQUENCE, OID of a common name: 13 octets before it.
        return "directoryName: CN=" + bytes.fromhex(content)[13:].decode()
    if kind == "other":
        return "User Principal Name: " + bytes.fromhex(content)[2:].decode()
    if kind == "registered_id":
        return "Registered ID: " + oid(content)
    words = {"dns": "DNSname: ", "uri": "URI: ", "email": "RFC822Name: "}
    return words[kind] + text(content)


def date(seconds):
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(seconds))


def access(plan):
    lines = []
    for member, dotted, word in (
            ("ocsp_urls", "1.3.6.1.5.5.7.48.1", "id-ad-ocsp"),
            ("ca_issuers_urls", "1.3.6.1.5.5.7.48.2", "id-ad-caIssuers")):
        for url in plan[member]:
            lines += [f"Access Method: {dotted} ({word})",
                      f"Access Location URI: {text(url)}"]
    return lines


def further(extension):
    """(title, lines) of an extension of the plan's own."""
    dotted = oid(extension["oid"])
    if dotted == "1.3.6.1.5.5.7.1.24":
        return "TLS Features", ["OCSP Status Request(5)"]
    return "Unknown extension " + dotted, ["Hexdump: " + extension["value"]]


def expected(plan, crl):
    """{title: (critical, lines)} of what certtool has to print."""
    found = {"Authority Key Identifier": (False, [plan["aki"]]),
             "Subject Key Identifier": (False, [plan["ski"]])}
    constraints = [f"Certificate Authority (CA): {str(plan['ca']).upper()}"]
    if plan["path_len"] >= 0:
        constraints.append(f"Path Length Constraint: {plan['path_len']}")
    found["Basic Constraints"] = (True, constraints)
    if plan["key_usage"]:
        found["Key Usage"] = (plan["key_usage_critical"], sorted(
            w for i, w in enumerate(USAGES) if plan["key_usage"] >> i & 1))
    lists = (("Key Purpose", plan["ext_key_usage_critical"],
              [PURPOSES.get(oid(o), oid(o)) for o in plan["ext_key_usage"]]),
             ("Subject Alternative Name", not plan["subject"],
              [name(n) for n in plan["names"]]),
             ("Certificate Policies", False,
              [POLICIES.get(oid(o), oid(o)) for o in plan["policies"]]),
             ("CRL Distribution points", False,
              [f"URI: {text(u)}" for u in plan["crl_urls"]] or crl),
             ("Authority Information Access", False, access(plan)))
    for title, critical, lines in lists:
        if lines:
            found[title] = (critical, lines)
    for extension in plan["extensions"]:
        title, lines = further(extension)
        found[title] = (extension["critical"], lines)
    return found


def parse(out):
    """certtool's text: {field: value}, {title: (critical, lines)}."""
    fields, found, title = {}, {}, None
    for line in out.split("\n"):
        if line.startswith("\tSignature Algorithm:"):
            break
        if line.startswith("\t\t\t") and title:
            if not line.startswith("\t\t\tASCII: "):
                found[title][1].append(line[3:])
        elif line.startswith("\t\t") and line.endswith("critical):"):
            title, _, word = line[2:].rpartition(" (")
            found[title] = (word == "critical):", [])
        elif ": " in line:
            field, _, value = line.lstrip("\t").partition(": ")
            fields[field] = value
    if "Key Usage" in found:
        found["Key Usage"][1].sort()
    return fields, found


def check(certtool, path):
    with open(path, encoding="utf-8") as f:
        plan = json.load(f)
    done = subprocess.run(
        [certtool, "--inder", "--certificate-info", "--infile",
         path[:-4] + "der"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [f"certtool: exit {done.returncode}: {done.stderr}"]
    fields, found = parse(done.stdout)
    # The shard of a CRL is the serial's, which another test computes.
    crl = []
    if not plan["crl_urls"] and not plan["no_rev_avail"]:
        crl = found.get("CRL Distribution points", (0, ["none"]))[1]
        if not crl[0].startswith("URI: http://crl.corp.example/default/"):
            return [f"CRL: {crl}"]
    want = {"Version": "3", "Serial Number (hex)": plan["serial"],
            "Issuer": "CN=Example CA 1,O=Example",
            "Not Before": date(plan["not_before"]),
            "Not After": date(plan["not_after"])}
    if plan["subject"]:
        want["Subject"] = subject(plan)
    wrong = [f"{k}: {fields.get(k)!r}, planned {v!r}"
             for k, v in want.items() if fields.get(k) != v]
    wanted = expected(plan, crl)
    for title in sorted(wanted.keys() | found.keys()):
        if wanted.get(title) != found.get(title):
            wrong.append(f"{title}: {found.get(title)}, planned "
                         f"{wanted.get(title)}")
    return wrong


def main():
    certtool, directory = sys.argv[1:]
    paths = sorted(glob.glob(os.path.join(directory, "*.json")))
    bad = 0
    for path in paths:
        wrong = check(certtool, path)
        bad += bool(wrong)
        for line in wrong:
            print(f"{path}: {line}")
    # A plan that is not the certificate's must be seen.
    with open(paths[0], encoding="utf-8") as f:
        plan = json.load(f)
    plan["not_after"] += 1
    planted = os.path.join(directory, "planted.json")
    with open(planted, "w", encoding="utf-8") as f:
        json.dump(plan, f)
    os.link(paths[0][:-4] + "der", planted[:-4] + "der")
    if not check(certtool, planted):
        print("check-plans: a planted difference is not seen")
        bad += 1
    print(f"check-plans: certtool read {len(paths)} certificates, {bad} "
          f"differ from their plans")
    return 1 if bad or len(paths) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
