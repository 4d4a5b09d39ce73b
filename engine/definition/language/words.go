package language

import "zflow/engine"

// Patterns of texts.
const (
	NamePattern     = `^[a-z0-9-]{1,64}$`
	FlowPattern     = `^([a-z0-9-]{1,64}|\*)$`
	IDPattern       = `^[a-z][a-z0-9_]*$`
	DurationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$|^0$`
	InputPattern    = `^[A-Za-z][A-Za-z0-9_]*$`
	PathPattern     = `^[A-Za-z0-9][A-Za-z0-9._~-]*(/[A-Za-z0-9][A-Za-z0-9._~-]*)*$`
	MethodPattern   = `^[A-Z]{3,20}$`
	HeaderPattern   = `^[A-Za-z0-9][A-Za-z0-9_-]*$`
	MailboxPattern  = `^[a-z0-9]([a-z0-9._+-]{0,62}[a-z0-9])?$`
	TypePattern     = `^([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*$`
)

// MaxBackoff is the largest factor between delays.
const MaxBackoff = 100

// MostPort is the largest number of a port.
const MostPort = 65535

// Words that stand where one of a few is meant.
var (
	// Kinds are what a step can do: each has exactly one of these keys.
	Kinds = []string{
		"approval", "call", "code", "emit", "parallel", "respond", "set", "sleep", "steps", "stop", "switch", "uses", "wait_for",
	}
	// TriggerKinds are what can start a run: each trigger has exactly one of them.
	TriggerKinds = []string{"zoom", "http", "schedule", "email", "event", "call", "poll", "run"} // by how common they are
	// ArrivalKinds are what can be waited for.
	ArrivalKinds = []string{"zoom", "event", "signal"}
	// InputTypes are those of the inputs of call; a ? after one says that the input
	// may be left out.
	InputTypes = []string{"text", "integer", "number", "boolean", "object", "list", "any"}
	// AnswerTypes are those of the fields of an approval.
	AnswerTypes = []string{"text", "number", "boolean", "date"}
	// Auths are how callers of an HTTP trigger can show who they are.
	Auths = []string{"bearer", "basic", "hmac"}
	// Presets are whose signatures are known.
	Presets = []string{"standard_webhooks", "github", "stripe", "slack"}
	// Algorithms and Encodings are those of signatures.
	Algorithms = []string{"sha256", "sha1", "sha512"}
	Encodings  = []string{"hex", "base64"}
	// Responds are when a request is answered.
	Responds = []string{"now", "when_done"}
	// Effects are what calling code twice may do.
	Effects = []string{"read", "idempotent", "write"}
	// Mails are where the mails of a trigger email come from.
	Mails = []string{"mailbox", "imap"}
	// Logins are what a mailbox on another server is opened with.
	Logins = []string{"password", "connection"}
	// Secures are how the connection to a mail server is kept from being read.
	Secures = []string{"implicit", "starttls", "none"}
	// Marks are what can become of a mail that was taken.
	Marks = []string{"seen", "none"}
	// Firsts are what can become of the items that the first poll finds.
	Firsts = []string{"skip", "all"}
	// CatchUps are what can become of a schedule's times that were missed.
	CatchUps = []string{"one", "all", "none"}
	// Busy is what a run can do that finds no place.
	Busy = []string{string(engine.BusyQueue), string(engine.BusySkip), string(engine.BusyReplace)}
	// Policies are what can follow an unknown outcome.
	Policies = []string{
		string(engine.PolicyRetry), string(engine.PolicyProbe), string(engine.PolicyAsk), string(engine.PolicyFail),
	}
	// OnTimeouts are what a wait can do when it is over.
	OnTimeouts = []string{string(engine.TimeoutFail), string(engine.TimeoutContinue)}
	// Ends are the states in which a run can end.
	Ends = []string{string(engine.Completed), string(engine.Failed), string(engine.Canceled)}
)
