"""Which extension is read by which builder: the table of the datasets library (5.2), as data.

Source: ``datasets/packaged_modules/__init__.py``; ``tests/datasets_app/shape`` compares the two.
"""

from collections.abc import Mapping
from typing import Any, Final

_IMAGES = """apng blp bmp bufr bw cur dcx dds dib emf eps fit fits flc fli ftc ftu gbr gif grib icb
icns ico iim im j2c j2k jfif jp2 jpc jpe jpeg jpf jpg jpx msp pbm pcd pcx pgm png pnm ppm ps psd
pxr ras rgb rgba sgi tga tif tiff vda vst webp wmf xbm xpm"""
_AUDIO = """3g2 3gp aiff asf au avr caf f4v flac flv htk ircam m4v mat4 mat5 mp3 mpc2k mpg mxf nist
nut ogg ogm opus paf pvf raw rf64 sd2 sds svx voc w64 wav wavex webm wma wmv wve xi"""

_EXTENSIONS: Final[Mapping[str, str]] = {
    "csv": "csv tsv",
    "json": "json jsonl ndjson",
    "parquet": "parquet geoparquet gpq",
    "arrow": "arrow",
    "text": "txt",
    "conll": "conll conllu",
    "webdataset": "tar",
    "xml": "xml",
    "hdf5": "hdf5 h5",
    "eval": "eval",
    "harbor": "toml md",
    "lance": "lance",
    "tsfile": "tsfile",
    "vortex": "vortex",
    "fasta": "fa fasta fna ffn faa frn afa",
    "genbank": "gb gbk genbank",
    "fastq": "fq fastq",
    "pdb": "pdb ent",
    "mmcif": "cif mmcif",
    "imagefolder": _IMAGES,
    "audiofolder": _AUDIO,
    "videofolder": "avi mkv mov mp4 mpeg",
    "meshfolder": "glb gltf ply stl",
    "pdffolder": "pdf",
    "niftifolder": "nii",
}
"""Builder to its extensions, without the dot."""

FOLDERS: Final = {
    "imagefolder": "image",
    "audiofolder": "audio",
    "videofolder": "video",
    "pdffolder": "pdf",
    "meshfolder": "mesh",
    "niftifolder": "nifti",
}
"""Builders of one row per file, and the column that holds the file."""
_SHOUTED: Final = {*FOLDERS, "pdb"}
"""Builders whose extensions count in capitals too."""

BUILDERS: Final[Mapping[str, str]] = {
    f".{name}": builder for builder, names in _EXTENSIONS.items() for name in names.split()
}
DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    ".tsv": {"sep": "\t"},
    ".conllu": {"comment_prefix": "#"},
}
"""Parameters that go with an extension."""

_METADATA: Final = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
METADATA_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys([*FOLDERS, "pdb", "mmcif"], _METADATA),
    "harbor": ("task.toml", "instruction.md"),
    "lance": ("latest_version_hint.json",),
}
ALL_METADATA_NAMES: Final = frozenset(name for names in METADATA_NAMES.values() for name in names)
_METADATA_EXTENSIONS: Final = {"lance": (".idx", ".txn", ".manifest")}

ALLOWED: Final = frozenset(
    [
        *BUILDERS,
        *(ext.upper() for ext, builder in BUILDERS.items() if builder in _SHOUTED),
        *(ext for names in _METADATA_EXTENSIONS.values() for ext in names),
        ".zip",
    ]
)
"""A file none of whose suffixes is here is no data file."""

SUPPORTED: Final = frozenset(
    {
        *("parquet", "csv", "json", "text", "arrow", "webdataset"),
        *("imagefolder", "audiofolder", "videofolder", "pdffolder"),
    }
)
"""Builders that we read."""

PARAMS: Final[Mapping[str, frozenset[str]]] = {
    "csv": frozenset(
        {
            *("sep", "delimiter", "header", "names", "column_names", "quotechar", "escapechar"),
            *("encoding", "skiprows", "na_values", "decimal", "thousands", "comment"),
            "lineterminator",
        }
    ),
    "json": frozenset({"field", "encoding", "newlines_in_values"}),
    "text": frozenset({"sample_by", "keep_linebreaks", "encoding"}),
    "parquet": frozenset({"columns"}),
    **dict.fromkeys(FOLDERS, frozenset({"drop_labels", "drop_metadata"})),
}
"""Parameters from a card that we take; all others are left alone."""


def extensions_of(builder: str) -> tuple[str, ...]:
    """The suffixes of files that a builder reads, archives included."""
    own = [ext for ext, name in BUILDERS.items() if name == builder]
    shouted = [ext.upper() for ext in own] if builder in _SHOUTED else []
    return (*own, *shouted, ".zip", *_METADATA_EXTENSIONS.get(builder, ()))


def suffixes(name: str) -> list[str]:
    """Each suffix of a file's name: ``a.jsonl.gz`` has ``.jsonl`` and ``.gz``."""
    return [f".{suffix}" for suffix in name.rpartition("/")[2].split(".")[1:]]
