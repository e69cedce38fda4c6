#!/usr/bin/env python3
"""Two foreign linters over what this program issues: `make check-certs`.

Certificates of real houses (tests/campaign/certs.py) and their CAs go through
zlint, with all its lints, and through pkilint's lint_pkix_cert and its lint
of a certificate together with its issuer. An error, a fatal finding, a
certificate that a linter did not read, or a linter that is not there ends
this with a status other than 0; warnings are listed and counted.

    check_certs.py ZLINT PYTHON-WITH-PKILINT [COUNT [SEED]]
"""
import collections
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from tests.campaign import certs  # noqa: E402
from tests.lib.house import Failure  # noqa: E402

# What is right for an organization's own CA though a linter calls it an error,
# and why. A code that is not here ends the campaign; so does one of a
# finding whose words do not have the pattern.
WEB = "of the public web's CAs: "
WAIVED = {
    # Requirements of the CA/Browser Forum for CAs in browsers' root programs.
    "e_ca_country_name_missing": ("", WEB + "a CA here has O and CN"),
    "e_ca_organization_name_missing": (
        "", WEB + "`ca create` takes the CN that it is given"),
    "e_invalid_ca_certificate_policies": ("", WEB + "their policy OIDs"),
    "e_sub_ca_certificate_policies_missing": ("", WEB + "their policy OIDs"),
    "e_sub_cert_cert_policy_empty": ("", WEB + "their policy OIDs"),
    "e_sub_cert_certificate_policies_missing": (
        "", WEB + "their policy OIDs"),
    "e_sub_ca_crl_distribution_points_missing": (
        "", WEB + "the root here is offline and has no CRL"),
    "e_missing_crl_distrib_point": (
        "", WEB + "an installation without --crl-url has no CRL"),
    "e_sub_cert_aia_missing": ("", WEB + "the default has no AIA"),
    "e_dnsname_not_valid_tld": ("", WEB + "names here are private"),
    "e_ext_san_contains_reserved_ip": ("", WEB + "addresses are private"),
    "e_ext_san_uniform_resource_identifier_present": (
        "", WEB + "SPIFFE IDs are URIs"),
    "e_server_cert_valid_time_longer_than_200_days": (
        "", WEB + "an example copies what cert-manager asks for"),
    "e_organizational_unit_name_prohibited": (
        "", WEB + "an example sets one"),
    "e_invalid_subject_rdn_order": (
        "", WEB + "the policy decides on the order"),
    "e_sub_cert_country_name_must_appear": (
        "", WEB + "an organization alone is enough"),
    "e_sub_cert_locality_name_must_appear": (
        "", WEB + "an organization alone is enough"),
    "e_sub_cert_province_must_appear": (
        "", WEB + "an organization alone is enough"),
    "e_algorithm_identifier_improper_encoding": (
        "300506032b6570", WEB + "no Ed25519"),
    "e_signature_algorithm_not_supported": ("", WEB + "no Ed25519"),
    # pkilint takes RFC 1034's host names and URLs of the web alone.
    "pkix.invalid_domain_name_syntax": (
        r': "\*\.[a-z0-9-]+(\.[a-z0-9-]+)+"$',
        "RFC 5280 4.2.1.6 leaves wildcards to others, RFC 9525 6.3 has them"),
    "pkix.invalid_uri_syntax": (
        r': "spiffe://[a-z0-9.-]+(/[a-z0-9]+)+"$',
        "RFC 3986 3.1: every scheme is one"),
}

# The policy of the campaign itself (wide.yaml) sets all that there is to set,
# also what no server of the web may have; of its certificates zlint's lints
# of these sources are waived, and no other.
WEB_SOURCES = {"CABF_BR", "CABF_EV", "CABF_CS_BR", "CABF_SMIME_BR", "Apple",
               "Chrome", "Mozilla"}

Finding = collections.namedtuple(
    "Finding", "linter code severity text file")


def run(argv, text=None):
    """A linter's output; that it cannot run is a failure."""
    try:
        done = subprocess.run(argv, input=text, capture_output=True,
                              text=True, check=False)
    except OSError as e:
        raise Failure(f"NOT RUN: {argv[0]}: {e.strerror}") from e
    if done.returncode != 0:
        raise Failure(f"NOT RUN: {argv[0]}: exit {done.returncode}\n"
                      f"{done.stderr[-2000:]}")
    return done.stdout


def sources(path):
    """{lint: whose it is}, of zlint."""
    return {d["name"]: d["source"] for d in map(
        json.loads, run([path, "-list-lints-json"]).splitlines())}


