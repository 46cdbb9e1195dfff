"""Which imports of a pickle are harmless: a list of what is known, and a word for all others.

What is on no list is suspicious: a list of what is dangerous is never complete.
"""

import re

from hub.scanning.verdicts import Safety


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _names(
    "bool bytearray bytes complex dict float frozenset int list long object range set slice str "
    "tuple unicode xrange"
)
_TORCH = _names(
    "Size Tensor BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage "
    "ComplexFloatStorage DoubleStorage FloatStorage HalfStorage IntStorage LongStorage "
    "QInt32Storage QInt8Storage QUInt2x4Storage QUInt4x2Storage QUInt8Storage ShortStorage "
    "bfloat16 bool complex128 complex32 complex64 device double dtype float float16 float32 "
    "float64 float8_e4m3fn float8_e5m2 half int int16 int32 int64 int8 long per_channel_affine "
    "per_tensor_affine qint32 qint8 quint8 short sparse_coo sparse_csr strided uint8"
)
_TORCH_UTILS = _names(
    "_rebuild_device_tensor_from_numpy _rebuild_meta_tensor_no_storage _rebuild_nested_tensor "
    "_rebuild_parameter _rebuild_parameter_with_state _rebuild_qtensor _rebuild_sparse_csr_tensor "
    "_rebuild_sparse_tensor _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 "
    "_rebuild_wrapper_subclass"
)
_NUMPY_SCALARS = _names(
    "bool bool_ complex128 complex64 dtype float16 float32 float64 int16 int32 int64 int8 ndarray "
    "object_ str_ bytes_ uint16 uint32 uint64 uint8"
)
_NUMPY_DTYPES = _names(
    "BoolDType ByteDType BytesDType Complex128DType Complex64DType Float16DType Float32DType "
    "Float64DType Int16DType Int32DType Int64DType Int8DType LongLongDType ObjectDType StrDType "
    "UInt16DType UInt32DType UInt64DType UInt8DType ULongLongDType VoidDType"
)
_RANDOM = frozenset(
    ["__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor"],
)

