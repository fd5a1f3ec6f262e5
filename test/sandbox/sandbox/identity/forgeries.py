"""Tokens that a careful client refuses, one flaw each."""
import hashlib
import hmac

DAY = 86_400


def _shifted(seconds):
    return lambda claims: {name: claims[name] + seconds for name in ("nbf", "iat", "exp", "auth_time") if name in claims}


# flaw -> claims to put instead; None takes one away
CLAIMS = {
    "wrong_iss": lambda claims: {"iss": "https://identity.example.com"},
    "wrong_aud": lambda claims: {"aud": "somebody-else"},
    "wrong_sub": lambda claims: {"sub": "0123456789abcdef0123456789abcdef"},
    "wrong_nonce": lambda claims: {"nonce": "nonce-of-another-login"},
    "no_nonce": lambda claims: {"nonce": None},
    "wrong_at_hash": lambda claims: {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "wrong_client": lambda claims: {"client_id": "somebody-else"},
    "no_exp": lambda claims: {"exp": None},
    "stale": _shifted(-DAY),
    "early": _shifted(DAY)}

# flaw -> what replaces the header's members, and what signs
SIGNATURES = {
    "alg_none": lambda keys: ({"alg": "none"}, lambda data: b""),
    "hs256": lambda keys: ({"alg": "HS256"}, lambda data: hmac.new(keys.current.pem, data, hashlib.sha256).digest()),
    "wrong_key": lambda keys: ({}, keys.stranger.sign),
    "unknown_kid": lambda keys: ({"kid": keys.stranger.kid, "x5t": keys.stranger.x5t}, keys.stranger.sign)}

OF_BOTH = {"wrong_iss", "wrong_aud", "wrong_sub", "no_exp", "stale", "early", *SIGNATURES}
OF_ID_TOKENS = OF_BOTH | {"wrong_nonce", "no_nonce", "wrong_at_hash"}
OF_ACCESS_TOKENS = OF_BOTH | {"wrong_client"}


def forged(flaw, header, claims, keys):
    """(header, claims, signing function) with the flaw, if any."""
    sign = keys.current.sign
    if flaw in CLAIMS:
        claims = {**claims, **CLAIMS[flaw](claims)}
        claims = {name: value for name, value in claims.items() if value is not None}
    elif flaw in SIGNATURES:
        instead, sign = SIGNATURES[flaw](keys)
        header = {**header, **instead}
    return header, claims, sign
