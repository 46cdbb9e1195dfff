"""Which task a model is for and which class loads it, told by the name of its architecture.

Configs come from repos, so every value in them may be of any type.
"""

import re
from collections.abc import Mapping

Config = Mapping[str, object]
MAX_TEXT = 256


def _table(rows: tuple[tuple[str, str], ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), task) for pattern, task in rows)


# Read from the top, the first fit wins: whole families first, then the ends of names.
_ARCHITECTURES = _table(
    (
        (r"(Chinese|Alt)?CLIPModel|Siglip2?Model|AlignModel", "zero-shot-image-classification"),
        (r"BlipModel|MetaClip2Model", "zero-shot-image-classification"),
        (r"(Blip|ViltFor|.*ForVisual)\w*QuestionAnswering", "visual-question-answering"),
        (r"(Blip2?|InstructBlip|Git|Pix2Struct)For\w+", "image-to-text"),
        (r"VisionEncoderDecoderModel", "image-to-text"),
        (r"LayoutLM\w*ForQuestionAnswering", "document-question-answering"),
        (r".*ForDocumentQuestionAnswering", "document-question-answering"),
        (r"Tapas\w*ForQuestionAnswering", "table-question-answering"),
        (r"(Owl|GroundingDino|MMGroundingDino|OmDet)\w*Detection", "zero-shot-object-detection"),
        (r"(Whisper|Speech2Text|Moonshine)\w*", "automatic-speech-recognition"),
        (r"SpeechEncoderDecoderModel|.*ForCTC", "automatic-speech-recognition"),
        (
            r"(ASTFor|Wav2Vec2\w*For|HubertFor|WavLMFor)SequenceClassification",
            "audio-classification",
        ),
        (r".*For(Audio|Speech)Classification", "audio-classification"),
        (r"Sam\w*Model", "mask-generation"),
        (r"(Vits|Bark|Musicgen|MusicGen)\w*", "text-to-audio"),
        (r"SpeechT5ForTextToSpeech|FastSpeech2Conformer\w*", "text-to-speech"),
        (r"Marian\w+|M2M100For\w+", "translation"),
        (r"Pegasus\w*ForConditionalGeneration", "summarization"),
        (r".*ForCausalLM|.*LMHeadModel", "text-generation"),
        (r".*ForMaskedLM|.*ForPreTraining", "fill-mask"),
        (r".*ForSequenceClassification", "text-classification"),
        (r".*ForTokenClassification", "token-classification"),
        (r".*ForQuestionAnswering\w*", "question-answering"),
        (r".*ForMultipleChoice", "multiple-choice"),
        (r".*ForImageClassification\w*", "image-classification"),
        (r".*ForObjectDetection", "object-detection"),
        (r".*For(Image|Semantic|Instance|Universal)Segmentation", "image-segmentation"),
        (r".*ForDepthEstimation", "depth-estimation"),
        (r".*ForVideoClassification", "video-classification"),
        (r".*ForImageToImage|.*ForImageSuperResolution", "image-to-image"),
        (r".*For(KeypointDetection|PoseEstimation)", "keypoint-detection"),
        (r"(TimeSeries|TimesFm|PatchT|Autoformer|Informer)\w*", "time-series-forecasting"),
        (r".*ForConditionalGeneration", "text2text-generation"),
        (r"(ViT|Dino|Swin|ResNet|ConvNext|Beit|DeiT)\w*Model", "image-feature-extraction"),
        (r".*Model", "feature-extraction"),
    )
)

