"""A CLIP tokenizer of a few hundred entries: byte pairs as CLIP merges them, of a few words."""

import json
from pathlib import Path
from typing import Any

from inference.training.demo.shapes import COLOURS, SHAPES

CONTEXT = 16
"""Tokens of the longest text."""
_GENERAL = (
    "a an the of on in is there here one and photo image drawing with background style sks "
    "black gray white object . ,"
)
WORDS = [*_GENERAL.split(), *COLOURS, *SHAPES]
START, END = "<|startoftext|>", "<|endoftext|>"


def _characters() -> list[str]:
    """The printable character by which CLIP writes each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    written = {byte: chr(byte) for byte in plain}
    written |= {byte: chr(256 + place) for place, byte in enumerate(others)}
    return [written[byte] for byte in (*plain, *others)]


def vocabulary() -> tuple[dict[str, int], list[str]]:
    """Answer tokens and merges by which each of our words becomes one token."""
    alphabet = _characters()
    tokens = dict.fromkeys([*alphabet, *(f"{character}</w>" for character in alphabet)])
    merges: dict[str, None] = {}
    for word in WORDS:
        begun, *rest = [*word[:-1], f"{word[-1]}</w>"]
        for part in rest:
            merges[f"{begun} {part}"] = None
            begun += part
            tokens[begun] = None
    return {token: number for number, token in enumerate([*tokens, START, END])}, list(merges)


def write_tokenizer(folder: Path) -> Any:
    """Write the tokenizer's files, and answer it as transformers loads it."""
    from transformers import CLIPTokenizer  # noqa: PLC0415 - only who trains needs it

    folder.mkdir(parents=True, exist_ok=True)
    tokens, merges = vocabulary()
    (folder / "vocab.json").write_text(json.dumps(tokens, ensure_ascii=False))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": CONTEXT}
    config |= {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer
