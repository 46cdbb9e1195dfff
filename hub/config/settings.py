"""All settings, in the order of Django's reference; what an operator may change is in env.py."""

import tomllib
from pathlib import Path

from hub.config import celery as _celery  # noqa: F401 - shared tasks find their app by it
from hub.config import database, logs
from hub.config.env import load

env = load()
BASE_DIR = Path(__file__).resolve().parents[2]

# --- Core -----------------------------------------------------------------------------------------
# Clients ask the viewer of datasets at a host of its own, below the hub's.
ALLOWED_HOSTS = [*env.hosts, *(f"datasets-server.{host}" for host in env.hosts)]
APPEND_SLASH = False
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": env.cache_url}
    if env.cache_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if env.secure else "csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = env.secure
CSRF_FAILURE_VIEW = "teams.http.page.csrf_failed"
CSRF_TRUSTED_ORIGINS = [env.url] if env.url else []
DATABASES = {"default": database.settings_of(env)}
# Bodies are streams here: uploads have limits of their own, and memory is never sized by a client.
DATA_UPLOAD_MAX_MEMORY_SIZE = None
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DEBUG = env.debug
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "teams.apps.TeamsConfig",
    "hub.apps.HubConfig",
    "datasets_app.apps.DatasetsConfig",
    "inference.apps.InferenceConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "template_partials.apps.SimpleAppConfig",
]
LANGUAGE_CODE = "en"
LOGGING = logs.configuration(env.log_format, env.log_level)
LOGGING_CONFIG = "logging.config.dictConfig"
# Few, because the commit path pays for each.
MIDDLEWARE = [
    "teams.http.security.RequestIdMiddleware",
    "teams.http.raw_path.RawPathMiddleware",
    "datasets_app.http.viewer_host.ViewerHostMiddleware",
    "teams.http.security.AnswerMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "hub.config.urls"
SECRET_KEY = env.signing_key()
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.secure else None
# What these two middlewares of Django would add, AnswerMiddleware adds.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "teams.http.page.page_context",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
        },
    }
]
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
USE_X_FORWARDED_HOST = False
WSGI_APPLICATION = "hub.config.wsgi.application"

# --- Auth -----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "teams.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Of allauth we use the protocols; whose account it is, services/sso.py decides.
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
SOCIALACCOUNT_ADAPTER = "teams.http.sso.SsoAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "/login"
LOGOUT_REDIRECT_URL = "/"

# --- Messages, sessions ---------------------------------------------------------------------------
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
# A browser takes a __Host- cookie only over TLS, for this host alone and with no domain widening.
SESSION_COOKIE_NAME = "__Host-session" if env.secure else "session"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = env.secure

# --- Static files ---------------------------------------------------------------------------------
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True

# --- REST -----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # With nobody authenticated this lets nobody in: a view has to say who may.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # What a view calls format is its own matter.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Weighhouse",
    "DESCRIPTION": "A home for models and datasets that anyone can run.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# --- Ours -----------------------------------------------------------------------------------------
# What lies in a bucket is on no disk that the proxy could send from.
ACCEL_PREFIX = "" if env.store.startswith("s3:") else env.accel_prefix
AUDIT_DAYS = env.audit_days
AUDIT_KEYS = env.audit_keys or (SECRET_KEY,)
CLAMD_SOCKET = str(env.clamd_socket or "")
DATA = env.data
INTERNAL_URL = env.web_url
LINE_BIND = env.line_bind
LINE_PORT = env.line_port
LFS_MULTIPART_FROM = env.lfs_multipart_from
LFS_PART_BYTES = env.lfs_part_bytes
MAIL = env.mail
MAX_FILE_BYTES = env.max_file_bytes
MAX_JSON_BYTES = env.max_json_bytes
MODELS_HOME = env.data / "models"
MODELS_BYTES = env.models_bytes
MODEL_MEMORY = env.model_memory
# Empty where nobody configured one: links then name the origin that the caller asked.
PUBLIC_URL = env.url
QUOTA_ORGANISATION = env.quota_organisation
QUOTA_USER = env.quota_user
RUNS_HOME = env.data / "runs"
RATE_ANONYMOUS = env.rates(env.rate_anonymous)
RATE_USER = env.rates(env.rate_user)
S3 = {
    "endpoint": env.s3_endpoint,
    "public_endpoint": env.s3_public_endpoint,
    "region": env.s3_region,
    "key": env.s3_key,
    "secret": env.s3_secret,
}
S3_DIRECT = env.s3_direct
SCAN_POLICY = env.scan_policy
SSO_HOSTS = frozenset(env.sso_hosts)
SSO_KEYS = env.webhook_keys or (SECRET_KEY,)
STORE_URL = env.store
TRUSTED_PROXIES = env.trusted_proxies
WEB_THREADS = env.web_threads
WEBHOOK_ALLOW_CIDRS = env.webhook_allow_cidrs
WEBHOOK_CA_BUNDLE = str(env.webhook_ca_bundle or "")
WEBHOOK_DENY_CIDRS = env.webhook_deny_cidrs
WEBHOOK_KEYS = env.webhook_keys or (SECRET_KEY,)
WEBHOOK_OWN_SERVICES = tuple(env.own_services)
WEBHOOK_PORTS = frozenset(map(int, env.webhook_ports))
WEBHOOK_PROXY = env.webhook_proxy_address
WEBHOOK_REQUIRE_HTTPS = env.webhook_require_https
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