def zlint(path, corpus):
    """Its findings, and how many lints it applied."""
    source = sources(path)
    wide = {file for file, _, what in corpus.rows if what.startswith("wide: ")}
    files = [row[0] for row in corpus.rows]
    lines = run([path, *files]).splitlines()
    if len(lines) != len(files):
        raise Failure(f"zlint read {len(lines)} of {len(files)}")
    found, applied = [], 0
    for file, line in zip(files, lines):
        for code, result in json.loads(line).items():
            word = result["result"]
            applied += word not in ("NA", "NE")
            if file in wide and source[code] in WEB_SOURCES:
                continue
            if word in ("info", "warn", "error", "fatal"):
                found.append(Finding("zlint", code, word,
                                     result.get("details", ""), file))
    return found, applied


def pkilint(python, corpus):
    text = "".join(f"{file} {issuer}\n" for file, issuer, _ in corpus.rows)
    lines = run([python, os.path.join(HERE, "lint_pkix.py")],
                text).splitlines()
    last = json.loads(lines.pop())
    if last != {"certificates": len(corpus.rows)}:
        raise Failure(f"pkilint read {last} of {len(corpus.rows)}")
    words = {"FATAL": "fatal", "ERROR": "error", "WARNING": "warn",
             "NOTICE": "info", "INFO": "info", "DEBUG": "info"}
    return [Finding(d["linter"], d["code"], words[d["severity"]], d["text"],
                    d["file"]) for d in map(json.loads, lines)]


def is_waived(finding):
    pattern, _ = WAIVED.get(finding.code, ("(?!)", ""))
    return re.search(pattern, finding.text) is not None


def report(found, corpus):
    """Print what was found; the number that must be 0."""
    what = {file: text for file, _, text in corpus.rows}
    groups = collections.defaultdict(list)
    for f in found:
        groups[f.severity, f.linter, f.code].append(f)
    bad = 0
    for word in ("fatal", "error", "warn", "info"):
        for (severity, linter, code), items in sorted(groups.items()):
            if severity != word:
                continue
            waived = word == "error" and all(is_waived(f) for f in items)
            bad += 0 if waived or word in ("warn", "info") else len(items)
            print(f"{'waived' if waived else word:6} {linter} {code}: "
                  f"{len(items)}{': ' + WAIVED[code][1] if waived else ''}")
            if word == "info" or waived:
                continue
            items = [f for f in items if word == "warn" or not is_waived(f)]
            print(f"       such as {items[0].file}, "
                  f"{what[items[0].file][:200]}\n       {items[0].text}")
    return bad


def plant(corpus):
    """A certificate that is wrong, which both linters have to see."""
    key = certs.ec.generate_private_key(certs.ec.SECP256R1())
    now = datetime.datetime(2026, 1, 1)
    name = certs.x509.Name([])
    cert = (certs.x509.CertificateBuilder().subject_name(name)
            .issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(certs.x509.KeyUsage(
                *[False] * 5, True, *[False] * 3), True)
            .sign(key, certs.hashes.SHA256()))
    return corpus.add(cert.public_bytes(
        certs.serialization.Encoding.PEM).decode(), None, "planted")


def take_planted(found, path):
    """The findings of all others, if each linter saw what was planted."""
    for linter in ("zlint", "pkilint"):
        if not any(f.file == path and f.linter == linter and
                   f.severity in ("error", "fatal") and not is_waived(f)
                   for f in found):
            raise Failure(f"{linter} does not see a planted error")
    return [f for f in found if f.file != path]


def main():
    zlint_path, python = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    directory = tempfile.mkdtemp(prefix="countersign-certs-")
    examples = os.path.join(HERE, "..", "..", "policies", "examples")
    corpus, policies = certs.make(directory, seed, count, examples)
    print(f"check-certs: seed {seed}, {len(corpus.rows)} certificates: " +
          ", ".join(f"{n} by {p}" for p, n in sorted(policies.items())) +
          f", {len(corpus.rows) - sum(policies.values())} CAs", flush=True)
    planted = plant(corpus)
    found, applied = zlint(zlint_path, corpus)
    found += pkilint(python, corpus)
    found = take_planted(found, planted)
    corpus.rows.pop()
    bad = report(found, corpus)
    print(f"check-certs: {len(corpus.rows)} certificates, {applied} lints of "
          f"zlint applied, pkilint alone and with the issuer: "
          f"{bad} errors")
    if bad > 0:
        print(f"check-certs: the certificates are in {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as e:
        print(f"check-certs: FAILED: {e}", file=sys.stderr)
        sys.exit(1)
