package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"zflow/internal/zoomcatalog"
)

var parityRow = regexp.MustCompile("(?m)^\\| `(zoom[a-z_]*-[a-z-]+)` \\| `([^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

// Each of the 37 sources has a row, whose trigger is one and whose test is there.
func TestParityTable(t *testing.T) {
	rows := parityRow.FindAllStringSubmatch(read(t, "parity.md"), -1)
	count, seen := map[string]int{}, map[string]bool{}
	for _, row := range rows {
		source, trigger, test := row[1], row[2], strings.Trim(row[3], "` ")
		app, _, _ := strings.Cut(source, "-")
		count[app]++
		if seen[source] {
			t.Errorf("%s has two rows", source)
		}
		seen[source] = true
		if trigger != "poll" && !zoomcatalog.Known(trigger) {
			t.Errorf("%s: there is no trigger %s", source, trigger)
		}
		if test != "–" || trigger != "poll" {
			testIsThere(t, source, test)
		}
	}
	if len(rows) != 37 || count["zoom"] != 14 || count["zoom_admin"] != 23 {
		t.Errorf("the table has %d rows: %v", len(rows), count)
	}
}

// testIsThere finds a test by its package's folder and its name.
func testIsThere(t *testing.T, source, test string) {
	t.Helper()
	folder, name, _ := strings.Cut(test, " ")
	name, sub, _ := strings.Cut(name, "/")
	files, err := filepath.Glob(filepath.Join("..", folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: %q is no folder with tests (%v)", source, folder, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(src)
		if strings.Contains(text, "\nfunc "+name+"(") && (sub == "" || strings.Contains(text, `"`+sub+`"`)) {
			return
		}
	}
	t.Errorf("%s: there is no test %s", source, test)
}

// What is said not to be offered elsewhere is offered here.
func TestParityNamesTriggers(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "parity.md"), "Not offered there at all")
	names := regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(rest, -1)
	if len(names) < 5 {
		t.Fatalf("only %d names", len(names))
	}
	for _, n := range names {
		if !zoomcatalog.Known(n[1]) {
			t.Errorf("there is no trigger %s", n[1])
		}
	}
}
