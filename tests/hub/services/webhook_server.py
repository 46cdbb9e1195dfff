"""A receiver of the kind that people run: the client library's own, with what verifies signatures.

It runs in an environment of its own and knows nothing of us. On each line of its output it tells
what one delivery was. ``PORT``, ``IDENTITY`` (key and certificate), ``SHARED`` (the token of the
header) and ``SECRETS`` (keys that may sign) come by its environment.
"""

import json
import os
import sys

import gradio
import standardwebhooks
import svix.webhooks
from fastapi import HTTPException, Request
from huggingface_hub import WebhookPayload, WebhooksServer

SECRETS = os.environ["SECRETS"].split()
WRONG = "whsec_" + "A" * 43 + "="

with gradio.Blocks() as page:
    gradio.Markdown("Receives")
server = WebhooksServer(ui=page, webhook_secret=os.environ["SHARED"])


def accepted(secret: str, body: bytes, headers: dict[str, str]) -> list[str]:
    """Which libraries take the body for one that was signed with ``secret``."""
    found = []
    for library, refusal in (
        (standardwebhooks, standardwebhooks.WebhookVerificationError),
        (svix.webhooks, svix.webhooks.WebhookVerificationError),
    ):
        try:
            library.Webhook(secret).verify(body, headers)
        except refusal:
            continue
        found.append(library.__name__)
    return found


@server.add_webhook("/hook")
async def hook(payload: WebhookPayload, request: Request) -> dict[str, bool]:
    body, headers = await request.body(), dict(request.headers)
    stale = headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 301)}
    both = ["standardwebhooks", "svix.webhooks"]
    verified = [accepted(secret, body, headers) == both for secret in SECRETS]
    told = {
        "type": f"{payload.event.scope}.{payload.event.action}",
        "head": payload.repo.head_sha,
        "verified": verified,
        "forged": accepted(WRONG, body, headers)
        + accepted(SECRETS[0], body + b" ", headers)
        + accepted(SECRETS[0], body, stale)
        + accepted(SECRETS[0], body, headers | {"webhook-id": "msg_other"}),
    }
    print(json.dumps(told), flush=True)
    if not any(verified):
        raise HTTPException(401)
    return {"seen": True}


identity = os.environ["IDENTITY"]
server.launch(
    server_name="127.0.0.1",
    server_port=int(os.environ["PORT"]),
    ssl_certfile=identity,
    ssl_keyfile=identity,
    ssl_verify=False,
    share=False,
    quiet=True,
    prevent_thread_lock=True,
)
print("ready", flush=True)
sys.stdin.read()
