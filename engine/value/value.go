// Package value makes the values that expressions see of what the engine knows: plain
// maps of JSON types.
package value

import (
	"cmp"
	"strconv"
	"time"

	v1 "zflow/proto/zflow/v1"
)

// Time is a time as text.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Failure is what `failure` is: nil where the run did not fail.
func Failure(e *v1.RunEnding) any {
	if e == nil || e.State != "failed" {
		return nil
	}
	return map[string]any{"step": e.Step, "reason": e.Reason, "error": Error(e.Error, "")}
}

// Error is what `error` is; without a class it is final. Its code is a number where the API's is one, and the HTTP
// status where the API gave none.
func Error(e *v1.Error, class string) any {
	if e == nil {
		return nil
	}
	var code any = e.Code
	if e.Code == "" {
		code = int64(e.Status)
	} else if n, err := strconv.ParseInt(e.Code, 10, 64); err == nil {
		code = n
	}
	return map[string]any{"message": e.Message, "code": code, "status": int64(e.Status), "class": cmp.Or(class, e.Class, "final")}
}

// Page is the address of a run's page, nil where there is none.
func Page(runs, run string) any {
	if runs == "" {
		return nil
	}
	return runs + run
}
