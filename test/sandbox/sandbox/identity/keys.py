"""The keys that tokens are signed with, made when first needed."""
import base64
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value):
    return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self):
        self.private = rsa.generate_private_key(65537, 2048)
        public = self.private.public_key()
        self.numbers = public.public_numbers()
        self.pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        thumb = hashlib.sha1(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        self.kid, self.x5t = thumb.hex().upper(), b64url(thumb)

    def sign(self, data):
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def published(self):
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "x5t": self.x5t, "e": _number(self.numbers.e),
                "n": _number(self.numbers.n), "alg": "RS256"}


class KeyRing:
    def __init__(self):
        self.keys = []
        self.unpublished = None

    @property
    def current(self):
        if not self.keys:
            self.keys.append(Key())
        return self.keys[-1]

    @property
    def stranger(self):
        """A key that nobody is told about."""
        self.unpublished = self.unpublished or Key()
        return self.unpublished

    def rotate(self):
        """Sign with a new key from now on; the one before stays published."""
        self.keys = [self.current, Key()]

    def published(self):
        current = self.current              # made now, if it was not yet
        return {"keys": [key.published() for key in (*self.keys[:-1], current)]}
