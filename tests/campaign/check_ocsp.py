#!/usr/bin/env python3
"""Two foreign judges over OCSP: `make check-ocsp`.

Houses with a CA key of each kind answer requests that pyca/cryptography makes
(SHA-1 and SHA-256, with a nonce and without, about certificates that are
good, revoked and unknown). pyca reads every response and verifies it down to
the CA; pkilint's lint_ocsp_response finds no error in it, and its
lint_pkix_cert none in the responder's certificate. A response that is made
wrong on purpose has to be seen by each of them.

    check_ocsp.py [REQUESTS-OF-EACH [SEED]]      in a Python with both
"""
import os
import random
import re
import sys
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from pkilint import loader, pkix
from pkilint.pkix import certificate, extension, name
from pkilint.pkix import ocsp as lint

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", ".."))
from tests.lib.house import Failure, House, expect  # noqa: E402

CAS = (("--key", "ec-p256"), ("--key", "ec-p384"), ("--key", "rsa-3072"),
       ("--key", "ed25519", "--single-tier"))
REASONS = {"key-compromise": x509.ReasonFlags.key_compromise,
           "superseded": x509.ReasonFlags.superseded,
           "unspecified": None}
DECODE = [pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
          pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS)]
RESPONSE = lint.create_pkix_ocsp_response_validator_container(
    [lint.create_response_decoder(), *DECODE], [])
CERTIFICATE = certificate.create_pkix_certificate_validator_container(
    certificate.create_decoding_validators(
        name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
    [certificate.create_issuer_validator_container([]),
     certificate.create_validity_validator_container(),
     certificate.create_subject_validator_container([]),
     certificate.create_extensions_validator_container([]),
     certificate.create_spki_validator_container([])])


def errors(validator, document):
    """Codes of pkilint's findings that are errors."""
    return [d.finding.code for result in validator.validate(document.root)
            for d in result.finding_descriptions
            if d.finding.severity.name in ("ERROR", "FATAL")]


def lint_response(der):
    return errors(RESPONSE, loader.RFC6960OCSPResponseDocumentLoader()
                  .load_document(der, "response"))


def verify(der, ca):
    """The response by pyca, its signature good down to the CA."""
    r = ocsp.load_der_ocsp_response(der)
    expect(r.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL,
           r.response_status)
    expect(len(r.certificates) == 1, "one certificate")
    by = r.certificates[0]
    by.verify_directly_issued_by(ca)
    expect(x509.ExtendedKeyUsageOID.OCSP_SIGNING in by.extensions
           .get_extension_for_class(x509.ExtendedKeyUsage).value, "purpose")
    by.extensions.get_extension_for_class(x509.OCSPNoCheck)
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303
    digest.update(by.public_key().public_bytes(
        serialization.Encoding.X962,
        serialization.PublicFormat.UncompressedPoint))
    expect(r.responder_key_hash == digest.finalize(), "responderID")
    by.public_key().verify(r.signature, r.tbs_response_bytes,
                           ec.ECDSA(hashes.SHA256()))
    expect(r.this_update_utc <= r.produced_at_utc < r.next_update_utc <=
           by.not_valid_after_utc, "times")
    return r, by


class Campaign:
    """One house that answers, and certificates of it."""

    def __init__(self, options):
        self.house = House(options)
        path = os.path.join(self.house.dir, "countersign.yaml")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("    ocsp: false", "    ocsp: true"))
        self.house.start()
        self.house.client_add("ci", "submit", "approve")
        chain = os.path.join(self.house.dir, "issuers", "default",
                             "chain.pem")
        with open(chain, "rb") as f:
            self.ca = x509.load_pem_x509_certificates(f.read())[0]
        self.cases = [(self.issue(), ocsp.OCSPCertStatus.GOOD, None)]
        for reason, flag in REASONS.items():
            cert = self.issue()
            self.house.cli("cert", "revoke", f"{cert.serial_number:x}",
                           "--reason", reason)
            self.cases.append((cert, ocsp.OCSPCertStatus.REVOKED, flag))
        end = time.monotonic() + 10
        while len(self.ask(self.request(self.cases[0][0]))) < 100:
            expect(time.monotonic() < end, "no responder")
            time.sleep(0.05)

    def issue(self):
        a = self.house.submit("ci", self.house.csr("a.corp.example"))
        expect(a.status == 201, a.body)
        return x509.load_pem_x509_certificate(a.json["certificate"].encode())

    def request(self, cert, digest=None, nonce=None):
        b = ocsp.OCSPRequestBuilder()
        b = b.add_certificate(cert, self.ca, digest or hashes.SHA1())
        if nonce:
            b = b.add_extension(x509.OCSPNonce(nonce), False)
        return b.build().public_bytes(serialization.Encoding.DER)

    def unknown(self, serial, digest, nonce):
        """The same about a serial: by the hashes that pyca would make."""
        made = ocsp.load_der_ocsp_request(
            self.request(self.cases[0][0], digest))
        b = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            made.issuer_name_hash, made.issuer_key_hash, serial, digest)
        if nonce:
            b = b.add_extension(x509.OCSPNonce(nonce), False)
        return b.build().public_bytes(serialization.Encoding.DER)

    def ask(self, der):
        status, _, body = self.house.http(
            "POST", "/ocsp", der,
            headers={"Content-Type": "application/ocsp-request"})
        expect(status == 200, status)
        return body

    def one(self, rng):
        """A random request, and what the judges say of the answer."""
        digest = rng.choice((hashes.SHA1(), hashes.SHA256()))  # noqa: S303
        nonce = rng.randbytes(rng.choice((1, 16, 32, 128))) \
            if rng.random() < 0.5 else None
        case = rng.randrange(len(self.cases) + 1)
        if case < len(self.cases):
            cert, status, reason = self.cases[case]
            serial = cert.serial_number
            der = self.ask(self.request(cert, digest, nonce))
        else:
            serial, status, reason = (rng.getrandbits(rng.randint(1, 159)),
                                      ocsp.OCSPCertStatus.UNKNOWN, None)
            der = self.ask(self.unknown(serial or 1, digest, nonce))
            serial = serial or 1
        r, by = verify(der, self.ca)
        expect((r.certificate_status, r.revocation_reason, r.serial_number,
                r.hash_algorithm.name) ==
               (status, reason, serial, digest.name),
               f"{r.certificate_status} {r.revocation_reason}, not {status} "
               f"{reason}")
        got = [e.value.nonce for e in r.extensions]
        expect(got == ([nonce] if nonce else []), "nonce")
        found = lint_response(der)
        expect(not found, found)
        return status, der, by


