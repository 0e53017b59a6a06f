# One image per service: docker build --build-arg SERVICE=goals -t trellis-goals .
# A consumer lives in another room:  docker build --build-arg ROOM=consumers --build-arg SERVICE=payroll -t trellis-payroll .
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --uid 10001 --no-create-home trellis && install --directory --owner=trellis /data
WORKDIR /app
COPY deploy/requirements.lock .
RUN pip install --require-hashes --requirement requirements.lock

ARG SERVICE
ARG ROOM=services
COPY shared shared
COPY ${ROOM}/__init__.py ${ROOM}/__init__.py
COPY ${ROOM}/${SERVICE} ${ROOM}/${SERVICE}
RUN test -n "${SERVICE}" && python -m compileall -q .
ENV PACKAGE=${ROOM}.${SERVICE}

USER 10001
EXPOSE 8000
# exec: the process itself gets SIGTERM
ENTRYPOINT ["sh", "-c", "exec python -m \"$PACKAGE\" \"$@\"", "trellis"]
