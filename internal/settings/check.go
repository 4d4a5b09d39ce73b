package settings

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// keepLonger is how much longer a run's history must be kept than its event.
const keepLonger = 2 * day

var (
	plainName  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	secretName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`) // as expressions write it
	headerName = regexp.MustCompile(`^x-[a-z0-9-]+$`)
	hostName   = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
)

// check looks at what the values mean, and to each other.
func (l *loading) check() {
	l.checkPublic()
	l.checkNATS()
	l.checkIngest()
	l.checkWorker()
	l.checkLocal()
	l.checkSMTP()
	l.checkConsole()
	l.checkConnections()
	l.checkZoomApps()
	l.checkStreams()
}

func (l *loading) checkNATS() {
	n := &l.config.NATS
	for u := range strings.SplitSeq(n.URL, ",") {
		parsed, err := url.Parse(strings.TrimSpace(u))
		if err != nil || parsed.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, parsed.Scheme) {
			l.fault(l.at("nats.url"), "nats.url must be like nats://host:4222")
		} else if parsed.User != nil {
			l.fault(l.at("nats.url"), "nats.url must hold no password: use nats.user and nats.password_file")
		}
	}
	known := []string{DurabilityAuto, DurabilityAlways, DurabilityReplicated}
	if !slices.Contains(known, n.Durability) {
		l.fault(l.at("nats.durability"), "nats.durability is %q, not one of %s", n.Durability, strings.Join(known, ", "))
	}
	switch {
	case n.Creds != "" && n.User != "":
		l.fault(l.at("nats.creds"), "nats has both creds and a user: leave one out")
	case n.Creds != "":
		l.private(n.Creds, l.at("nats.creds"))
	case n.User == "" && n.Password.Reveal() != "":
		l.fault(l.at("nats.password"), "nats.password is set without nats.user")
	}
}

// checkPublic: everything that others see is made from this address.
func (l *loading) checkPublic() {
	if text := l.config.PublicURL; text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			l.fault(l.at("public_url"), "public_url must be an address such as https://zflow.example.org")
		}
	}
	for _, cidr := range l.config.TrustedProxies {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			l.fault(l.at("trusted_proxies"), "trusted_proxies: %q is no CIDR such as 10.0.0.0/8 or 192.0.2.7/32", cidr)
		}
	}
}

func (l *loading) checkIngest() {
	in := &l.config.Ingest
	l.checkAddress("ingest.listen", in.Listen)
	l.checkAddress("ingest.metrics_listen", in.MetricsListen)
	if (in.TLS.Certificate == "") != (in.TLS.Key == "") {
		l.fault(l.at("ingest.tls"), "ingest.tls needs both certificate and key, or neither")
	}
	for _, name := range keys(in.Apps) {
		path := "ingest.apps." + name
		l.checkName(path, name, plainName)
		if len(in.Apps[name].Secrets) == 0 {
			l.fault(l.at(path), "%s has no secrets: every event for it would be refused", path)
		}
		if slices.ContainsFunc(in.Apps[name].Secrets, func(s Secret) bool { return s.Reveal() == "" }) {
			l.fault(l.at(path+".secrets"), "%s.secrets has an empty one", path)
		}
		l.checkBeside(path, in.Apps[name])
	}
	l.checkInbound(&in.SMTP)
	l.atLeast("ingest.limits.max_body", int64(in.Limits.MaxBody), 1024, "1KiB")
	l.atLeast("ingest.limits.max_upload", int64(in.Limits.MaxUpload), 1024, "1KiB")
	l.atLeast("ingest.limits.waiting", int64(in.Limits.Waiting), 1, "1")
	l.atLeast("ingest.limits.window", int64(in.Limits.Window), int64(time.Minute), "1m")
}

func (l *loading) checkInbound(s *Inbound) {
	l.checkAddress("ingest.smtp.listen", s.Listen)
	if s.Listen != "" && len(s.Domains) == 0 {
		l.fault(l.at("ingest.smtp"), `ingest.smtp.domains is missing: write the domains whose mail is received, or "*" for any`)
	}
	for _, d := range s.Domains {
		if d != "*" && !hostName.MatchString(d) {
			l.fault(l.at("ingest.smtp.domains"), "ingest.smtp.domains: %q is no domain such as example.org", d)
		}
	}
	if s.Name != "" && !hostName.MatchString(s.Name) {
		l.fault(l.at("ingest.smtp.name"), "ingest.smtp.name: %q is no name of a host", s.Name)
	}
	l.atLeast("ingest.smtp.max_size", int64(s.MaxSize), 1024, "1KiB")
	l.atLeast("ingest.smtp.max_recipients", int64(s.MaxRecipients), 1, "1")
	l.atLeast("ingest.smtp.connections", int64(s.Connections), 1, "1")
	l.atLeast("ingest.smtp.per_address", int64(s.PerAddress), 1, "1")
	l.atLeast("ingest.smtp.per_second", int64(s.PerSecond), 0, "0")
}

// checkBeside looks at what Zoom sends beside the signature.
func (l *loading) checkBeside(path string, a App) {
	if (a.Basic.User == "") != (a.Basic.Password.Reveal() == "") {
		l.fault(l.at(path+".basic"), "%s.basic needs both user and password", path)
	}
	switch name := strings.ToLower(a.Header.Name); {
	case name == "" && a.Header.Value.Reveal() == "":
	case !headerName.MatchString(name) || strings.HasPrefix(name, "x-zm-"):
		l.fault(l.at(path+".header"), "%s.header.name is %q: write the name that Zoom sends, which begins with x-", path, a.Header.Name)
	case a.Header.Value.Reveal() == "":
		l.fault(l.at(path+".header"), "%s.header.value is missing", path)
	}
}

func (l *loading) checkWorker() {
	w := &l.config.Worker
	l.checkAddress("worker.metrics_listen", w.MetricsListen)
	l.atLeast("worker.slots", int64(w.Slots), 1, "1")
	l.atLeast("worker.max_held", int64(w.MaxHeld), 1, "1")
	l.checkCode(&w.Code)
	for _, allowed := range l.config.HTTPAllow {
		_, notCIDR := netip.ParsePrefix(allowed)
		_, notAddr := netip.ParseAddr(allowed)
		if notCIDR != nil && notAddr != nil && !hostName.MatchString(allowed) {
			l.fault(l.at("http_allow"), "http_allow: %q is neither a host nor a CIDR", allowed)
		}
	}
	l.checkHTTP()
	l.checkSecrets()
}

func (l *loading) checkHTTP() {
	l.checkURL("http.proxy", l.config.HTTP.Proxy)
	l.atLeast("http.max_file", int64(l.config.HTTP.MaxFile), mib, "1MiB")
	for _, name := range keys(l.config.HTTP.Certificates) {
		c, path := l.config.HTTP.Certificates[name], "http.certificates."+name
		l.checkName(path, name, plainName)
		l.required(path, "certificate", c.Certificate)
		l.required(path, "key", c.Key)
	}
}

func (l *loading) checkCode(c *Code) {
	l.atLeast("worker.code.processes", int64(c.Processes), 1, "1")
	l.atLeast("worker.code.keep", int64(c.Keep), 0, "0")
	l.atLeast("worker.code.memory", int64(c.Memory), 64*mib, "64MiB")
	l.atLeast("worker.code.output", int64(c.Output), 1024, "1KiB")
	l.atLeast("worker.code.result", int64(c.Result), 1024, "1KiB")
	l.atLeast("worker.code.calls", int64(c.Calls), 1, "1")
	l.atLeast("worker.code.age", int64(c.Age), int64(time.Second), "1s")
	l.atLeast("worker.code.idle", int64(c.Idle), int64(time.Second), "1s")
	if c.Result > 32*mib {
		l.fault(l.at("worker.code.result"), "worker.code.result must be at most 32MiB")
	}
}

// leastToken is how long a token of the configuration must be: nobody guesses it.
const leastToken = 16

func (l *loading) checkConsole() {
	c := &l.config.Console
	l.checkAddress("console.listen", c.Listen)
	l.checkAddress("console.metrics_listen", c.MetricsListen)
	for _, t := range c.Tokens {
		if len(t.Reveal()) < leastToken {
			l.fault(l.at("console.tokens"), "console.tokens has one of %d characters: it is to have at least %d", len(t.Reveal()), leastToken)
		}
	}
}

func (l *loading) checkConnections() {
	z := l.config.Zoom
	l.checkURL("zoom.oauth_url", z.OAuthURL)
	l.checkURL("zoom.api_url", z.APIURL)
	l.atLeast("zoom.forget_after", int64(z.ForgetAfter), 0, "0s")
	for _, name := range keys(l.config.Connections) {
		c, path := l.config.Connections[name], "connections."+name
		l.checkName(path, name, plainName)
		if c.Kind != "zoom_s2s" {
			l.fault(l.at(path), "%s.kind is %q: only zoom_s2s can stand in the configuration", path, c.Kind)
			continue
		}
		l.required(path, "account_id", c.AccountID)
		l.required(path, "client_id", c.ClientID)
		l.required(path, "client_secret", c.ClientSecret.Reveal())
		l.checkURL(path+".api_url", c.APIURL)
		l.checkURL(path+".oauth_url", c.OAuthURL)
	}
}

func (l *loading) checkZoomApps() {
	lists := []string{"meetings", "recordings", "users", "webinars"}
	for _, name := range keys(l.config.Zoom.Apps) {
		a, path := l.config.Zoom.Apps[name], "zoom.apps."+name
		l.checkName(path, name, plainName)
		l.required(path, "connection", a.Connection)
		if u, err := url.Parse(a.WebSocket); a.WebSocket != "" && (err != nil || u.Host == "" || u.Scheme != "wss" && u.Scheme != "ws" || u.Query().Has("access_token")) {
			l.fault(l.at(path+".websocket"), "%s.websocket must be like wss://ws.zoom.us/ws?subscriptionId=…, without a token", path)
		}
		if a.Reconcile > 0 {
			l.atLeast(path+".reconcile", int64(a.Reconcile), int64(5*time.Minute), "5m")
		}
		l.checkBeside(path, App{Basic: a.Basic, Header: a.Header})
		for _, list := range a.Lists {
			if !slices.Contains(lists, list) {
				l.fault(l.at(path+".lists"), "%s.lists: %q is none of %s", path, list, strings.Join(lists, ", "))
			}
		}
	}
}

func (l *loading) checkStreams() {
	s := &l.config.Streams
	if !slices.Contains([]int{1, 3, 5}, s.Replicas) {
		l.fault(l.at("streams.replicas"), "streams.replicas is %d, not 1, 3 or 5", s.Replicas)
	}
	if l.config.NATS.Durability == DurabilityReplicated && s.Replicas < 3 {
		l.fault(l.at("nats.durability"), "nats.durability: replicated needs streams.replicas: 3")
	}
	if least := s.EventsAge + Duration(keepLonger); s.RunsAge < least {
		l.fault(l.at("streams.runs_age"), "streams.runs_age is %s: it must be at least %s, 2 days more than streams.events_age, so that an event cannot come again when its run is forgotten", s.RunsAge, least)
	}
	l.atLeast("streams.events_age", int64(s.EventsAge), int64(3*time.Hour), "3h") // longer than Zoom repeats
	l.atLeast("streams.events_bytes", int64(s.EventsBytes), mib, "1MiB")
	l.atLeast("streams.runs_bytes", int64(s.RunsBytes), mib, "1MiB")
	l.atLeast("streams.wakes_bytes", int64(s.WakesBytes), mib, "1MiB")
}

func (l *loading) checkAddress(path, address string) {
	if address == "" && path != "ingest.listen" && path != "console.listen" {
		return // off
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		l.fault(l.at(path), "%s is %q: write host:port, or :port for every address", path, address)
	}
}

func (l *loading) checkURL(path, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		l.fault(l.at(path), "%s must be a URL such as https://zoom.us", path)
	}
}

func (l *loading) checkName(path, name string, form *regexp.Regexp) {
	if !form.MatchString(name) {
		l.fault(l.at(path), "the name %q may have lower-case letters, digits and _ only, or - where it is no secret's", name)
	}
}

func (l *loading) required(path, key, value string) {
	if value == "" {
		l.fault(l.at(path), "%s.%s is missing", path, key)
	}
}

func (l *loading) atLeast(path string, value, least int64, text string) {
	if value < least {
		l.fault(l.at(path), "%s must be at least %s", path, text)
	}
}

func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
