"""What somebody else meets at Ada's door: a hidden repo, a gated one, a public one."""

from huggingface_hub import HfApi

from tests.wire.scenarios.stage import Facts, Given, api, refusal, tell


def story(given: Given) -> Facts:
    hidden, gated, public = (given.values["repos"][name] for name in ("hidden", "gated", "public"))
    nobody = HfApi(token=False)
    return {
        "hidden": refusal(api.hf_hub_download, hidden, "a.txt"),
        "hidden_info": refusal(nobody.model_info, hidden),
        "hidden_check": refusal(api.auth_check, hidden),
        "gated_info": api.model_info(gated).gated,
        "gated_file": refusal(api.hf_hub_download, gated, "a.txt"),
        "gated_file_signed_out": refusal(nobody.hf_hub_download, gated, "a.txt"),
        "gated_check": refusal(api.auth_check, gated),
        "write": refusal(
            api.upload_file, path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=public
        ),
        "delete": refusal(api.delete_repo, public),
        "create": refusal(api.create_repo, f"ada/by-stranger-{given.label}"),
        "signed_out": refusal(nobody.create_repo, f"ada/by-nobody-{given.label}"),
        "read": refusal(nobody.hf_hub_download, public, "a.txt")["status"],
    }


if __name__ == "__main__":
    tell(story)
