package workflow

import (
	"zflow/engine/expr"
	"zflow/proto"
)

// SourcePoll is the source of the events that polls make; their type is the name of
// the workflow that polls.
const SourcePoll = proto.SourcePoll

// Poll reads a list again and again; each item that is new in it, or changed, is an
// event.
type Poll struct {
	Uses    *Uses          // what reads the list; its input sees vars and secrets
	List    string         // which list it is: another input, say, is another list
	Items   *expr.Template // the list, of output
	Key     string         // the field by which an item is known
	Fields  []string       // in which it can change; none: all
	All     bool           // what the first poll finds are events too
	Removed bool           // an item that is there no more is an event
	Most    int64          // a call brings at most so many items, if asked by its limit; 0: it has no limit
	Pages   bool           // a call takes the next_page_token of the one before
}
