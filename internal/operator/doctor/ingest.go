package doctor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ingestWithin is how long ingest's metrics may take.
const ingestWithin = 5 * time.Second

// webhooks are an app's, by ingest's metrics.
type webhooks struct {
	by        map[string]float64 // outcome
	validated time.Time          // when Zoom last validated the URL; zero: not since ingest started
}

// validatedEvery is how often Zoom validates a URL; after six failures it sends
// nothing any more. Some hours more are no reason to worry.
const validatedEvery, validatedLate = 72 * time.Hour, 8 * time.Hour

var sample = regexp.MustCompile(`^zflow_webhook(s_total|_validated_timestamp_seconds)\{(.*)\} (\S+)$`)
var label = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)

func (e *examination) ingest(ctx context.Context) {
	if e.Metrics == "" {
		e.note("whether Zoom reaches ingest was not checked: give --ingest-metrics http://…:9090/metrics")
		return
	}
	apps, err := readMetrics(ctx, e.Metrics)
	if err != nil {
		e.found("ingest", e.Metrics, "start ingest, or give the right address with --ingest-metrics", "its metrics cannot be read: %v", err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(apps)) {
		if name != "" {
			e.webhooks(name, apps[name])
		}
	}
}

func (e *examination) webhooks(app string, w *webhooks) {
	accepted, refused := w.by["accepted"]+w.by["duplicate"], w.by["bad_signature"]
	switch {
	case refused > 0 && accepted == 0 && w.validated.IsZero():
		e.found("ingest", app, "compare the app's secret token in Zoom's Marketplace with the one in ingest.apps",
			"URL validation fails: all %.0f requests had a wrong signature", refused)
	case w.validated.IsZero() && accepted == 0:
		e.found("ingest", app, "set the endpoint URL https://…/hooks/zoom/"+app+" in Zoom's Marketplace and press Validate",
			"URL validation was never seen since ingest started, nor an event")
	case refused > 0:
		e.note("app %s: %.0f requests had a wrong signature; during the rotation of a secret both must be configured", app, refused)
	}
	if since := time.Since(w.validated); !w.validated.IsZero() {
		if since > validatedEvery+validatedLate {
			e.found("ingest", app, "look whether the event subscription is still enabled in Zoom's Marketplace, and validate its URL there",
				"Zoom last validated its URL %s ago, which it does every 72 hours", since.Round(time.Hour))
		}
		e.note("app %s: Zoom last validated its URL at %s", app, w.validated.UTC().Format(time.RFC3339))
	}
	if n := w.by["bad_credential"]; n > 0 {
		e.found("ingest", app, "make the user, password or header in Zoom's Marketplace those of ingest.apps."+app,
			"%.0f requests were well signed but lacked what Zoom is to send beside the signature: these events are lost", n)
	}
	if late := w.by["stale"] + w.by["future"]; late > 0 {
		e.found("ingest", app, "let ingest's machine follow a time server (NTP)", "%.0f requests were refused for their time: a clock is off", late)
	}
	if lost := w.by["unavailable"] + w.by["no_room"] + w.by["overload"]; lost > 0 {
		e.note("app %s: %.0f requests were answered 503, which Zoom sends again", app, lost)
	}
}

func readMetrics(ctx context.Context, url string) (map[string]*webhooks, error) {
	ctx, cancel := context.WithTimeout(ctx, ingestWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	return parseMetrics(answer.Body)
}

func parseMetrics(from io.Reader) (map[string]*webhooks, error) {
	apps := map[string]*webhooks{}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		m := sample.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		labels := map[string]string{}
		for _, l := range label.FindAllStringSubmatch(m[2], -1) {
			labels[l[1]] = l[2]
		}
		w := apps[labels["app"]]
		if w == nil {
			w = &webhooks{by: map[string]float64{}}
			apps[labels["app"]] = w
		}
		n, err := strconv.ParseFloat(m[3], 64)
		switch {
		case err != nil:
		case strings.HasPrefix(m[1], "_validated"):
			w.validated = time.UnixMilli(int64(1000 * n))
		default:
			w.by[labels["outcome"]] += n
		}
	}
	return apps, lines.Err()
}
