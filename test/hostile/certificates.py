"""Certificates of all kinds, made anew."""
import collections
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

Certificate = collections.namedtuple("Certificate", "file key")

DAY = datetime.timedelta(days=1)


class Authority:
    """Makes certificates in a folder; its own is what ca_file names."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hostile authority")])
        self.own = self.make("authority", issued_by_itself=True, authority=True, key=self.key)

    def make(self, name, begins=-1, ends=2, hosts=("127.0.0.1", "localhost"), issued_by_itself=False, authority=False, key=None,
             common_name=None):
        """Days from now; hosts are names and addresses."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        subject = self.name if authority else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or name)])
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject if issued_by_itself else self.name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + begins * DAY).not_valid_after(now + ends * DAY)
                   .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True))
        if hosts and not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts]), critical=False)
        certificate = builder.sign(key if issued_by_itself else self.key, hashes.SHA256())
        return self._write(name, certificate, key)

    @staticmethod
    def rsa_key(bits):
        return rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def _write(self, name, certificate, key):
        paths = Certificate(os.path.join(self.folder, f"{name}.crt"), os.path.join(self.folder, f"{name}.key"))
        with open(paths.file, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(paths.key, "wb") as file:
            file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return paths