def plant(campaign, der):
    """Every judge sees what was made wrong for it."""
    times = [m.start() for m in re.finditer(rb"\x18\x0f\d{14}Z", der)]
    expect(len(times) >= 3, "times")
    wrong = bytearray(der)
    wrong[times[-1] + 2:times[-1] + 6] = b"1999"  # nextUpdate
    found = lint_response(bytes(wrong))
    expect("pkix.ocsp_negative_validity_period" in found, found)
    try:
        verify(bytes(wrong), campaign.ca)
    except InvalidSignature:
        return
    raise Failure("a changed response verifies")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng = random.Random(seed)
    seen = {}
    certificates = 0
    for options in CAS:
        campaign = Campaign(options)
        with campaign.house:
            for _ in range(count):
                status, der, by = campaign.one(rng)
                seen[status.name] = seen.get(status.name, 0) + 1
            plant(campaign, der)
            found = errors(CERTIFICATE, loader.RFC5280CertificateDocumentLoader()
                           .load_document(by.public_bytes(
                               serialization.Encoding.DER), "responder"))
            expect(not found, found)
            certificates += 1
            expect(campaign.house.stop() == 0, "stop")
    expect(len(seen) == 3, seen)
    print(f"check-ocsp: seed {seed}: {sum(seen.values())} responses by "
          f"{certificates} responders, {seen}: 0 errors")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as e:
        sys.exit(f"check-ocsp: {e}")