KNOWN: dict[str, frozenset[str]] = {
    "__builtin__": _BUILTINS,
    "builtins": _BUILTINS,
    "_codecs": frozenset({"encode"}),
    "argparse": frozenset({"Namespace"}),
    "collections": frozenset({"Counter", "OrderedDict", "defaultdict", "deque"}),
    "copy_reg": frozenset({"_reconstructor"}),
    "copyreg": frozenset({"_reconstructor", "__newobj__"}),
    "datetime": frozenset({"date", "datetime", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "fractions": frozenset({"Fraction"}),
    "joblib.numpy_pickle": frozenset({"NumpyArrayWrapper"}),
    "numpy": _NUMPY_SCALARS,
    "numpy._core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy._core.numeric": frozenset({"_frombuffer"}),
    "numpy.core.multiarray": frozenset({"_reconstruct", "scalar"}),
    "numpy.core.numeric": frozenset({"_frombuffer"}),
    "numpy.dtypes": _NUMPY_DTYPES,
    "numpy.random._mt19937": frozenset({"MT19937"}),
    "numpy.random._pcg64": frozenset({"PCG64"}),
    "numpy.random._pickle": _RANDOM,
    "pathlib": frozenset({"PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"}),
    "torch": _TORCH,
    "torch._tensor": frozenset({"_rebuild_from_type_v2"}),
    "torch._utils": _TORCH_UTILS,
    "torch.nn.parameter": frozenset({"Buffer", "Parameter"}),
    "torch.serialization": frozenset({"_get_layout"}),
    "torch.storage": frozenset({"TypedStorage", "UntypedStorage"}),
    "uuid": frozenset({"UUID", "SafeUUID"}),
    "scipy.sparse._csc": frozenset({"csc_matrix", "csc_array"}),
    "scipy.sparse._csr": frozenset({"csr_matrix", "csr_array"}),
    "sklearn.cluster._kmeans": frozenset({"KMeans", "MiniBatchKMeans"}),
    "sklearn.decomposition._pca": frozenset({"PCA"}),
    "sklearn.decomposition._truncated_svd": frozenset({"TruncatedSVD"}),
    "sklearn.ensemble._forest": frozenset(
        {
            "ExtraTreesClassifier",
            "ExtraTreesRegressor",
            "RandomForestClassifier",
            "RandomForestRegressor",
        }
    ),
    "sklearn.ensemble._gb": frozenset({"GradientBoostingClassifier", "GradientBoostingRegressor"}),
    "sklearn.feature_extraction.text": frozenset(
        {"CountVectorizer", "TfidfTransformer", "TfidfVectorizer"}
    ),
    "sklearn.linear_model._base": frozenset({"LinearRegression"}),
    "sklearn.linear_model._coordinate_descent": frozenset({"ElasticNet", "Lasso"}),
    "sklearn.linear_model._logistic": frozenset({"LogisticRegression"}),
    "sklearn.linear_model._ridge": frozenset({"Ridge", "RidgeClassifier"}),
    "sklearn.naive_bayes": frozenset({"BernoulliNB", "GaussianNB", "MultinomialNB"}),
    "sklearn.neighbors._classification": frozenset({"KNeighborsClassifier"}),
    "sklearn.pipeline": frozenset({"FeatureUnion", "Pipeline"}),
    "sklearn.preprocessing._data": frozenset({"MinMaxScaler", "StandardScaler"}),
    "sklearn.preprocessing._encoders": frozenset({"OneHotEncoder", "OrdinalEncoder"}),
    "sklearn.preprocessing._label": frozenset({"LabelEncoder"}),
    "sklearn.svm._classes": frozenset({"LinearSVC", "SVC", "SVR"}),
    "sklearn.tree._classes": frozenset({"DecisionTreeClassifier", "DecisionTreeRegressor"}),
    "sklearn.tree._tree": frozenset({"Tree"}),
}
"""Rebuilding these runs nothing but their own constructors."""

# Layers of whole models: classes whose state is a dictionary. A dot in a name would walk on to
# whatever the module has imported itself.
_LAYER_MODULE = re.compile(r"torch\.nn\.modules\.[a-z]+")
_LAYER = re.compile(r"[A-Z][A-Za-z0-9]*")

_DANGEROUS = _names(
    "_frozen_importlib _frozen_importlib_external _io _osx_support _posixsubprocess "
    "_sitebuiltins _winapi aiohttp antigravity asyncio bdb cProfile cgitb cloudpickle code codeop "
    "commands compileall ctypes dill distutils ensurepip fileinput ftplib functools gc http "
    "httplib idlelib imaplib imp importlib inspect io lib2to3 linecache logging marshal mmap "
    "multiprocessing nt ntpath operator os pdb pickle pickletools pip pkg_resources pkgutil "
    "platform poplib popen2 posix posixpath profile pty py_compile pydoc requests runpy select "
    "setuptools shelve shutil signal site smtplib socket socketserver sqlite3 ssl subprocess sys "
    "sysconfig tarfile telnetlib tempfile test threading timeit trace types unittest urllib "
    "urllib2 urllib3 uu venv webbrowser winreg xmlrpc zipapp zipfile zipimport"
)
"""Modules that reach files, the network, other processes or the interpreter itself."""
_DANGEROUS_NAMES = frozenset(
    {
        ("numpy", "load"),
        ("numpy.testing._private.utils", "runstring"),
        ("torch", "load"),
        ("torch.jit", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("torch.serialization", "load"),
        ("pandas", "read_pickle"),
        ("joblib", "load"),
        ("joblib.numpy_pickle", "load"),
    }
)
_DANGEROUS_WITHIN = (
    "torch.hub",
    "torch.utils._config_module",
    "torch.utils.cpp_extension",
    "torch.distributed",
    "torch._inductor",
    "torch._dynamo",
    "numpy.distutils",
    "numpy.f2py",
    "keras.utils",
    "tensorflow.keras.utils",
)


def judge(module: str, name: str) -> Safety:
    """Say what importing ``name`` from ``module`` means."""
    if name in KNOWN.get(module, ()) or _is_layer(module, name):
        return Safety.INNOCUOUS
    is_dangerous = (
        module.partition(".")[0] in _DANGEROUS
        or module in {"builtins", "__builtin__"}
        or (module, name) in _DANGEROUS_NAMES
        or module.startswith(_DANGEROUS_WITHIN)
        or any(part.startswith("__") for part in name.split(".")[1:])
    )
    return Safety.DANGEROUS if is_dangerous else Safety.SUSPICIOUS


def _is_layer(module: str, name: str) -> bool:
    return bool(_LAYER_MODULE.fullmatch(module) and _LAYER.fullmatch(name))
