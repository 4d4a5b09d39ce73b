# One image with every program; a service names the one that it runs.
#
#   docker build -t zflow:local --build-arg VERSION=$(git describe --tags --always) .
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

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/bin/ /usr/bin/
COPY --from=build --chown=65532:65532 /image/data /data
COPY --from=build --chown=65532:65532 /image/keys /keys
COPY configs/nats.conf configs/roles.conf configs/zflow.yaml /etc/zflow/
ENV PATH=/usr/bin
USER 65532:65532
CMD ["zflow", "--help"]
