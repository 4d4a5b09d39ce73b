package zoom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"zflow/internal/sealed"
	"zflow/proto"
	"zflow/sources"
	"zflow/sources/zoom/event"

	"go.uber.org/zap"
)

// Path is where Zoom's webhooks arrive; the app's name follows.
const Path = "/hooks/zoom/"

// App is a Zoom app whose webhooks are taken.
type App struct {
	Name    string
	Secrets []string // secret tokens; more than one while one is being replaced
	// What Zoom sends beside the signature, where it is told to; empty: not checked.
	User, Password string // Basic authentication
	Header, Value  string // a header of its own
}

// Config is what a Handler is made of. Zero numbers are the defaults.
type Config struct {
	Apps []App
	Key  sealed.PublicKey // seals the credentials in events

	// Publish stores an event durably.
	Publish func(context.Context, *proto.Event) (sources.Ack, error)
	// Room returns an error while nothing may be accepted; nil: always room.
	Room func(context.Context) error
	// MaxPayload returns the NATS server's limit, 0 while it is unknown; nil: unknown.
	MaxPayload func() int64

	Past       time.Duration // how old a signature may be: 2 h
	Future     time.Duration // how far ahead its clock may be: 5 min
	Deadline   time.Duration // for an answer: 2.5 s
	MaxBody    int64         // in bytes, within what the server takes: 1 MiB
	Concurrent int           // verified events at once: 512
	Log        *zap.Logger
}

const (
	defaultPast       = 2 * time.Hour
	defaultFuture     = 5 * time.Minute
	defaultDeadline   = 2500 * time.Millisecond
	defaultConcurrent = 512
	// unverifiedShare is how many requests may be read for each that may be
	// published: who sends slowly and signs nothing takes no publisher's place.
	unverifiedShare = 4
)

// Handler answers Zoom's webhooks. See the package's obligations.
type Handler struct {
	config  Config
	apps    map[string]*app
	nowhere *counters // requests for no app
	reading chan struct{}
	storing chan struct{}
}

type app struct {
	name    string
	secrets [][]byte
	beside  []credential
	*counters
}

// NewHandler checks the configuration. An app without secrets is allowed: its
// requests are refused and counted.
func NewHandler(c Config) (*Handler, error) {
	if c.Publish == nil || c.Key.ID() == "" {
		return nil, errors.New("making the webhook handler: it needs a publisher and a sealing key")
	}
	c.Past = cmp.Or(c.Past, defaultPast)
	c.Future = cmp.Or(c.Future, defaultFuture)
	c.Deadline = cmp.Or(c.Deadline, defaultDeadline)
	c.MaxBody = cmp.Or(c.MaxBody, defaultMaxBody)
	c.Concurrent = cmp.Or(c.Concurrent, defaultConcurrent)
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	h := &Handler{config: c, apps: make(map[string]*app, len(c.Apps)), nowhere: newCounters(),
		reading: make(chan struct{}, unverifiedShare*c.Concurrent), storing: make(chan struct{}, c.Concurrent)}
	for _, a := range c.Apps {
		if err := h.add(a); err != nil {
			return nil, fmt.Errorf("making the webhook handler: %w", err)
		}
	}
	return h, nil
}

func (h *Handler) add(a App) error {
	if proto.Token(a.Name) != a.Name || a.Name == proto.None {
		return fmt.Errorf("the app name %q is not made of letters, digits, - and _", a.Name)
	}
	if h.apps[a.Name] != nil {
		return fmt.Errorf("the app %s is there twice", a.Name)
	}
	known := &app{name: a.Name, beside: a.credentials(), counters: newCounters()}
	for _, s := range a.Secrets {
		if s == "" {
			return fmt.Errorf("a secret of the app %s is empty", a.Name)
		}
		known.secrets = append(known.secrets, []byte(s))
	}
	h.apps[a.Name] = known
	return nil
}

// Stats returns what became of the requests, per app by name, then those for none.
func (h *Handler) Stats() []Stats {
	all := make([]Stats, 0, len(h.apps)+1)
	for name, a := range h.apps {
		all = append(all, a.stats(name, len(a.secrets)))
	}
	slices.SortFunc(all, func(a, b Stats) int { return strings.Compare(a.App, b.App) })
	return append(all, h.nowhere.stats("", 0))
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, found := strings.CutPrefix(r.URL.Path, Path)
	a := h.apps[name]
	if !found || a == nil {
		refuse(w, h.nowhere, UnknownApp)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, a.counters, BadMethod)
		return
	}
	release, ok := take(h.reading)
	if !ok {
		refuse(w, a.counters, Overload)
		return
	}
	defer release()
	ctx, cancel := context.WithTimeout(r.Context(), h.config.Deadline)
	defer cancel()
	h.receive(ctx, w, r, a)
}

// receive reads and verifies a request and answers it.
func (h *Handler) receive(ctx context.Context, w http.ResponseWriter, r *http.Request, a *app) {
	body, outcome := readBody(ctx, w, r, h.maxBody())
	if outcome != Accepted {
		refuse(w, a.counters, outcome)
		return
	}
	timestamp := r.Header.Get(timestampHeader)
	secret, ok := verify(a.secrets, r.Header.Get(signatureHeader), timestamp, body)
	if !ok {
		refuse(w, a.counters, BadSignature)
		return
	}
	now := time.Now()
	if outcome := h.freshness(timestamp, now); outcome != Accepted {
		refuse(w, a.counters, outcome)
		return
	}
	e, err := event.Read(body)
	if err != nil {
		refuse(w, a.counters, Malformed)
		return
	}
	if e.Type == validationType {
		// Signed is enough: a URL that is not validated gets no events at all.
		validate(w, a, secret, &e)
		return
	}
	if !a.hasAll(r.Header) {
		refuse(w, a.counters, BadCredential)
		return
	}
	outcome = h.store(ctx, a, &e, body, now)
	if outcome != Accepted && outcome != Duplicate {
		refuse(w, a.counters, outcome)
		return
	}
	a.count(outcome)
	w.WriteHeader(http.StatusNoContent)
}

func (h *Handler) freshness(timestamp string, now time.Time) Outcome {
	at, ok := signedAt(timestamp)
	switch {
	case !ok:
		return BadSignature
	case now.Sub(at) > h.config.Past:
		return Stale
	case at.Sub(now) > h.config.Future:
		return Future
	}
	return Accepted
}

// take takes a slot if one is free: who has to wait is better told to come again.
func take(slots chan struct{}) (release func(), ok bool) {
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, true
	default:
		return nil, false
	}
}

// status is the answer to each outcome that refuses.
func (o Outcome) status() int {
	switch o {
	case BadSignature, BadCredential, Stale, Future:
		return http.StatusUnauthorized
	case Oversize:
		return http.StatusRequestEntityTooLarge
	case Truncated, Malformed:
		return http.StatusBadRequest
	case UnknownApp:
		return http.StatusNotFound
	case BadMethod:
		return http.StatusMethodNotAllowed
	}
	return http.StatusServiceUnavailable
}

// refuse counts and answers. The sender learns no more than the status says.
func refuse(w http.ResponseWriter, c *counters, o Outcome) {
	c.count(o)
	http.Error(w, strings.ToLower(http.StatusText(o.status())), o.status())
}
