# One image with every program; a service names the one that it runs. And one for the
# worker, with Node.js for code steps.
#
#   docker build -t zflow:local --build-arg VERSION=$(git describe --tags --always) .
#   docker build -t zflow-worker:local --target worker-node .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
# timetzdata: the image has no time zones of its own.
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o /image/bin/ ./cmd/...
# A volume that is mounted for the first time takes over the owner and mode of
# what the image has there.
RUN mkdir -p /image/data /image/keys/private /image/keys/public && chmod 700 /image/data /image/keys/private

# Node.js alone, and what it is linked to: no npm, no shell. Code is bundled where it is
# deployed from, so nothing is installed here.
FROM node:24-bookworm-slim AS node
FROM gcr.io/distroless/cc-debian12:nonroot AS worker-node
COPY --from=node /usr/local/bin/node /usr/bin/
COPY --from=build /image/bin/worker /usr/bin/
COPY --from=build --chown=65532:65532 /image/keys /keys
COPY configs/zflow.yaml /etc/zflow/
ENV PATH=/usr/bin
USER 65532:65532
CMD ["worker", "--config", "/etc/zflow/zflow.yaml"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/bin/ /usr/bin/
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build --chown=65532:65532 /image/keys /keys
COPY configs/nats.conf configs/roles.conf configs/zflow.yaml /etc/zflow/
ENV PATH=/usr/bin
USER 65532:65532
CMD ["zflow", "--help"]
