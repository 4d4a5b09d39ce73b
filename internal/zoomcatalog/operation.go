package zoomcatalog

import "sort"

// Op is an operation of Zoom's REST API.
type Op struct {
	Name     string // create_meeting
	Product  string // meetings
	Method   string
	Path     string // below /v2: /users/{userId}/meetings
	Label    string // of its rate limit: LIGHT, MEDIUM, HEAVY, RESOURCE-INTENSIVE
	Classic  []string
	Granular []string
	Summary  string
}

// Scopes returns the scopes of which one suffices.
func (o Op) Scopes() []string {
	return append(append(make([]string, 0, len(o.Granular)+len(o.Classic)), o.Granular...), o.Classic...)
}

// Operation finds an operation by name.
func Operation(name string) (Op, bool) {
	i := sort.Search(len(operations), func(i int) bool { return operations[i].Name >= name })
	if i < len(operations) && operations[i].Name == name {
		return operations[i], true
	}
	return Op{}, false
}

// Operations returns all operations, sorted by name.
func Operations() []Op { return append([]Op(nil), operations...) }
