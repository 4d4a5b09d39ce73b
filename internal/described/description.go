package described

import (
	"zflow/actions"
	"zflow/actions/http"
	"zflow/engine/expr"
)

// description is an action as its file says.
type description struct {
	spec       actions.Spec
	client     *http.Client
	connection string        // the name of the connection that is used unless another is named; empty: none
	signedIf   *expr.Program // nil: always
	calls      []*call
	rules      []*rule
	success    *expr.Program // of the last answer; nil: any that the status does not refuse
	output     *expr.Template
	required   []string // fields of the output
	secrets    []string // inputs that are shown nowhere
}

// call is one request.
type call struct {
	id      string
	effect  actions.Effect
	request *expr.Template
	shape   any  // the request as it is written, to tell its fields from those of values
	signed  bool // it sends the token
}

// rule says what an answer means.
type rule struct {
	when       *expr.Program
	class      actions.Class
	message    *expr.Template // nil: what the answer says
	code       *expr.Template
	retryAfter *expr.Template // seconds
	retryAt    *expr.Template // seconds since 1970
}
