"""An issuer of identity tokens on loopback: its discovery document, its keys, its signature."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def _public(kid: str, jwk: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in jwk.items() if key != "key_ops"} | {"kid": kid}


RSA_JWK = _public("rsa", RSAAlgorithm.to_jwk(RSA_KEY.public_key(), as_dict=True))
EC_JWK = _public("ec", ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True))


@dataclass
class Issuer:
    """What it says, and how often it was asked."""

    port: int = 0
    keys: list[dict[str, Any]] = field(default_factory=lambda: [RSA_JWK, EC_JWK])
    asked: list[str] = field(default_factory=list)
    is_silent: bool = False
    jobs: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def claims(self, audience: str, **more: Any) -> dict[str, Any]:
        """Those of a new job, as GitHub writes them."""
        self.jobs += 1
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": f"job-{self.port}-{self.jobs}",
            "sub": "repo:acme/ci:ref:refs/heads/main",
            "repository": "acme/ci",
            "ref": "refs/heads/main",
            **more,
        }

    def token(self, audience: str, **more: Any) -> str:
        return signed(self.claims(audience, **more))


def signed(
    claims: dict[str, Any], *, key: Any = RSA_KEY, kid: str | None = "rsa", alg: str = "RS256"
) -> str:
    return jwt.encode(claims, key, algorithm=alg, headers={"kid": kid} if kid else {})


@contextmanager
def issuing() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            told = {
                "/.well-known/openid-configuration": {
                    "issuer": issuer.url,
                    "jwks_uri": f"{issuer.url}/keys",
                },
                "/keys": {"keys": issuer.keys},
            }
            body = json.dumps(told.get(self.path, {})).encode()
            self.send_response(503 if issuer.is_silent else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    issuer.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