_LOADERS: dict[str, str] = {
    "zero-shot-image-classification": "AutoModelForZeroShotImageClassification",
    "visual-question-answering": "AutoModelForVisualQuestionAnswering",
    "image-to-text": "AutoModelForImageTextToText",
    "image-text-to-text": "AutoModelForImageTextToText",
    "audio-text-to-text": "AutoModelForSeq2SeqLM",
    "document-question-answering": "AutoModelForDocumentQuestionAnswering",
    "table-question-answering": "AutoModelForTableQuestionAnswering",
    "zero-shot-object-detection": "AutoModelForZeroShotObjectDetection",
    "automatic-speech-recognition": "AutoModelForSpeechSeq2Seq",
    "audio-classification": "AutoModelForAudioClassification",
    "mask-generation": "AutoModelForMaskGeneration",
    "text-to-audio": "AutoModelForTextToWaveform",
    "text-to-speech": "AutoModelForTextToSpectrogram",
    "translation": "AutoModelForSeq2SeqLM",
    "summarization": "AutoModelForSeq2SeqLM",
    "text2text-generation": "AutoModelForSeq2SeqLM",
    "text-generation": "AutoModelForCausalLM",
    "fill-mask": "AutoModelForMaskedLM",
    "text-classification": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
    "question-answering": "AutoModelForQuestionAnswering",
    "multiple-choice": "AutoModelForMultipleChoice",
    "image-classification": "AutoModelForImageClassification",
    "object-detection": "AutoModelForObjectDetection",
    "image-segmentation": "AutoModelForImageSegmentation",
    "depth-estimation": "AutoModelForDepthEstimation",
    "video-classification": "AutoModelForVideoClassification",
    "image-to-image": "AutoModelForImageToImage",
    "keypoint-detection": "AutoModelForKeypointDetection",
}

# What carries the same class name is told apart by a part that only one of the two has.
_REFINED: dict[tuple[str, str], str] = {
    ("text2text-generation", "vision_config"): "image-text-to-text",
    ("text2text-generation", "audio_config"): "audio-text-to-text",
}

_DIFFUSERS_PIPELINES = _table(
    (
        (r".*(Img2Img|Inpaint|Upscale|Pix2Pix|Kontext|Edit)\w*", "image-to-image"),
        (r".*(ImageToVideo|Image2Video|I2V|VideoDiffusion)\w*", "image-to-video"),
        (r".*(Video|Wan|Mochi|LTX)\w*", "text-to-video"),
        (r".*(Audio|MusicLDM|DanceDiffusion)\w*", "text-to-audio"),
        (r"(DDPM|DDIM|PNDM|LDM|Consistency\w*)Pipeline", "unconditional-image-generation"),
        (r"ShapE\w*", "text-to-3d"),
    )
)


def texts(value: object) -> list[str]:
    """What of a value can be a tag: one word, or those of a list."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str) and is_usable(item)]


def is_usable(text: str) -> bool:
    return 0 < len(text) <= MAX_TEXT and text.isprintable()


def architectures_of(config: Config) -> list[str]:
    return texts(config.get("architectures"))


def task_of_architectures(config: Config) -> str | None:
    for architecture in architectures_of(config):
        task = next((task for fits, task in _ARCHITECTURES if fits.fullmatch(architecture)), None)
        if task:
            refined = (_REFINED[task, part] for part in config if (task, part) in _REFINED)
            return next(refined, task)
    return None


def loader_of(config: Config) -> str:
    """The class of transformers that loads the model."""
    if any(name.endswith("ForCTC") for name in architectures_of(config)):
        return "AutoModelForCTC"
    return _LOADERS.get(task_of_architectures(config) or "", "AutoModel")


def custom_class_of(config: Config) -> str | None:
    """The class of the repo's own code that would load the model; nobody here ever runs it."""
    auto_map = config.get("auto_map")
    if not isinstance(auto_map, dict):
        return None
    named = (name for key in (loader_of(config), "AutoModel") for name in texts(auto_map.get(key)))
    return next(named, None)


def diffusers_class_of(config: Config) -> str | None:
    """The pipeline's class, from model_index.json as it is or under the key ``diffusers``."""
    inner = config.get("diffusers")
    index = inner if isinstance(inner, dict) else config
    return next(iter(texts(index.get("_class_name"))), None)


def task_of_diffusers(config: Config) -> str:
    name = diffusers_class_of(config) or ""
    tasks = (task for fits, task in _DIFFUSERS_PIPELINES if fits.fullmatch(name))
    return next(tasks, "text-to-image")
