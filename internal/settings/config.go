package settings

import "time"

// Config is the configuration of all processes, as configs/zflow.yaml shows it.
// A key that ends in _file names a file that holds the value.
type Config struct {
	PublicURL      string   `yaml:"public_url"`      // where others reach this installation; empty: not at all
	TrustedProxies []string `yaml:"trusted_proxies"` // CIDRs whose X-Forwarded-For is believed

	NATS        NATS                  `yaml:"nats"`
	Ingest      Ingest                `yaml:"ingest"`
	Worker      Worker                `yaml:"worker"`
	Console     Console               `yaml:"console"`
	HTTPAllow   []string              `yaml:"http_allow"` // hosts and CIDRs that http.request may call though not public
	HTTP        HTTP                  `yaml:"http"`
	Zoom        Zoom                  `yaml:"zoom"`
	Connections map[string]Connection `yaml:"connections"`
	Secrets     map[string]Known      `yaml:"secrets"` // what workflows see as secrets.<name>
	Streams     Streams               `yaml:"streams"`
}

// NATS says where the broker is and who we are to it.
type NATS struct {
	URL        string `yaml:"url"`                 // one or several, comma-separated
	Creds      string `yaml:"creds" config:"path"` // a .creds file
	User       string `yaml:"user"`
	Password   Secret `yaml:"password"`
	Durability string `yaml:"durability"` // auto, always, replicated
}

// Ingest is the process that takes events in.
type Ingest struct {
	Listen        string         `yaml:"listen"`
	MetricsListen string         `yaml:"metrics_listen"`
	PublicKey     Text           `yaml:"public_key"` // of the workers; credentials are sealed to it
	TLS           TLS            `yaml:"tls"`
	Verification  Text           `yaml:"domain_verification"` // what Zoom's domain verification file says
	Apps          map[string]App `yaml:"apps"`
	Limits        Limits         `yaml:"limits"`
	SMTP          Inbound        `yaml:"smtp"`
}

// Inbound is how ingest receives mail.
type Inbound struct {
	Listen        string   `yaml:"listen"`         // empty: it receives none
	Name          string   `yaml:"name"`           // of the host, as it greets
	Domains       []string `yaml:"domains"`        // whose mail is received; "*": any
	MaxSize       Bytes    `yaml:"max_size"`       // of a mail
	MaxRecipients int      `yaml:"max_recipients"` // of a mail
	Connections   int      `yaml:"connections"`    // at once
	PerAddress    int      `yaml:"per_address"`    // of them from one address
	PerSecond     int      `yaml:"per_second"`     // mails from one address, on average over ten seconds; 0: any number
}

// TLS is a certificate to serve with; empty: none, a proxy in front has it.
type TLS struct {
	Certificate string `yaml:"certificate" config:"path"` // the chain, PEM; read again when it changes
	Key         string `yaml:"key" config:"path"`
}

// App is a Zoom app whose events are taken.
type App struct {
	Secrets []Secret `yaml:"secrets"` // its secret tokens; several while one is replaced
	Basic   Basic    `yaml:"basic"`   // what Zoom is told to send beside the signature
	Header  Header   `yaml:"header"`  // the same
}

