# The MongoDB-compatible server of the tests. The chart's default is the official image; it cannot be pulled everywhere.
ARG BASE_IMAGE=python:3.12-slim
FROM ${BASE_IMAGE}
ARG SECANTUSDB_VERSION
RUN python3 -m venv /opt/mongodb \
 && /opt/mongodb/bin/pip install --no-cache-dir --no-compile "SecantusDB==${SECANTUSDB_VERSION}" \
 && /opt/mongodb/bin/pip uninstall --yes pip \
 && mkdir -p /data/db && chown 65532:65532 /data/db
USER 65532:65532
VOLUME /data/db
EXPOSE 27017
# Commits are flushed, as a real server's journal is: the tests end it in the midst of things.
ENTRYPOINT ["/opt/mongodb/bin/secantusd-py", "--host", "0.0.0.0", "--port", "27017", "--storage-path", "/data/db"]
CMD ["--sync-on-commit", "--cache-size", "256M"]
