package intake

import (
	"io"
	"net/http"
	"time"

	"zflow/internal/unused"
	webhttp "zflow/sources/http"
	"zflow/sources/zoom"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// A webhook is answered within 2.5 s; who needs longer to send one is no Zoom.
const (
	headerTimeout  = 3 * time.Second
	readTimeout    = 5 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
	maxStreams     = 250                    // requests at once over one HTTP/2 connection
	unusedFor      = 100 * time.Millisecond // after the stop, until a connection without a request is closed
)

func (in *Intake) publicServer() (*http.Server, *unused.Conns) {
	mux := http.NewServeMux()
	mux.Handle(zoom.Path, in.timed(in.handler))
	mux.Handle(webhttp.Path, in.web.handler)
	if in.config.Verification != "" {
		mux.HandleFunc("GET "+verificationPath, in.verifyDomain)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		in.numbers.notFound.Inc()
		http.Error(w, "not found", http.StatusNotFound)
	})
	s, u := in.server(mux), &unused.Conns{}
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true) // from a proxy that speaks it
	s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams, PingTimeout: readTimeout, SendPingTimeout: idleTimeout}
	s.ConnState = u.Note
	return s, u
}

// verificationPath is where Zoom looks for its file when it validates a domain.
const verificationPath = "/zoomverify/verifyzoom.html"

func (in *Intake) verifyDomain(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	// Zoom asks again where the answer did not arrive.
	_, _ = io.WriteString(w, in.config.Verification)
}

func (in *Intake) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		// What it says is about single connections of strangers.
		ErrorLog: zap.NewStdLog(in.log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
	}
}

// timed measures how long answers take.
func (in *Intake) timed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		h.ServeHTTP(w, r)
		in.numbers.seconds.Observe(time.Since(start).Seconds())
	})
}

func (in *Intake) privateServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", in.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(in.numbers.registry, promhttp.HandlerOpts{}))
	return in.server(mux)
}

// readyz tells a load balancer whether to send requests: from the first time that
// events could be stored until the stop. A NATS that is away later does not count:
// URL validation must still reach us, and events are answered 503.
func (in *Intake) readyz(w http.ResponseWriter, _ *http.Request) {
	switch {
	case in.draining.Load():
		say(w, http.StatusServiceUnavailable, "stopping")
	case in.store.Load() == nil:
		say(w, http.StatusServiceUnavailable, "waiting for NATS")
	case !in.nc.IsConnected():
		say(w, http.StatusOK, "ready, but NATS is away: events are answered 503")
	default:
		say(w, http.StatusOK, "ready")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// Who asked and is gone needs no answer.
	_, _ = w.Write([]byte(text + "\n"))
}