// Basic is a user and password that Zoom sends with each event.
type Basic struct {
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// Header is a header that Zoom sends with each event.
type Header struct {
	Name  string `yaml:"name"` // begins with x-
	Value Secret `yaml:"value"`
}

// Limits are what ingest takes at most.
type Limits struct {
	MaxBody    Bytes    `yaml:"max_body"`    // of a request
	MaxUpload  Bytes    `yaml:"max_upload"`  // of the files of a request to an HTTP trigger
	Waiting    int      `yaml:"waiting"`     // requests to HTTP triggers that wait for their runs
	Window     Duration `yaml:"window"`      // how old a signature may be
	FutureSkew Duration `yaml:"future_skew"` // how far ahead Zoom's clock may be
}

// Worker is the process that runs workflows.
type Worker struct {
	MetricsListen   string `yaml:"metrics_listen"`
	Slots           int    `yaml:"slots"`                           // attempts at once
	MaxHeld         int    `yaml:"max_held"`                        // runs in memory
	SealingKeysFile string `yaml:"sealing_keys_file" config:"path"` // the private keys
	Code            Code   `yaml:"code"`

	Folders map[string]string  `yaml:"folders"` // that file.* may read and write, by name: absolute paths
	Exec    map[string]Program `yaml:"exec"`    // programs that exec.run may run, by name
	SMTP    SMTP               `yaml:"smtp"`    // the server that email.send hands mails to
}

// Code is what the code of steps may use.
type Code struct {
	Node      string   `yaml:"node"`      // the program; empty: it is looked for in PATH
	Processes int      `yaml:"processes"` // calls at once
	Keep      int      `yaml:"keep"`      // processes that are kept at rest
	Memory    Bytes    `yaml:"memory"`    // of a process
	Output    Bytes    `yaml:"output"`    // that a call may print
	Result    Bytes    `yaml:"result"`    // that a call may return
	Network   bool     `yaml:"network"`   // whether code has one
	Calls     int      `yaml:"calls"`     // after which a process is not used again
	Age       Duration `yaml:"age"`       // after which a process is not used again
	Idle      Duration `yaml:"idle"`      // after which a process at rest is ended
}

// HTTP is how workers call out.
type HTTP struct {
	Proxy        string                 `yaml:"proxy"`        // what requests of steps go through; empty: none
	MaxFile      Bytes                  `yaml:"max_file"`     // of an answer that is saved as a file
	Certificates map[string]Certificate `yaml:"certificates"` // that steps may present, by name
}

// Certificate is what a client presents to servers that ask for one.
type Certificate struct {
	Certificate string `yaml:"certificate" config:"path"` // the chain, PEM; read again when it changes
	Key         string `yaml:"key" config:"path"`
}

// Program is one that exec.run may run.
type Program struct {
	Path      string   `yaml:"path" config:"path"`
	Args      []string `yaml:"args"`      // before those of the step
	Timeout   Duration `yaml:"timeout"`   // that a step may take at most
	Memory    Bytes    `yaml:"memory"`    // of each of its processes
	Processes int      `yaml:"processes"` // at once
	Effect    string   `yaml:"effect"`    // read, idempotent or write: what running it twice would do
}

// Zoom is what holds for all connections that say nothing else.
type Zoom struct {
	OAuthURL    string   `yaml:"oauth_url"`    // empty: https://zoom.us
	APIURL      string   `yaml:"api_url"`      // empty: the region that Zoom names
	ForgetAfter Duration `yaml:"forget_after"` // from app_deauthorized to the deletion of the account's data

	Apps map[string]ZoomApp `yaml:"apps"` // what workers do for apps, by the name that ingest.apps has
}

// ZoomApp is a Zoom app as workers know it: where its events come from besides its
// webhooks.
type ZoomApp struct {
	AppID      string   `yaml:"app_id"`     // in Zoom's Marketplace; its log of webhooks is read by it
	Connection string   `yaml:"connection"` // whose grant reads
	WebSocket  string   `yaml:"websocket"`  // the address of its subscription; empty: none
	Reconcile  Duration `yaml:"reconcile"`  // how often its events are compared with Zoom's log; empty: when asked to
	Lists      []string `yaml:"lists"`      // what is compared with Zoom's lists besides
	Basic      Basic    `yaml:"basic"`      // as in ingest.apps, which workers do not know:
	Header     Header   `yaml:"header"`     // the app's event subscriptions are made with it
}

// Console is the private process with the HTTP API and the live streams.
type Console struct {
	Listen        string   `yaml:"listen"`
	MetricsListen string   `yaml:"metrics_listen"`
	Tokens        []Secret `yaml:"tokens"` // that may do everything, beside those that zflow tokens makes
}

// Connection is a connected Zoom account.
type Connection struct {
	Kind         string `yaml:"kind"` // zoom_s2s
	AccountID    string `yaml:"account_id"`
	ClientID     string `yaml:"client_id"`
	ClientSecret Secret `yaml:"client_secret"`
	APIURL       string `yaml:"api_url"` // empty: Zoom's
	OAuthURL     string `yaml:"oauth_url"`
}

// Streams are the limits of what JetStream keeps.
type Streams struct {
	Replicas    int      `yaml:"replicas"`
	EventsAge   Duration `yaml:"events_age"`
	EventsBytes Bytes    `yaml:"events_bytes"`
	RunsAge     Duration `yaml:"runs_age"`
	RunsBytes   Bytes    `yaml:"runs_bytes"`
	WakesBytes  Bytes    `yaml:"wakes_bytes"`
	DataBytes   Bytes    `yaml:"data_bytes"` // of what steps keep
}

// Values of NATS.Durability: found out, or declared for a server that cannot
// say how it makes messages durable.
const (
	DurabilityAuto       = "auto"
	DurabilityAlways     = "always"
	DurabilityReplicated = "replicated"
)

const (
	day = 24 * time.Hour
	mib = 1 << 20
	gib = 1 << 30
)

// Default is what holds where nothing is said.
func Default() *Config {
	return &Config{
		NATS: NATS{URL: "nats://127.0.0.1:4222", Durability: DurabilityAuto},
		Ingest: Ingest{
			Listen:        ":8080",
			MetricsListen: "127.0.0.1:9090",
			Limits:        Limits{MaxBody: mib, MaxUpload: 32 * mib, Waiting: 1000, Window: Duration(2 * time.Hour), FutureSkew: Duration(5 * time.Minute)},
			SMTP:          Inbound{MaxSize: 25 * mib, MaxRecipients: 100, Connections: 500, PerAddress: 50, PerSecond: 100},
		},
		HTTP: HTTP{MaxFile: 2 * gib},
		Zoom: Zoom{ForgetAfter: Duration(9 * day)},
		Worker: Worker{MetricsListen: "127.0.0.1:9091", Slots: 256, MaxHeld: 1000, Code: Code{Processes: 8, Keep: 4, Memory: 256 * mib,
			Output: mib, Result: 4 * mib, Network: true, Calls: 5000, Age: Duration(time.Hour), Idle: Duration(5 * time.Minute)}, SMTP: defaultSMTP()},
		Console: Console{Listen: "127.0.0.1:8081", MetricsListen: "127.0.0.1:9092"},
		Streams: Streams{
			Replicas:    1,
			EventsAge:   Duration(28 * day),
			EventsBytes: 20 * gib,
			RunsAge:     Duration(30 * day),
			RunsBytes:   20 * gib,
			WakesBytes:  4 * gib,
			DataBytes:   gib,
		},
	}
}
