"""A thousand and some repos of all kinds, made from a seed, and a list of them in plain Python."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.cards.apps import runs_in
from hub.models import Repo, RepoCard
from hub.names import RepoKind
from hub.queries.repo_filter import RepoFilter, Sort
from hub.queries.repo_rows import RepoRow
from teams.models import Namespace
from tests.factories.hub import make_many

HOW_MANY = 1200
OWNERS = ("ada", "ben", "acme")
WORDS = ("quokka", "narwhal", "ibex", "axolotl", "okapi")
TAGS = (
    "pytorch",
    "gguf",
    "mlx",
    "transformers",
    "diffusers",
    "lora",
    "text-generation",
    "en",
    "de",
)
TASKS = ("text-generation", "text-to-image", "fill-mask", "")
NAMED = ("ada/base", "acme/Base_2", "x/y")
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class World:
    """What was made, as rows and as the plain facts behind them."""

    repos: list[Repo]
    card: dict[int, RepoCard]
    owners: dict[str, Namespace] = field(default_factory=dict)


def populate(owners: dict[str, Namespace]) -> World:
    chance = random.Random(20260101)
    repos = [_repo(chance, number, owners) for number in range(HOW_MANY)]
    cards = [_card(chance, repo) for repo in repos]
    make_many(repos, cards)
    return World(repos, {repo.pk: card for repo, card in zip(repos, cards, strict=True)}, owners)


def _repo(chance: random.Random, number: int, owners: dict[str, Namespace]) -> Repo:
    kind = chance.choices(["model", "dataset", "space"], [6, 3, 2])[0]
    made = START + timedelta(minutes=chance.randrange(300))
    return Repo(
        kind=kind,
        namespace=owners[chance.choice(OWNERS)],
        name=f"{chance.choice(['Bert', 'llama-3.2', 'vit_b', 'x'])}-{number}",
        visibility="private" if chance.random() < 0.2 else "public",
        gate=chance.choice(["", "", "auto", "manual"]),
        sdk=chance.choice(["gradio", "docker", "static"]) if kind == "space" else "",
        likes=chance.choice([0, 0, 0, 1, 5, chance.randrange(1000)]),
        downloads=chance.choice([0, 0, 7, chance.randrange(10**6)]),
        trending=chance.choice([0.0, 0.0, chance.random() * 10]),
        created_at=made,
        last_modified=made + timedelta(minutes=chance.randrange(50)),
    )


def _card(chance: random.Random, repo: Repo) -> RepoCard:
    tags = chance.sample(TAGS, chance.randrange(5))
    metadata: dict[str, Any] = {}
    if repo.kind == "space" and chance.random() < 0.6:
        metadata["models"] = chance.choice([list(NAMED), list(NAMED[:1]), NAMED[1], []])
    if repo.kind == "space" and chance.random() < 0.3:
        metadata["datasets"] = [chance.choice(NAMED)]
    return RepoCard(
        metadata=metadata or None,
        body=" ".join(chance.sample(WORDS, chance.randrange(4))),
        tags=tags,
        pipeline_tag=chance.choice(TASKS) if repo.kind == "model" else "",
        parameters=chance.choice([None, 10**6, 10**9, chance.randrange(10**11)]),
    )


def expected(world: World, asked: RepoFilter, readable: Callable[[Repo], bool]) -> list[int]:
    """Ids of what a list should hold, in its order."""
    found = [
        repo
        for repo in world.repos
        if readable(repo) and _fits_repo(repo, asked) and _fits_card(world, repo, asked)
    ]
    key = SORT_KEYS[asked.sort]
    ordered = sorted(found, key=lambda repo: (key(repo), repo.pk), reverse=not asked.ascending)
    return [repo.pk for repo in ordered]


SORT_KEYS: dict[Sort, Callable[[Repo | RepoRow], Any]] = {
    Sort.TRENDING: lambda repo: repo.trending,
    Sort.DOWNLOADS: lambda repo: repo.downloads,
    Sort.LIKES: lambda repo: repo.likes,
    Sort.MODIFIED: lambda repo: repo.last_modified,
    Sort.CREATED: lambda repo: repo.created_at,
}


def _fits_repo(repo: Repo, asked: RepoFilter) -> bool:
    full_name = f"{repo.namespace.name}/{repo.name}".lower()
    return (
        asked.kind in {None, repo.kind}
        and asked.author.lower() in {"", repo.namespace.name}
        and all(word in full_name for term in asked.search for word in term.lower().split())
        and asked.gated in {None, bool(repo.gate)}
        and (not asked.sdks or repo.sdk in asked.sdks)
    )


def _fits_card(world: World, repo: Repo, asked: RepoFilter) -> bool:
    card = world.card[repo.pk]
    library = f"library:{asked.library}" if asked.kind is RepoKind.DATASET else asked.library
    tags = {*asked.tags, *([library] if asked.library else [])}
    size = card.parameters
    least, most = asked.min_parameters, asked.max_parameters
    return (
        tags <= set(card.tags)
        and asked.pipeline_tag in {"", card.pipeline_tag}
        and (least is None or (size is not None and size >= least))
        and (most is None or (size is not None and size <= most))
        and all(runs_in(app, card.tags) for app in asked.apps)
        and not asked.inference
        and not asked.inference_providers
        and _uses(card, asked)
        and (not asked.text or _says(repo, card, asked.text))
    )


def _uses(card: RepoCard, asked: RepoFilter) -> bool:
    models, datasets = (_listed(card, key) for key in ("models", "datasets"))
    return (
        set(asked.models) <= models
        and set(asked.datasets) <= datasets
        and (not asked.linked or bool(models | datasets))
    )


def _listed(card: RepoCard, key: str) -> set[str]:
    value = (card.metadata or {}).get(key) or []
    return {value} if isinstance(value, str) else set(value)


def _says(repo: Repo, card: RepoCard, text: str) -> bool:
    names = f"{repo.namespace.name} {repo.name}".lower().replace("-", " ").replace(".", " ")
    said = {*card.body.split(), *names.replace("_", " ").split()}
    return all(
        (word[1:] not in said) if word.startswith("-") else (word in said) for word in text.split()
    )
