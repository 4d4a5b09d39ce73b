package pipedream

import "fmt"

// Note is something that a person has to do, or should know.
type Note struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	What   string `json:"what"`
	Do     string `json:"do,omitempty"` // what to do about it
	Hint   bool   `json:"hint"`         // the workflow can run as it is
}

// String returns the note as an editor or terminal understands it.
func (n Note) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", n.File, n.Line, n.Column)
	if n.Hint {
		s += "hint: "
	}
	s += n.What
	if n.Do != "" {
		s += " (" + n.Do + ")"
	}
	return s
}
