"""/.well-known/openid-configuration: where everything is.  Whatever a caller
calls this server is its issuer."""
from .scopes import ALL

CLAIMS = ["sub", "name", "family_name", "given_name", "preferred_username", "email", "xero_userid"]


def document(base):
    return {
        "issuer": base, "jwks_uri": base + "/.well-known/openid-configuration/jwks",
        "authorization_endpoint": base + "/identity/connect/authorize", "token_endpoint": base + "/connect/token",
        "userinfo_endpoint": base + "/connect/userinfo", "revocation_endpoint": base + "/connect/revocation",
        "scopes_supported": ALL, "claims_supported": CLAIMS,
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"], "response_modes_supported": ["query"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"]}
