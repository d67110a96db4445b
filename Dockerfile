# syntax=docker/dockerfile:1
# The operator and its plug-in.  Build it with `docker build .`, or with `make image` where no registry is reachable.
ARG BASE=python:3.14-slim-trixie

FROM ${BASE} AS build
# A file with pip's settings may be handed in as a secret (--secret id=pip.conf,src=...), for an index of one's own.
WORKDIR /src
COPY requirements-build.lock requirements-image.lock ./
RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf,required=false \
    python3 -m venv /tools \
 && python3 -m venv --without-pip /opt/periodicbuild \
 && /tools/bin/pip install --quiet --no-deps --require-hashes -r requirements-build.lock \
 && /tools/bin/pip --python /opt/periodicbuild/bin/python install --quiet --no-compile --no-deps --require-hashes \
      -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY operator operator
RUN /tools/bin/pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
 && /tools/bin/pip --python /opt/periodicbuild/bin/python install --quiet --no-compile --no-deps --no-index /wheels/*.whl \
 # Compiled by content and not by time, all of it, and in one order: equal sources make an equal image.
 && PYTHONHASHSEED=0 /opt/periodicbuild/bin/python -m compileall -q -f --invalidation-mode unchecked-hash \
      /opt/periodicbuild/lib

FROM ${BASE}
# No pip, here or in reach: nothing is ever installed into a running container.
RUN python3 -B -c "import glob, shutil, sys, sysconfig; \
    [shutil.rmtree(path, ignore_errors=True) for name in ('pip', 'pip-*', 'setuptools*', 'wheel*', 'ensurepip') \
     for key in ('purelib', 'stdlib') for path in glob.glob(f'{sysconfig.get_path(key)}/{name}')]" \
 && rm -rf /usr/share/python-wheels /usr/local/bin/pip* /usr/bin/pip*
COPY --from=build /opt/periodicbuild /opt/periodicbuild
ENV PATH=/opt/periodicbuild/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["periodicbuild"]
CMD ["run", "--listen=:8080", "--log-format=json"]
EXPOSE 8080
ARG VERSION=0.0.0
ARG REVISION=unknown
ENV PERIODICBUILD_REVISION=${REVISION}
LABEL org.opencontainers.image.title="periodicbuild" \
      org.opencontainers.image.description="Rebuilds servers and artifacts from scratch at intervals, and keeps a ledger of every slot" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
