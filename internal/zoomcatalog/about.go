package zoomcatalog

import (
	_ "embed"
	"strings"
)

// eventTable is data/events.tsv: what tables.go has of it is read at every event,
// the rest only when a person or a deployment asks.
//
//go:embed data/events.tsv
var eventTable string

// About is what is known of an event beside its name and shape.
type About struct {
	Description string   // what happened
	Classic     []string // scopes of which one suffices, for apps with classic scopes
	Granular    []string // the same for apps with granular ones
	Basis       Basis    // of the scopes
	Deprecated  bool
	Like        string // the event whose fields it is assumed to have; empty: its own are documented
}

// Basis tells how the scopes of an event are known.
type Basis string

// Bases.
const (
	Stated  Basis = "stated"  // Zoom states them
	Assumed Basis = "assumed" // by those of the events and operations beside it
	None    Basis = "none"    // it needs none
	Unknown Basis = "unknown" // Zoom states none
)

// About reads what else is known of the event.
func (e Event) About() About {
	line, ok := tableLine(eventTable, e.Name)
	column := strings.Split(line, "\t")
	if !ok || len(column) != 9 {
		return About{Basis: Unknown} // no event of the table
	}
	return About{Classic: list(column[3]), Granular: list(column[4]), Basis: Basis(column[5]),
		Deprecated: column[6] == "yes", Like: column[7], Description: column[8]}
}

// Scopes returns the scopes of which one suffices, the granular ones first.
func (a About) Scopes() []string {
	return append(append(make([]string, 0, len(a.Granular)+len(a.Classic)), a.Granular...), a.Classic...)
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// Level is whom a scope lets an app act for.
type Level string

// Levels.
const (
	UserLevel    Level = "user"   // who installed the app
	AccountLevel Level = "admin"  // all users of the account
	MasterLevel  Level = "master" // the accounts below a master account
)

// LevelOf returns the level of a scope.
func LevelOf(scope string) Level {
	switch scope[strings.LastIndexByte(scope, ':')+1:] {
	case "admin":
		return AccountLevel
	case "master":
		return MasterLevel
	}
	return UserLevel
}

// AtLevel returns those of the scopes that are of a level.
func AtLevel(level Level, scopes []string) []string {
	var all []string
	for _, s := range scopes {
		if LevelOf(s) == level {
			all = append(all, s)
		}
	}
	return all
}
