"""pyca/cryptography as a reader of CSRs: hexadecimal lines in, verdicts out.

It reads all extensions or none. Where only such ones are wrong that our
reader takes as octets, because a certificate never has them from a request as
they are, the verdict is "opaque".
"""
import os
import sys

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm


sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", ".."))
from tests.campaign.csrs import tlv  # noqa: E402
from tests.lib import der as walker  # noqa: E402

# subjectAltName, keyUsage, basicConstraints, extKeyUsage.
READ = {bytes.fromhex("0603551d" + n) for n in ("11", "0f", "13", "25")}


def without_opaque(der):
    """The request with only those extensions that our reader looks into."""
    info, algorithm, signature = walker.children(der)
    *fields, attributes = walker.children(info)
    kept = b""
    for attribute in walker.children(attributes):
        oid, values = walker.children(attribute)
        extensions = b"".join(
            e for v in walker.children(values) for e in walker.children(v)
            if walker.children(e)[0] in READ)
        kept += tlv(0x30, oid + tlv(0x31, tlv(0x30, extensions)))
    return tlv(0x30, tlv(0x30, b"".join(fields) + tlv(0xA0, kept)) +
               algorithm + signature)


def is_opaque(der):
    """Is only something wrong that is octets to our reader?"""
    try:
        csr = x509.load_der_x509_csr(der)
        csr.public_key()
        read(without_opaque(der))
        return True
    except Exception:  # something else is wrong
        return False


def read(der):
    csr = x509.load_der_x509_csr(der)
    list(csr.subject)
    for extension in csr.extensions:
        repr(extension.value)
    list(csr.attributes)
    csr.public_key()
    return csr.signature_algorithm_oid


def main():
    for line in sys.stdin:
        try:
            read(bytes.fromhex(line))
            print("ok")
        except UnsupportedAlgorithm as e:
            print("unsupported", str(e).replace("\n", " "))
        except Exception as e:  # whatever its reason is
            word = "opaque" if is_opaque(bytes.fromhex(line)) else "no"
            print(word, type(e).__name__, str(e).replace("\n", " "))


main()
