package zoom

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

const (
	defaultMaxBody = 1 << 20
	// spare is what a message holds besides the body: headers, and what sealing adds.
	spare = 64 << 10
	// headersSpare of it is kept for the headers.
	headersSpare = 16 << 10
	firstRead    = 4 << 10
)

// maxPayload is the server's limit, or what is surely within it.
func (h *Handler) maxPayload() int64 {
	if h.config.MaxPayload != nil {
		if n := h.config.MaxPayload(); n > 0 {
			return n
		}
	}
	return defaultMaxBody + spare
}

// maxBody is the longest body that is taken: one that the server refuses would be
// answered 503 and sent three times more.
func (h *Handler) maxBody() int64 {
	server := h.maxPayload()
	return min(h.config.MaxBody, max(server-spare, server/2))
}

// maxSealed is the longest body after sealing.
func (h *Handler) maxSealed() int64 {
	server := h.maxPayload()
	return max(server-headersSpare, server/2)
}

// readBody reads a body of up to limit bytes and not one more than it takes to
// know that it is longer. Accepted means that it is whole.
func readBody(ctx context.Context, w http.ResponseWriter, r *http.Request, limit int64) ([]byte, Outcome) {
	if r.ContentLength > limit {
		return nil, Oversize
	}
	if deadline, ok := ctx.Deadline(); ok {
		// Where it is not supported the server's own read time-out ends the reading.
		_ = http.NewResponseController(w).SetReadDeadline(deadline)
	}
	size := int64(firstRead)
	if r.ContentLength >= 0 {
		size = min(r.ContentLength+1, 16*firstRead)
	}
	body, err := readAll(io.LimitReader(r.Body, limit+1), make([]byte, 0, size))
	switch {
	case int64(len(body)) > limit:
		return nil, Oversize
	case timedOut(err):
		return nil, Unavailable
	case err != nil:
		return nil, Truncated
	case r.ContentLength >= 0 && int64(len(body)) != r.ContentLength:
		return nil, Truncated
	}
	return body, Accepted
}

// readAll is io.ReadAll into a buffer: what was promised is not yet allocated,
// since anyone can promise a megabyte.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) { // never ErrUnexpectedEOF, which is another error
			return b, nil
		}
		if err != nil {
			return b, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
