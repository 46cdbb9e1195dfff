"""Collections: begun, changed, filled, ordered, emptied, deleted."""

from huggingface_hub import Collection
from huggingface_hub.errors import HfHubHTTPError

from tests.wire.scenarios.stage import Facts, Given, api, tell


def shown(collection: Collection) -> Facts:
    return {
        "title": collection.title,
        "description": collection.description or "",
        "private": collection.private,
        "theme": collection.theme,
        "items": [[item.item_type, item.item_id, item.note] for item in collection.items],
    }


def refused(status: int, error: HfHubHTTPError) -> bool:
    return getattr(error.response, "status_code", None) == status


def story(given: Given) -> Facts:
    model, dataset = given.values["model"], given.values["dataset"]
    title = f"Best of {given.label}"
    made = api.create_collection(title, description="What we like")
    again = api.create_collection(title, exists_ok=True)
    changed = api.update_collection_metadata(
        made.slug, title=f"{title}, really", private=True, theme="pink"
    )
    api.add_collection_item(made.slug, item_id=model, item_type="model", note="small")
    api.add_collection_item(made.slug, item_id=dataset, item_type="dataset")
    filled = api.add_collection_item(made.slug, item_id="2311.12983", item_type="paper")
    twice = api.add_collection_item(made.slug, item_id=model, item_type="model", exists_ok=True)
    try:
        api.add_collection_item(made.slug, item_id=model, item_type="model")
        conflict = False
    except HfHubHTTPError as error:
        conflict = refused(409, error)
    last = filled.items[-1]
    api.update_collection_item(made.slug, last.item_object_id, note="read first", position=0)
    ordered = api.get_collection(changed.slug)
    api.delete_collection_item(made.slug, ordered.items[-1].item_object_id)
    api.delete_collection_item(made.slug, ordered.items[-1].item_object_id, missing_ok=True)
    listed = list(api.list_collections(owner=given.me, item=f"models/{model}", limit=50))
    facts = {
        "owner": made.slug.partition("/")[0],
        "made": shown(made),
        "is_the_same": again.slug == made.slug,
        "changed": shown(changed),
        "slug_follows": changed.slug != made.slug,
        "filled": shown(filled)["items"],
        "twice": len(twice.items),
        "conflict": conflict,
        "ordered": shown(ordered)["items"],
        "emptied": shown(api.get_collection(made.slug))["items"],
        "is_listed": made.slug.rpartition("-")[2]
        in [one.slug.rpartition("-")[2] for one in listed],
        "positions": [one.position for one in listed][:1],
    }
    api.delete_collection(made.slug)
    api.delete_collection(made.slug, missing_ok=True)
    return facts


if __name__ == "__main__":
    tell(story)
