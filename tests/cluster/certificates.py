"""A certificate authority for one cluster: every component and every test user gets a certificate of its own.

In a client certificate Kubernetes reads the common name as the user and the organizations as the groups.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=365)
"""Longer than anybody keeps a test cluster."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""Certificates begin this long ago, so that a clock set back a little does not make them invalid."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its private key, both as PEM."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write NAME.crt and NAME.key, readable only by their owner; return both paths."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        write_private(certificate, self.certificate)
        write_private(key, self.key)
        return certificate, key


@dataclass(frozen=True, slots=True)
class Authority:
    """Issues the certificates of one cluster."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls) -> Authority:
        """Make a new authority."""
        key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "periodicbuild-local-cluster")])
        builder = _builder(name, key).issuer_name(name)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """Read back what write left in folder."""
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{folder / 'ca.key'} holds a {type(key).__name__}, not the key that create made")
        return cls(x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes()), key)

    def write(self, folder: Path) -> Path:
        """Write ca.crt and ca.key; return the path of ca.crt."""
        return KeyPair(self.certificate_pem, key_pem(self.key)).write(folder, "ca")[0]

    @property
    def certificate_pem(self) -> bytes:
        """Return the certificate by which all others are recognised."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, user: str, groups: Iterable[str] = (), hosts: Iterable[str] = ()) -> KeyPair:
        """Issue a certificate for a client (user and groups) and, where hosts are given, for a server under them."""
        key = new_key()
        builder = _builder(subject(user, groups), key).issuer_name(self.certificate.subject)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        if names := [_general_name(host) for host in hosts]:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), key_pem(key))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a private key; elliptic, because an RSA key takes a hundred times as long."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Render a private key, unencrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def public_key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Render the public half of a key."""
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def subject(user: str, groups: Iterable[str]) -> x509.Name:
    """Write user and groups the way Kubernetes reads them from a certificate."""
    organizations = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*organizations, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def write_private(path: Path, content: bytes) -> None:
    """Write a file that at no instant is readable by anybody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


def replace_private(path: Path, content: bytes) -> None:
    """Put another file in its place at once, so that nobody reads a half."""
    new = path.with_name(f"{path.name}.new")
    write_private(new, content)
    new.replace(path)


def _builder(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + VALID_FOR)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
