"""What to paste to use a repo: lines that work as they stand against this hub's own address."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hub.names import RepoKind


class Snippet(NamedTuple):
    """Some lines of code and what they are for."""

    label: str
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class Subject:
    """The repo that the lines are about, as far as they depend on it."""

    kind: RepoKind
    name: str
    endpoint: str
    library: str = ""
    pipeline_tag: str = ""
    filenames: Collection[str] = ()
    """What stands at the root, folders too."""
    base_model: str = ""
    """The model that this one adapts, where this hub has it too."""
    revision: str = "main"
    needs_token: bool = False

    @property
    def type_flag(self) -> str:
        return "" if self.kind is RepoKind.MODEL else f" --repo-type {self.kind}"

    @property
    def type_argument(self) -> str:
        return "" if self.kind is RepoKind.MODEL else f', repo_type="{self.kind}"'


_TASKS = """
    audio-classification automatic-speech-recognition depth-estimation document-question-answering
    feature-extraction fill-mask image-classification image-feature-extraction image-segmentation
    image-text-to-text image-to-text object-detection question-answering summarization
    table-question-answering text-classification text-generation text-to-audio text-to-speech
    token-classification translation video-classification visual-question-answering
    zero-shot-classification zero-shot-image-classification zero-shot-object-detection
"""
_PIPELINES = frozenset(_TASKS.split())
"""Tasks that ``transformers.pipeline`` knows by the name of the tag."""

_FIRST_FILES = ("config.json", "model_index.json", "README.md", ".gitattributes")
"""A small file to begin with; its name needs no quoting in a shell or an address."""
_PLAIN_WORD = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def snippets(subject: Subject) -> list[Snippet]:
    """How to use the repo, the likeliest way first."""
    found = [Snippet(label, "python", write(subject)) for label, write in _by_library(subject)]
    if subject.kind is RepoKind.DATASET and not _NO_DATA.issuperset(subject.filenames):
        found.append(Snippet("datasets", "python", _datasets(subject)))
    return [
        *found,
        Snippet("hf", "shell", _command_line(subject)),
        Snippet("Python", "python", _hub_client(subject)),
        Snippet("git", "shell", _clone(subject)),
        *([Snippet("curl", "shell", _curl(subject))] if _can_curl(subject) else []),
    ]


def uploads(subject: Subject) -> list[Snippet]:
    """How to bring the first files into the repo."""
    return [
        Snippet("hf", "shell", _upload_command(subject)),
        Snippet("Python", "python", _upload_client(subject)),
        Snippet("git", "shell", _push(subject)),
    ]


def getting_started(endpoint: str) -> list[Snippet]:
    """How to bring a first repo to a hub that has none."""
    command = (
        f"pip install -U huggingface_hub\n{_export(endpoint)}\nhf auth login\n"
        "hf upload my-model ./my-model"
    )
    client = (
        f'from huggingface_hub import HfApi\n\napi = HfApi(endpoint="{endpoint}", token="wh_…")\n'
        'name = api.create_repo("my-model").repo_id\n'
        'api.upload_folder(repo_id=name, folder_path="./my-model")'
    )
    return [Snippet("hf", "shell", command), Snippet("Python", "python", client)]


Writer = Callable[[Subject], str]


def _by_library(subject: Subject) -> Sequence[tuple[str, Writer]]:
    if subject.kind is not RepoKind.MODEL:
        return []
    for library, needed, write in _LIBRARIES:
        if subject.library == library and needed in subject.filenames:
            return [(library, write)]
    has_weights = any(name.endswith(".safetensors") for name in subject.filenames)
    if subject.library == "diffusers" and subject.base_model and has_weights:
        return [("diffusers", _lora)]
    return []


def _environment(endpoint: str) -> str:
    return f'import os\n\nos.environ["HF_ENDPOINT"] = "{endpoint}"\n\n'


def _export(endpoint: str) -> str:
    return f"export HF_ENDPOINT={endpoint}"


def _transformers(subject: Subject) -> str:
    start = _environment(subject.endpoint)
    if subject.pipeline_tag in _PIPELINES:
        return (
            f"{start}from transformers import pipeline\n\n"
            f'pipe = pipeline("{subject.pipeline_tag}", model="{subject.name}")'
        )
    return (
        f"{start}from transformers import AutoModel\n\n"
        f'model = AutoModel.from_pretrained("{subject.name}")'
    )


def _diffusers(subject: Subject) -> str:
    return (
        f"{_environment(subject.endpoint)}from diffusers import DiffusionPipeline\n\n"
        f'pipe = DiffusionPipeline.from_pretrained("{subject.name}")'
    )


def _sentence_transformers(subject: Subject) -> str:
    return (
        f"{_environment(subject.endpoint)}from sentence_transformers import SentenceTransformer\n\n"
        f'model = SentenceTransformer("{subject.name}")'
    )


def _peft(subject: Subject) -> str:
    return (
        f"{_environment(subject.endpoint)}from peft import AutoPeftModel\n\n"
        f'model = AutoPeftModel.from_pretrained("{subject.name}")'
    )


def _lora(subject: Subject) -> str:
    return (
        f"{_environment(subject.endpoint)}from diffusers import DiffusionPipeline\n\n"
        f'pipe = DiffusionPipeline.from_pretrained("{subject.base_model}")\n'
        f'pipe.load_lora_weights("{subject.name}")'
    )


_LIBRARIES: tuple[tuple[str, str, Writer], ...] = (
    ("transformers", "config.json", _transformers),
    ("diffusers", "model_index.json", _diffusers),
    ("sentence-transformers", "modules.json", _sentence_transformers),
    ("peft", "adapter_config.json", _peft),
)
"""Library, the file without which it can't load a repo, and the lines that do it."""
_NO_DATA = frozenset({".gitattributes", ".gitignore", "README.md", "LICENSE"})


