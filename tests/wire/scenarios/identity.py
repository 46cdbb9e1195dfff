"""Who am I, with a good token, a bad one and none."""

from huggingface_hub import HfApi

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell


def story(_given: Given) -> Facts:
    me = api.whoami()
    return {
        "name": me["name"],
        "orgs": [org["name"] for org in me["orgs"]],
        "role": me["auth"]["accessToken"]["role"],
        "forged": refusal(HfApi(token="hf_" + "x" * 34).whoami),
        "organisation": [user.username for user in api.list_organization_members("acme")],
        "overview": api.get_user_overview(me["name"]).username,
    }


if __name__ == "__main__":
    tell(story)
