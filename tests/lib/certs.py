"""Certificates of foreign CAs, made by OpenSSL's command line."""
import os

from tests.lib.house import run

CONFIG = """
[ca]
default_ca = here
[here]
dir = {dir}
database = {dir}/index
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
"""
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class CA:
    """A CA in a directory of its own; `path` is its certificate."""

    def __init__(self, root, name, parent=None, eku=None):
        self.dir = os.path.join(root, "ca-" + name.replace(" ", "-"))
        os.mkdir(self.dir)
        self.count = 0
        self.name = name
        self.config = os.path.join(self.dir, "config")
        self.path = os.path.join(self.dir, "ca.pem")
        self.key = os.path.join(self.dir, "ca.key")
        for file, text in (("index", ""), ("serial", "1000\n"),
                           ("config", CONFIG.format(dir=self.dir))):
            with open(os.path.join(self.dir, file), "w",
                      encoding="ascii") as f:
                f.write(text)
        extensions = ("basicConstraints=critical,CA:TRUE\n"
                      "keyUsage=critical,keyCertSign,cRLSign\n"
                      "subjectKeyIdentifier=hash\n")
        if eku:
            extensions += f"extendedKeyUsage={eku}\n"
        if parent is None:
            run("openssl", "req", "-x509", *KEY, "-keyout", self.key, "-out",
                self.path, "-subj", f"/CN={name}", "-days", "3650",
                "-config", self.config, *[
                    a for line in extensions.split("\n") if line
                    for a in ("-addext", line)])
            self.above = []
        else:
            parent.sign(self.path, self.key, name, extensions)
            self.above = [self.path] + parent.above

    def sign(self, cert, key, name, extensions, start=None, end=None):
        """A certificate for a new key, both written as PEM."""
        self.count += 1
        csr = os.path.join(self.dir, f"{self.count}.csr")
        ext = os.path.join(self.dir, f"{self.count}.ext")
        with open(ext, "w", encoding="ascii") as f:
            f.write(extensions + "authorityKeyIdentifier=keyid\n")
        run("openssl", "req", "-new", *KEY, "-keyout", key, "-out", csr,
            "-subj", f"/CN={name}", "-config", self.config)
        run("openssl", "ca", "-batch", "-notext", "-config", self.config,
            "-cert", self.path, "-keyfile", self.key, "-in", csr, "-out",
            cert, "-extfile", ext,
            *(["-startdate", start] if start else []),
            *(["-enddate", end] if end else ["-days", "30"]))

    def leaf(self, name, san=None, eku="clientAuth", start=None, end=None):
        """(certificate, key), the certificate with what is above it."""
        base = os.path.join(self.dir, f"leaf-{self.count + 1}")
        extensions = "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
        if eku:
            extensions += f"extendedKeyUsage={eku}\n"
        if san:
            extensions += f"subjectAltName={san}\n"
        self.sign(base + ".pem", base + ".key", name, extensions, start, end)
        with open(base + ".chain", "wb") as out:
            for path in [base + ".pem"] + self.above:
                with open(path, "rb") as f:
                    out.write(f.read())
        return base + ".chain", base + ".key"
