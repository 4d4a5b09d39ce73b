package terminal

import (
	"bytes"
	"testing"
	"time"
)

func plainShell() (*Shell, *bytes.Buffer) {
	var out bytes.Buffer
	return &Shell{Out: &out, Err: &out, Env: func(string) string { return "" }}, &out
}

func TestTablesAreAligned(t *testing.T) {
	sh, out := plainShell()
	tb := sh.Table("A", "STATUS", "C")
	tb.Add("Übung ✓", "failed", "x")
	tb.Add("b", "completed", "")
	tb.paint = func(cell string) string {
		if cell == "failed" {
			return "\x1b[31mfailed\x1b[0m"
		}
		return cell
	}
	if err := tb.Print(out); err != nil {
		t.Fatal(err)
	}
	want := "A        STATUS     C\nÜbung ✓  \x1b[31mfailed\x1b[0m     x\nb        completed  \n"
	if out.String() != want {
		t.Errorf("got\n%q, want\n%q", out.String(), want)
	}
}

// What goes to a pipe or a file has no colors.
func TestColorsAreForTerminals(t *testing.T) {
	sh, _ := plainShell()
	if got := sh.Paint("failed"); got != "failed" {
		t.Errorf("painted as %q", got)
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"list", "show", "watch", "cancel", "approve"}
	for given, want := range map[string]string{"lisst": "list", "sho": "show", "cancl": "cancel", "wtach": "watch", "zzzzzz": "", "x": ""} {
		got := DidYouMean(given, known)
		if want == "" && got != "" || want != "" && got != `: did you mean "`+want+`"?` {
			t.Errorf("%s: %q", given, got)
		}
	}
}

func TestPlural(t *testing.T) {
	if Plural(1, "error") != "1 error" || Plural(0, "file") != "0 files" || Short("Übungen", 4) != "Übu…" || Short("abc", 3) != "abc" {
		t.Error("counted or cut wrongly")
	}
	if Clock(time.Time{}) != "-" {
		t.Error("no time is shown as one")
	}
}