def _datasets(subject: Subject) -> str:
    return (
        f"{_environment(subject.endpoint)}from datasets import load_dataset\n\n"
        f'data = load_dataset("{subject.name}")'
    )


def _command_line(subject: Subject) -> str:
    sign_in = "hf auth login\n" if subject.needs_token else ""
    download = f"hf download {subject.name}{subject.type_flag}"
    return f"{_export(subject.endpoint)}\n{sign_in}{download}"


def _hub_client(subject: Subject) -> str:
    return (
        "from huggingface_hub import HfApi\n\n"
        f'api = HfApi(endpoint="{subject.endpoint}")\n'
        f'folder = api.snapshot_download("{subject.name}"{subject.type_argument})'
    )


def _clone(subject: Subject) -> str:
    address = f"{subject.endpoint}/{subject.kind.prefix}{subject.name}"
    return f"git lfs install\ngit clone {address}"


def _can_curl(subject: Subject) -> bool:
    has_file = not set(_FIRST_FILES).isdisjoint(subject.filenames)
    return has_file and _PLAIN_WORD.fullmatch(subject.revision) is not None


def _curl(subject: Subject) -> str:
    token = ' -H "Authorization: Bearer $HF_TOKEN"' if subject.needs_token else ""
    names = [name for name in _FIRST_FILES if name in subject.filenames]
    path = f"resolve/{subject.revision}/{names[0]}"
    return f"curl -LO{token} {subject.endpoint}/{subject.kind.prefix}{subject.name}/{path}"


def _upload_command(subject: Subject) -> str:
    upload = f"hf upload {subject.name} .{subject.type_flag}"
    return f"{_export(subject.endpoint)}\nhf auth login\n{upload}"


def _upload_client(subject: Subject) -> str:
    return (
        "from huggingface_hub import HfApi\n\n"
        f'api = HfApi(endpoint="{subject.endpoint}")\n'
        f'api.upload_folder(repo_id="{subject.name}", folder_path="."{subject.type_argument})'
    )


def _push(subject: Subject) -> str:
    folder = subject.name.rpartition("/")[2]
    return (
        f"{_clone(subject)}\ncd {folder}\n# copy your files here\n"
        'git add .\ngit commit -m "Add files"\ngit push'
    )
