# The default image holds the program, the libraries it is linked to and what they read; nothing else, no shell.
# `--target debug` puts the same program on Debian, with a shell and curl.

FROM swift:6.3.1-bookworm AS build
# The distribution's own current versions are wanted: they are what security updates replace.
# hadolint ignore=DL3008
RUN apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
      ca-certificates libpq-dev libssl-dev make pkg-config python3 tzdata zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Makefile Package.swift Package.resolve[d] ./
COPY Scripts Scripts
COPY Sources Sources
COPY Tests Tests
RUN make build
COPY LICENSE ./
COPY Deploy/container Deploy/container
ARG SOURCE_DATE_EPOCH=0
RUN Deploy/container/collect-root.sh .build/release/sentry-api-proxy /image

FROM debian:bookworm-slim AS debug
# hadolint ignore=DL3008
RUN apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
      ca-certificates curl libpq5 libssl3 libstdc++6 tzdata zlib1g \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/usr/bin/sentry-api-proxy /usr/bin/sentry-api-proxy
COPY --from=build /image/usr/share/sbom /usr/share/sbom
EXPOSE 8080 9090
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/bin/sentry-api-proxy", "healthcheck"]
ENTRYPOINT ["/usr/bin/sentry-api-proxy"]

FROM scratch AS run
COPY --from=build /image /
ARG VERSION=0.1.0
ARG REVISION=
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="sentry-api-proxy" \
      org.opencontainers.image.description="A credential gateway in front of the Sentry API." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
# The listeners' addresses stand here so that `healthcheck`, run beside the proxy, looks where the proxy listens. Both are for
# the container's network, in both families; neither is published unless it is asked for.
ENV LISTEN=:8080 \
    ADMIN_LISTEN=:9090 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
EXPOSE 8080 9090
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["/usr/bin/sentry-api-proxy", "healthcheck"]
ENTRYPOINT ["/usr/bin/sentry-api-proxy"]
