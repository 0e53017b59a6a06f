# One image per service: docker build --build-arg SERVICE=goals -t trellis-goals .
# A consumer lives in another room:  docker build --build-arg ROOM=consumers --build-arg SERVICE=payroll -t trellis-payroll .
FROM python:3.13-slim AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY deploy/requirements.lock .
# compiled by content and not by time: the same lock gives the same bytes
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --require-hashes --only-binary=:all: --no-compile --requirement requirements.lock \
    && find /venv -type d \( -name tests -o -name testing \) -path '*/site-packages/sqlalchemy/*' -prune -exec rm -r {} + \
    && python -m compileall -q --invalidation-mode unchecked-hash /venv/lib

FROM python:3.13-slim AS program
ARG SERVICE
ARG ROOM=services
WORKDIR /app
COPY shared shared
COPY ${ROOM}/__init__.py ${ROOM}/__init__.py
COPY ${ROOM}/${SERVICE} ${ROOM}/${SERVICE}
COPY deploy/healthcheck.py healthcheck.py
RUN test -n "${SERVICE}" && python -m compileall -q --invalidation-mode unchecked-hash .

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin trellis && install --directory --owner=trellis /data
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=dependencies /venv /venv
COPY --from=program /app /app

ARG SERVICE
ARG ROOM=services
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="trellis-${SERVICE}" \
    org.opencontainers.image.description="Trellis, event-sourced performance management: ${ROOM}/${SERVICE}" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="docker.io/library/python:3.13-slim"
ENV PACKAGE=${ROOM}.${SERVICE}

# Nothing is written outside /data (payroll's books): run it with a read-only root file system.
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=5s --start-period=120s --retries=3 CMD ["python", "-I", "-S", "/app/healthcheck.py"]
# exec: the process itself gets SIGTERM
ENTRYPOINT ["sh", "-c", "exec python -m \"$PACKAGE\" \"$@\"", "trellis"]
