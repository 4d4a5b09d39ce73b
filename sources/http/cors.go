package http

import (
	nethttp "net/http"
	"slices"
	"strconv"
	"strings"

	"zflow/engine/workflow"
)

// aside answers what is no request to a workflow: a browser's question whether it may
// send one, OPTIONS, and HEAD where GET is taken. Where the workflow takes the method
// itself it gets what is no such question.
func (h *Handler) aside(w nethttp.ResponseWriter, r *nethttp.Request, routes []*Route, route *Route) bool {
	asked := r.Header.Get("Access-Control-Request-Method")
	switch {
	case r.Method == nethttp.MethodOptions && asked != "" && r.Header.Get("Origin") != "":
		if wanted := find(routes, asked); wanted != nil {
			(*origins)(wanted.CORS).allow(w.Header(), r, wanted)
			w.Header().Add("Vary", "Access-Control-Request-Method")
		}
	case route != nil && slices.Contains(route.Methods, r.Method):
		return false
	case r.Method == nethttp.MethodHead && find(routes, nethttp.MethodGet) != nil:
	case r.Method != nethttp.MethodOptions:
		return false
	}
	w.Header().Set("Allow", allowed(routes))
	h.counts.add(routes[0].Workflow, Preflight)
	w.WriteHeader(nethttp.StatusNoContent)
	return true
}

type origins workflow.CORS

// origin returns what Access-Control-Allow-Origin says to this one; empty: nothing.
func (o *origins) origin(from string) string {
	switch {
	case o == nil || from == "":
		return ""
	case slices.Contains(o.Origins, "*"):
		return "*"
	case slices.ContainsFunc(o.Origins, func(known string) bool { return strings.EqualFold(known, from) }):
		return from
	}
	return ""
}

// mark lets a page read the answer, if it may.
func (o *origins) mark(to nethttp.Header, r *nethttp.Request) bool {
	if o == nil {
		return false
	}
	to.Add("Vary", "Origin")
	origin := o.origin(r.Header.Get("Origin"))
	if origin == "" {
		return false
	}
	to.Set("Access-Control-Allow-Origin", origin)
	if o.Credentials && origin != "*" {
		to.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(o.Expose) > 0 {
		to.Set("Access-Control-Expose-Headers", strings.Join(o.Expose, ", "))
	}
	return true
}

// allow answers a preflight.
func (o *origins) allow(to nethttp.Header, r *nethttp.Request, route *Route) {
	if !o.mark(to, r) {
		return
	}
	methods := route.Methods
	if len(methods) == 0 {
		methods = []string{r.Header.Get("Access-Control-Request-Method")}
	}
	to.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
	headers := append([]string{"Content-Type", "Authorization", "Idempotency-Key"}, o.Headers...)
	to.Set("Access-Control-Allow-Headers", strings.Join(headers, ", "))
	if o.MaxAge > 0 {
		to.Set("Access-Control-Max-Age", strconv.Itoa(int(o.MaxAge.Seconds())))
	}
}
