package floorplan

import "strings"

// Module is the project's module path.
const Module = "zflow"

// row says what a package may import. Names may end in "/*", which stands for
// every package directly below.
type row struct {
	pkg     string
	ours    []string
	outside []string
	traits  trait
}

// trait is what a package is beside its place.
type trait int

const (
	pure    trait = 1 << iota // no I/O, no clock, no chance
	command                   // may read flags and environment, and exit
	test                      // imported by tests only
	part                      // of the package above it, split off to keep that one small: no level of its own
)

const (
	nats      = "github.com/nats-io/nats.go"
	jetstream = "github.com/nats-io/nats.go/jetstream"
	broker    = "github.com/nats-io/nats-server/v2/*"
	protobuf  = "google.golang.org/protobuf/*"
	zap       = "go.uber.org/zap/*"
	yaml      = "go.yaml.in/yaml/v4"
	crypto    = "golang.org/x/crypto/*"
	oauth     = "golang.org/x/oauth2/*"
	metrics   = "github.com/prometheus/*"
	ulid      = "github.com/oklog/ulid/v2"
	websocket = "github.com/coder/websocket"
	cobra     = "github.com/spf13/*"
)

// plan is DESIGN's table. The first row that fits a package is its own.
var plan = []row{
	{pkg: "proto", outside: []string{protobuf}, ours: []string{"proto/zflow/v1"}, traits: pure},
	{pkg: "proto/zflow/v1", outside: []string{protobuf}},
	{pkg: "engine/expr", ours: []string{"engine/expr/jsonvalue", "engine/expr/moment", "engine/expr/shape", "engine/expr/text", "engine/expr/toolbox", "engine/expr/wording"}, outside: []string{"github.com/expr-lang/expr/*"}, traits: pure},
	{pkg: "engine/expr/jsonvalue", traits: pure | part},
	{pkg: "engine/expr/moment", traits: pure | part},
	{pkg: "engine/expr/shape", outside: []string{"github.com/expr-lang/expr/*"}, traits: pure | part},
	{pkg: "engine/expr/text", traits: pure | part},
	{pkg: "engine/expr/wording", traits: pure | part},
	{pkg: "engine/expr/table", ours: []string{"engine/expr/jsonvalue"}, traits: pure | part},
	{pkg: "engine/expr/toolbox", ours: []string{"engine/expr/jsonvalue", "engine/expr/moment", "engine/expr/table"}, traits: pure | part},
	{pkg: "engine/cron", traits: pure},
	{pkg: "actions"},
	{pkg: "internal/zoomcatalog"},
	{pkg: "internal/durable", ours: words, outside: []string{nats, jetstream}},
	{pkg: "internal/public"},
	{pkg: "internal/pause"},
	{pkg: "internal/unused"},
	{pkg: "internal/wholefile"},
	{pkg: "internal/child"},
	{pkg: "internal/objects", ours: words, outside: storage},
	{pkg: "internal/vault", ours: []string{"internal/child"}, outside: []string{zap}},
	{pkg: "internal/ask", ours: []string{"internal/sealed"}, outside: []string{nats}},
	{pkg: "internal/sealed", ours: join(words, "internal/wholefile"), outside: []string{crypto}},

	{pkg: "internal/zoomapi", ours: []string{"internal/zoomcatalog"}, outside: []string{oauth}},
	{pkg: "internal/zoomsim", ours: []string{"internal/unused", "internal/zoomcatalog", "internal/zoomsim/*"}, outside: []string{websocket}, traits: test},
	{pkg: "internal/zoomsim/*", ours: []string{"internal/zoomcatalog", "internal/zoomsim/*"}, traits: test | part},
	{pkg: "internal/bubble", outside: []string{nats, broker}},
	{pkg: "internal/natstest", ours: join(words, "internal/durable", "internal/bubble"), outside: []string{nats, jetstream, broker}, traits: test},
	{pkg: "actions/actionstest", ours: []string{"actions", "internal/zoomsim", "internal/zoomapi", "internal/zoomcatalog"}, traits: test},

	{pkg: "engine/workflow", ours: join(words, "engine/expr"), traits: pure | part},
	{pkg: "engine/steppath", traits: pure | part},
	{pkg: "engine/value", ours: words, traits: pure | part},
	{pkg: "engine", ours: join(words, "engine/expr", "engine/steppath", "engine/value", "engine/workflow"), outside: []string{protobuf}, traits: pure},
	{pkg: "engine/reuse", ours: join(words, "engine", "engine/expr", "engine/steppath", "engine/workflow"), outside: []string{protobuf}, traits: pure | part},
	{pkg: "engine/history", ours: store, outside: join(storage, protobuf)},
	{pkg: "engine/wakes", ours: store, outside: join(storage, protobuf)},
	{pkg: "engine/leases", ours: store, outside: storage},
	{pkg: "engine/waits", ours: join(store, "engine/expr/jsonvalue"), outside: storage},
	{pkg: "engine/gates", ours: store, outside: storage},
	{pkg: "engine/data", ours: store, outside: storage},
	{pkg: "engine/blobs", ours: join(store, "internal/objects"), outside: storage},
	{pkg: "internal/connections/service", traits: pure | part},
	{pkg: "internal/connections/oauth", ours: []string{"internal/zoomapi"}, outside: []string{oauth}, traits: part},
	{pkg: "internal/connections/eavesdrop", outside: []string{nats}, traits: test | part},
	{pkg: "internal/connections/forget", ours: join(store, "engine/history", "engine/leases", "engine/wakes"), outside: storage, traits: part},
	{pkg: "internal/connections/desk", ours: []string{"internal/ask", "internal/connections", "internal/connections/forget", "internal/sealed"}, outside: []string{nats}, traits: part},
	{pkg: "internal/connections/upkeep", ours: []string{"internal/connections", "internal/pause"}, outside: []string{zap}, traits: part},
	{pkg: "internal/connections", ours: join(store, "internal/connections/oauth", "internal/connections/service", "internal/zoomapi", "internal/sealed", "internal/wholefile"), outside: join(storage, oauth, crypto)},
	{pkg: "internal/tokens", ours: store, outside: storage},
	{pkg: "sources", ours: store, outside: storage},
	{pkg: "sources/zoom/event", ours: join(words, "internal/zoomcatalog", "internal/sealed"), traits: part},
	{pkg: "sources/zoom/socket", ours: join(words, "internal/pause", "sources", "sources/zoom/event", "internal/sealed", "internal/zoomapi", "internal/zoomcatalog"), outside: []string{websocket, zap}},
	{pkg: "sources/zoom/reconcile", ours: join(words, "sources", "sources/zoom/event", "internal/sealed", "internal/zoomapi"), outside: storage},
	{pkg: "sources/zoom/subscription", ours: []string{"engine/workflow", "internal/zoomapi", "internal/zoomcatalog"}},
	{pkg: "sources/http", ours: join(words, "sources", "actions", "engine/workflow", "internal/sealed"), outside: []string{zap}},
	{pkg: "sources/imap", ours: join(words, "internal/pause", "sources/email", "sources/imap/place"), outside: []string{zap, "github.com/emersion/go-imap/v2/*"}},
	{pkg: "sources/imap/place", ours: join(words, "internal/durable"), outside: []string{jetstream}},
	{pkg: "sources/email", ours: join(words, "sources", "actions", "internal/sealed"), outside: []string{zap, "github.com/emersion/go-smtp", "github.com/jhillyerd/enmime/v2/*"}},
	{pkg: "sources/*", ours: join(words, "sources", "sources/zoom/event", "internal/zoomapi", "internal/zoomcatalog", "internal/sealed"), outside: []string{zap}},
	{pkg: "actions/data", ours: []string{"actions", "engine/data", "engine/expr/moment", "internal/sealed"}},
	{pkg: "actions/code/node", ours: []string{"internal/child"}, traits: part},
	{pkg: "actions/code/pipedream", outside: []string{"github.com/evanw/esbuild/pkg/api"}, traits: part},
	{pkg: "actions/code/bundle", ours: []string{"actions/code/pipedream"}, outside: []string{"github.com/evanw/esbuild/pkg/api"}, traits: part},
	{pkg: "actions/code", ours: []string{"actions", "actions/code/bundle", "actions/code/node", "engine/data", "engine/steppath", "internal/sealed", "proto"}},
	{pkg: "actions/exec", ours: []string{"actions", "engine/expr/moment", "internal/child"}},
	{pkg: "actions/email", ours: []string{"actions"}, outside: []string{"github.com/wneessen/go-mail/*"}},
	{pkg: "actions/csv", ours: []string{"actions", "engine/expr/table"}},
	{pkg: "actions/nats", ours: []string{"actions", "engine/expr/moment"}, outside: storage},
	{pkg: "actions/text", ours: []string{"actions", "engine/expr/jsonvalue", "engine/expr/moment"}},
	{pkg: "actions/*", ours: []string{"actions", "internal/zoomapi", "internal/zoomcatalog"}},

	{pkg: "engine/definition", ours: []string{"proto", "engine", "engine/workflow", "engine/expr", "engine/cron", "engine/definition/document", "engine/definition/form", "engine/definition/language", "engine/definition/mail", "engine/definition/request", "actions"}, outside: []string{"github.com/santhosh-tekuri/jsonschema/v6/*"}},
	{pkg: "engine/definition/request", ours: []string{"engine/expr", "engine/workflow", "engine/definition/document", "engine/definition/form", "engine/definition/language"}, traits: part},
	{pkg: "engine/definition/mail", ours: []string{"engine/expr", "engine/workflow", "engine/definition/document", "engine/definition/form", "engine/definition/language"}, traits: part},
	{pkg: "engine/definition/overlay", outside: []string{yaml}, traits: part},
	{pkg: "engine/definition/form", ours: []string{"engine/workflow", "engine/expr", "engine/cron", "engine/definition/document", "engine/definition/language", "actions"}, traits: part},
	{pkg: "engine/definition/document", outside: []string{yaml}, traits: part},
	{pkg: "engine/definition/language", ours: []string{"engine", "actions"}, traits: part},
	{pkg: "engine/catalog", ours: join(store, "engine", "engine/definition", "internal/objects"), outside: storage},
	{pkg: "engine/router", ours: join(store, "engine", "engine/waits", "engine/wakes"), outside: join(storage, zap)},
	{pkg: "engine/tick", ours: join(store, "engine", "engine/workflow", "engine/leases", "engine/wakes"), outside: join(storage, zap)},
	{pkg: "engine/poll", ours: join(store, "engine", "engine/expr", "internal/sealed"), outside: []string{zap}},
	{pkg: "engine/queue", ours: join(store, "engine", "engine/expr", "engine/gates", "engine/history", "engine/wakes"), outside: storage},
	{pkg: "engine/worker", ours: join(store, "engine", "engine/*", "engine/worker/attempt", "engine/worker/clock", "engine/worker/command", "engine/worker/lease", "engine/worker/sweep", "engine/worker/turnstile", "actions", "internal/sealed"), outside: join(storage, zap, protobuf, ulid)},
	{pkg: "engine/worker/clock", traits: part},
	{pkg: "engine/worker/command", ours: join(words, "engine"), traits: part},
	{pkg: "engine/worker/lease", ours: join(store, "engine/leases", "engine/worker/clock"), outside: join(storage, zap), traits: part},
	{pkg: "engine/worker/sweep", ours: join(store, "engine", "engine/history", "engine/leases", "engine/wakes"), outside: join(storage, zap), traits: part},
	{pkg: "engine/worker/turnstile", traits: part},
	{pkg: "engine/worker/attempt", ours: join(words, "engine", "engine/expr", "actions", "internal/sealed"), outside: []string{zap}, traits: part},
	{pkg: "engine/trigger", ours: join(words, "engine", "engine/expr", "engine/workflow"), traits: part},

	{pkg: "engine/simulation", traits: test}, // of the core and the shell's rules; has tests only

	{pkg: "internal/operator", ours: join(store, "engine", "engine/*", "actions", "sources", "sources/imap/place", "internal/sealed", "internal/zoomcatalog"), outside: join(storage, protobuf)},
	{pkg: "internal/operator/operatortest", ours: join(store, "engine", "engine/*", "actions", "actions/log", "sources", "internal/operator", "internal/connections", "internal/natstest"), outside: storage, traits: test | part},
	{pkg: "internal/operator/doctor", ours: join(store, "engine", "engine/*", "sources", "internal/operator", "internal/sealed"), outside: join(storage, protobuf), traits: part},
	{pkg: "internal/operator/*", ours: join(store, "engine", "engine/*", "internal/operator", "internal/zoomcatalog"), outside: join(storage, protobuf, "github.com/rogpeppe/go-internal/diff"), traits: part},
	{pkg: "internal/console", ours: join(store, "engine", "engine/catalog", "internal/connections", "internal/connections/desk", "internal/operator", "internal/operator/live", "internal/public", "internal/tokens"), outside: join(storage, zap, metrics), traits: part}, // of internal/app
	{pkg: "internal/described", ours: []string{"actions", "actions/http", "engine/expr", "engine/definition/document", "engine/definition/form", "engine/definition/language"}},
	{pkg: "internal/settings", outside: []string{yaml}},
	{pkg: "internal/app/accounts", ours: join(store, "internal/public", "internal/connections", "internal/connections/desk", "internal/connections/forget", "internal/connections/upkeep", "internal/sealed", "internal/settings"), outside: join(storage, zap, metrics), traits: part},
	{pkg: "internal/app/able", ours: join(words, "actions/code/node", "engine/leases"), outside: storage, traits: part},
	{pkg: "internal/app/garbage", traits: part},
	{pkg: "internal/app/link", ours: join(words, "internal/settings"), outside: []string{nats}, traits: part},
	{pkg: "internal/app/broker", ours: join(store, "internal/app/link"), outside: join(storage, broker, zap, metrics), traits: part},
	{pkg: "internal/app/feeds", ours: join(words, "internal/pause", "internal/public", "sources/zoom", "engine/leases", "engine/workflow", "internal/ask", "internal/connections", "internal/sealed", "internal/settings", "internal/zoomapi", "sources", "sources/zoom/reconcile", "sources/zoom/socket", "sources/zoom/subscription"), outside: join(storage, zap, metrics), traits: part},
	{pkg: "internal/app/ends", ours: join(words, "engine", "engine/blobs", "engine/catalog", "engine/history", "engine/leases", "engine/trigger", "engine/workflow", "sources"), outside: join(storage, protobuf, zap), traits: part},
	{pkg: "internal/app/mailboxes", ours: join(words, "engine/catalog", "engine/expr", "engine/leases", "engine/workflow", "sources/email", "sources/imap", "sources/imap/place"), outside: []string{metrics, zap}, traits: part},
	{pkg: "internal/app/routes", ours: join(words, "actions/flow", "engine", "engine/*", "internal/ask", "internal/sealed", "sources/http"), outside: []string{nats, zap}, traits: part},
	{pkg: "internal/app/streams", ours: join(store, "engine/*", "internal/connections", "internal/settings", "internal/tokens", "sources", "sources/imap/place"), outside: join(storage, zap), traits: part},
	{pkg: "internal/app/intake", ours: join(store, "actions", "engine/blobs", "internal/ask", "internal/app/garbage", "internal/app/link", "internal/app/routes", "sources/email", "sources/http", "internal/app/streams", "internal/sealed", "internal/settings", "internal/unused", "sources", "sources/zoom", "sources/zoom/event"), outside: join(storage, zap, metrics), traits: part},
	{pkg: "internal/app", ours: []string{"proto", "proto/zflow/v1", "engine", "engine/*", "actions", "actions/*", "actions/code/bundle", "actions/code/node", "sources", "sources/*", "sources/imap/place", "sources/zoom/subscription", "internal/*", "internal/app/*", "internal/connections/desk", "internal/operator/doctor", "examples"},
		outside: join(storage, broker, zap, yaml, protobuf, metrics, "github.com/fsnotify/fsnotify")},
	{pkg: "internal/bench/usage", traits: part},
	{pkg: "internal/bench/webhooks", traits: part},
	{pkg: "internal/bench/disk", traits: part},
	{pkg: "internal/bench/load", ours: []string{"internal/bench/webhooks"}, traits: part},
	{pkg: "internal/bench/action", ours: []string{"actions", "actions/code", "actions/code/bundle", "actions/code/node", "actions/http", "internal/bench/usage"}, traits: part},
	{pkg: "internal/bench/mail", traits: part},
	{pkg: "internal/bench/long", ours: join(words, "engine"), traits: part},
	{pkg: "internal/bench/recording", ours: join(words, "internal/app", "internal/app/*"), outside: join(storage, protobuf), traits: part},
	{pkg: "internal/bench/stream", ours: []string{"internal/bench/usage"}, traits: part},
	{pkg: "internal/bench/stage", traits: part},
	{pkg: "internal/bench", ours: join(words, "engine", "engine/definition", "internal/app", "internal/app/*", "internal/bench/*", "internal/settings", "sources/zoom"), outside: []string{zap}, traits: part},                                                                                                    // of cmd/zflow
	{pkg: "internal/flowtest", ours: join(words, "actions", "engine", "engine/*", "engine/definition/document", "internal/app", "internal/app/*", "internal/bubble", "internal/durable", "internal/sealed", "internal/flowtest/house", "internal/flowtest/testfile"), outside: []string{jetstream}, traits: part}, // of cmd/zflow
	{pkg: "internal/flowtest/command", ours: []string{"internal/app", "internal/app/*", "internal/flowtest", "internal/flowtest/share", "internal/terminal"}, outside: []string{cobra}, traits: part},
	{pkg: "internal/flowtest/share", ours: []string{"internal/flowtest", "engine/definition/document"}, traits: part},
	{pkg: "internal/flowtest/record", ours: join(words, "actions", "engine", "engine/*", "internal/app", "internal/app/*", "internal/flowtest", "internal/flowtest/house", "internal/flowtest/share", "internal/flowtest/testfile", "internal/operator", "internal/sealed"), traits: part},
	{pkg: "internal/flowtest/testfile", ours: []string{"engine/definition/document", "engine/expr", "internal/zoomcatalog"}, traits: part},
	{pkg: "internal/flowtest/house", ours: join(store, "engine/definition/document", "engine", "engine/*", "actions", "sources", "sources/http", "sources/zoom", "internal/app", "internal/app/*", "internal/bubble", "internal/sealed", "internal/settings", "internal/zoomcatalog", "internal/flowtest/testfile"), outside: join(storage, broker, zap), traits: part},
	{pkg: "internal/terminal", ours: []string{"internal/app", "internal/operator", "internal/settings"}, outside: []string{cobra}, traits: command | part}, // of cmd/zflow
	{pkg: "internal/scope", ours: []string{"engine/workflow", "internal/zoomcatalog"}, traits: part},
	{pkg: "internal/command/trigger", ours: []string{"actions", "engine/definition", "internal/app", "internal/scope", "internal/terminal", "internal/zoomcatalog"}, outside: []string{cobra}, traits: command | part},
	{pkg: "internal/command/connection", ours: []string{"actions", "engine/definition", "engine/workflow", "internal/app", "internal/scope", "internal/connections", "internal/connections/desk", "internal/connections/service", "internal/operator", "internal/terminal", "internal/zoomapi", "internal/zoomcatalog"}, outside: []string{cobra, nats}, traits: command | part},
	{pkg: "internal/command/data", ours: []string{"engine/data", "internal/app", "internal/sealed", "internal/terminal"}, outside: []string{cobra}, traits: command | part},
	{pkg: "internal/command/zoom", ours: []string{"internal/app", "internal/app/feeds", "internal/terminal", "sources/zoom/subscription"}, outside: []string{cobra}, traits: command | part},
	{pkg: "internal/pipedream/formula", traits: pure | part},
	{pkg: "internal/pipedream", ours: []string{"actions", "engine/definition/document", "internal/pipedream/formula"}, outside: []string{yaml}, traits: part}, // of internal/command/pipedream
	{pkg: "internal/command/pipedream", ours: []string{"engine/definition", "internal/app", "internal/pipedream", "internal/terminal", "internal/zoomcatalog"}, outside: []string{cobra}, traits: command | part},
	{pkg: "internal/command/process", ours: []string{"internal/app", "internal/settings"}, outside: []string{cobra, zap}, traits: command | part},                                                                                                       // of ingest, worker and console
	{pkg: "internal/command/*", ours: []string{"internal/app", "internal/app/feeds", "internal/flowtest/record", "internal/operator", "internal/operator/*", "internal/terminal", "internal/tokens"}, outside: []string{cobra}, traits: command | part}, // of cmd/zflow
	{pkg: "cmd/*", ours: []string{"internal/app", "internal/app/*", "internal/bench", "internal/command/*", "internal/flowtest/command", "internal/operator", "internal/operator/*", "internal/settings", "internal/terminal", "engine/definition", "engine/definition/overlay"}, outside: []string{cobra, zap}, traits: command},

	{pkg: "examples"},

	{pkg: "internal/floorplan"},
	{pkg: "internal/tools/reference", ours: []string{"actions", "engine/definition", "internal/app", "internal/zoomcatalog"}, traits: command},
	{pkg: "internal/tools/*", ours: []string{"internal/app", "engine/definition"}, outside: []string{"github.com/bufbuild/protocompile/*", protobuf}, traits: command},
}

var (
	words   = []string{"proto", "proto/zflow/v1"}
	store   = join(words, "internal/durable", "internal/pause")
	storage = []string{nats, jetstream}
)

// simulators may be imported by these, though they are test packages.
var simulators = map[string][]string{
	"internal/app": {"internal/zoomsim"}, // for --sim
}

func join(names []string, more ...string) []string {
	return append(append([]string(nil), names...), more...)
}

// rowOf returns nil for a package without a place.
func rowOf(pkg string) *row {
	for i := range plan {
		if fits(plan[i].pkg, pkg) {
			return &plan[i]
		}
	}
	return nil
}

// fits tells whether a name of the plan stands for the package.
func fits(name, pkg string) bool {
	above, wild := strings.CutSuffix(name, "/*")
	if !wild {
		return name == pkg
	}
	below, ok := strings.CutPrefix(pkg, above+"/")
	return ok && !strings.Contains(below, "/")
}

// covers is fits for what is outside: "/*" stands for the package above too, and
// for everything below.
func covers(name, pkg string) bool {
	above, wild := strings.CutSuffix(name, "/*")
	return name == pkg || wild && (pkg == above || strings.HasPrefix(pkg, above+"/"))
}
