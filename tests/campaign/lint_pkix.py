"""Runs pkilint over many certificates, loaded once.

Standard input has a line CERTIFICATE ISSUER for each, both paths of PEM
files; standard output gets a JSON object a line for each finding, and at the
end {"certificates": N}. Whoever reads knows by that line that all were read.
Runs in an interpreter that has pkilint.
"""
import json
import sys

from pkilint import loader
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.pkix import certificate, extension, name

LOADER = loader.RFC5280CertificateDocumentLoader()


def validator():
    """What the command lint_pkix_cert runs."""
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [certificate.create_issuer_validator_container([]),
         certificate.create_validity_validator_container(),
         certificate.create_subject_validator_container([]),
         certificate.create_extensions_validator_container([]),
         certificate.create_spki_validator_container([])])


def chain_results(issuer, subject):
    """What the command lint_pkix_signer_signee_cert_chain finds."""
    documents = {}
    for role, path in (("issuer", issuer), ("subject", subject)):
        with open(path, "rb") as f:
            documents[role] = LOADER.load_pem_file(f, path, role, documents)
    decode = chain.create_decoder_validation_container()
    results = decode.validate(documents["issuer"].root)
    results += decode.validate(documents["subject"].root)
    results += chain.create_issuer_validation_container().validate(
        documents["issuer"].root)
    results += chain.create_subject_validation_container().validate(
        documents["subject"].root)
    return results


def tell(path, linter, results):
    for result in results:
        for d in result.finding_descriptions:
            print(json.dumps({
                "file": path, "linter": linter, "code": d.finding.code,
                "severity": d.finding.severity.name,
                "text": f"{result.node.path}: {d.message or ''}"}))


def main():
    lint = validator()
    n = 0
    for line in sys.stdin:
        path, issuer = line.split()
        with open(path, "rb") as f:
            cert = LOADER.load_pem_file(f, path)
        tell(path, "pkilint", lint.validate(cert.root))
        tell(path, "pkilint-chain", chain_results(issuer, path))
        n += 1
    print(json.dumps({"certificates": n}))


main()
