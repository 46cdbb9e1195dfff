"""A thousand models; what each one is follows from its number alone, so that lists can be told."""

from dataclasses import dataclass

HOW_MANY = 1000
AUTHORS = ("ada", "cleo", "acme")
WORDS = ("tern", "heron", "ibis", "stork")
TASKS = ("text-classification", "fill-mask", "text-to-image")
LICENSES = ("mit", "apache-2.0")
HIDDEN_EVERY = 50
CARD_EVERY = 5


@dataclass(frozen=True)
class Model:
    """One of the thousand."""

    number: int

    @property
    def author(self) -> str:
        return AUTHORS[self.number % len(AUTHORS)]

    @property
    def word(self) -> str:
        return WORDS[self.number % len(WORDS)]

    @property
    def id(self) -> str:
        return f"{self.author}/wader-{self.word}-{self.number}"

    @property
    def is_hidden(self) -> bool:
        return self.number % HIDDEN_EVERY == 0

    @property
    def has_card(self) -> bool:
        return self.number % CARD_EVERY == 0

    @property
    def task(self) -> str:
        return TASKS[self.number % len(TASKS)] if self.has_card else ""

    @property
    def license(self) -> str:
        return LICENSES[self.number % len(LICENSES)] if self.has_card else ""

    @property
    def readme(self) -> bytes:
        lines = ("---", f"license: {self.license}", f"pipeline_tag: {self.task}", "---", "# Wader")
        return "\n".join(lines).encode()


MODELS = [Model(number) for number in range(HOW_MANY)]
