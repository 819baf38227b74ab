# SPDX-License-Identifier: LGPL-2.1-or-later
"""Certificates made for a test, as an operator makes them: with openssl."""

import ssl
import subprocess


class Certificate:
    """A self-signed certificate of localhost in the case's directory: its files, and clients that trust it."""

    def __init__(self, case, name="hub", key="ec", passphrase=None):
        self.certificate = case.path(f"{name}.crt")
        self.key = case.path(f"{name}.key")
        kind = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
        secret = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *kind, *secret, "-days", "2", "-subj", f"/CN={name}",
             "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate],
            check=True, capture_output=True, timeout=60)

    def expire(self):
        """Has it end yesterday."""
        request = f"{self.key}.csr"
        subprocess.run(["openssl", "req", "-new", "-key", self.key, "-subj", "/CN=expired", "-out", request,
                        "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True, timeout=60)
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-key", self.key, "-days", "-1", "-out", self.certificate,
                        "-copy_extensions", "copy"], check=True, capture_output=True, timeout=60)

    @property
    def options(self):
        """The daemon's command line for it."""
        return ("--tls-certificate", self.certificate, "--tls-key", self.key)

    def context(self):
        """A client's context that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=self.certificate)
