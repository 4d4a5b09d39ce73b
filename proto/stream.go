package proto

// Streams.
const (
	Events = "EVENTS" // what happened outside
	Runs   = "RUNS"   // what we did about it
	Wakes  = "WAKES"  // what is due
)

// Key-value buckets, and the object store.
const (
	Definitions = "DEFINITIONS" // <name> = active version and state, <name>.<version> = one version
	Connections = "CONNECTIONS" // sealed tokens and grants
	Tokens      = "TOKENS"      // token.<name>: hashes of the API's tokens
	Leases      = "LEASES"      // worker.<id>, sweep
	Once        = "ONCE"        // what must happen once: once.<…> for triggers, sweep.<server> for sweeps
	Gates       = "GATES"       // <gate>.holders, <gate>.<place>: who is in, and who queues
	Waiters     = "WAITERS"     // which runs wait for which events
	Ticks       = "TICKS"       // <workflow> = when its ticks are due, <workflow>.poll… = what its polls know
	Mailboxes   = "MAILBOXES"   // mailbox.<hash> = how far a mailbox on another server was read
	Data        = "DATA"        // workflow.<workflow>.<key>, shared.<store>.<key>: what steps keep; mark.<hash>: which step wrote
	Blobs       = "BLOBS"       // values too large for a history
	Code        = "CODE"        // what code steps run, by hash; it has no age
)

// Bucket returns the stream behind a key-value bucket.
func Bucket(name string) string { return "KV_" + name }

// Objects returns the stream behind an object store.
func Objects(name string) string { return "OBJ_" + name }
