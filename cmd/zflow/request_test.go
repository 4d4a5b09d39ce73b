package main

import (
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// request METHOD PATH BODY [NAME: VALUE]… sends a request to a trigger http, whose
// answer is to be a success.
func request(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequest(args[0], ts.Getenv("INGEST")+"/http/"+args[1], strings.NewReader(args[2]))
	ts.Check(err)
	for _, h := range args[3:] {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer w.Body.Close()
	if body, err := io.ReadAll(w.Body); w.StatusCode >= 300 || err != nil {
		ts.Fatalf("%d %s, %v", w.StatusCode, body, err)
	}
}
