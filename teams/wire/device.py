"""Wire: the beginning of a sign-in from a terminal (RFC 8628), as ``hf auth login`` asks for it."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from teams.http.address import address_of
from teams.http.json_answer import JsonAnswer
from teams.http.origin import base_url
from teams.http.views import Public, WireView
from teams.services import device_sign_in

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PAGE = "/oauth/device/confirm"


class Device(WireView):
    """POST /oauth/device: two codes, and where the short one is typed in."""

    authz = {"post": Public("Whoever asks is nobody yet; a signed-in user lets them in, or not.")}

    def post(self, request: HttpRequest) -> HttpResponse:
        begun = device_sign_in.begin(
            client_id=request.POST.get("client_id", ""),
            told=request.headers.get("User-Agent", ""),
            address=address_of(request),
        )
        page = f"{base_url(request)}{PAGE}"
        return unstored(
            {
                "device_code": begun.device_code,
                "user_code": begun.user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?code={begun.user_code}",
                "interval": begun.interval,
                "expires_in": begun.expires_in,
            }
        )


def collected(*, device_code: str, client_id: str) -> HttpResponse:
    """The answer of ``/oauth/token`` to who waits with a device code."""
    secret = device_sign_in.collect(device_code=device_code, client_id=client_id)
    return unstored({"access_token": secret, "token_type": "bearer"})


def unstored(told: dict[str, Any]) -> HttpResponse:
    """An answer that nobody may keep (RFC 6749, 5.1)."""
    answer = JsonAnswer(told)
    answer["Cache-Control"] = "no-store"
    return answer
