package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zflow/engine/catalog"
)

// saying is a workflow that does nothing but say a text.
func saying(name, text string) string {
	return fmt.Sprintf("name: %s\non: { zoom: meeting.ended }\nsteps:\n  - uses: log\n    with: { message: %q }\n", name, text)
}

// folderDev is a dev without a simulator, so that nothing is written to its folder.
func folderDev(t *testing.T, files map[string]string) (*Dev, *output, func(name, text string)) {
	t.Helper()
	c, out := devConfig(t)
	c.SimListen, c.NATSListen = "", ""
	put := func(name, text string) { putFile(t, filepath.Join(c.Dir, name), text) }
	for name, text := range files {
		put(name, text)
	}
	return startDev(t, c), out, put
}

func putFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deployed is the workflows by name, each with the end of the file that it came from.
func deployed(t *testing.T, d *Dev) map[string]catalog.Entry {
	t.Helper()
	entries, err := d.Client().Catalog.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]catalog.Entry{}
	for _, e := range entries {
		all[e.Name] = e
	}
	return all
}

func names(all map[string]catalog.Entry) string {
	var found []string
	for _, name := range []string{"a", "b", "c", "x", "y"} {
		if _, there := all[name]; there {
			found = append(found, name)
		}
	}
	if len(found) != len(all) {
		return fmt.Sprintf("%v", all)
	}
	return strings.Join(found, " ")
}

// TestWorkflowFiles: hidden files, tests, vars and folders are none.
func TestWorkflowFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yml", ".c.yaml", "a_test.yaml", "a_test.yml", "vars.eu.yaml", "notes.txt", "a.yaml~", "yaml"} {
		putFile(t, filepath.Join(dir, name), "")
	}
	if err := os.Mkdir(filepath.Join(dir, "d.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := WorkflowFiles(dir)
	if err != nil || fmt.Sprint(files) != fmt.Sprint([]string{filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yaml")}) {
		t.Errorf("%v, %v", files, err)
	}
}

// TestDevFollowsItsFolder: files are added, changed, renamed, removed, and written
// as editors do.
func TestDevFollowsItsFolder(t *testing.T) {
	d, out, put := folderDev(t, map[string]string{"a.yaml": saying("a", "1")})
	dir := d.config.Dir
	out.await(t, "workflow a created")
	put("b.yaml", saying("b", "1"))
	out.await(t, "workflow b created")
	put("b.yaml", saying("b", "2"))
	out.await(t, "workflow b updated")

	// As editors do: a new file takes the place of the old.
	put(".a.yaml.swp", saying("a", "2"))
	if err := os.Rename(filepath.Join(dir, ".a.yaml.swp"), filepath.Join(dir, "a.yaml")); err != nil {
		t.Fatal(err)
	}
	out.await(t, "workflow a updated")

	// A file of another name is the same workflow.
	before := deployed(t, d)["b"]
	if err := os.Rename(filepath.Join(dir, "b.yaml"), filepath.Join(dir, "c.yaml")); err != nil {
		t.Fatal(err)
	}
	put("x.yaml", saying("x", "1"))
	out.await(t, "workflow x created")
	if after := deployed(t, d); names(after) != "a b x" || after["b"].Version != before.Version || after["b"].FirstDeployedAt != before.FirstDeployedAt {
		t.Errorf("after a file got another name: %v", after)
	}

	// Two workflows swap their files.
	put("a.yaml", saying("x", "1"))
	put("x.yaml", saying("a", "2"))
	put("y.yaml", saying("y", "1"))
	out.await(t, "workflow y created")
	if got := names(deployed(t, d)); got != "a b x y" {
		t.Errorf("after a swap: %s", got)
	}

	// The workflow gets another name, and a file goes.
	put("y.yaml", saying("c", "1"))
	out.await(t, "workflow y removed")
	if err := os.Remove(filepath.Join(dir, "c.yaml")); err != nil {
		t.Fatal(err)
	}
	out.await(t, "workflow b removed")
	if got := names(deployed(t, d)); got != "a c x" {
		t.Errorf("at the end: %s", got)
	}
	if strings.Contains(out.String(), "following") || strings.Count(out.String(), "removed") != 2 {
		t.Errorf("it said:\n%s", out)
	}
}

// TestDevTellsProblemsOnce: all of them, and the last good version stays.
func TestDevTellsProblemsOnce(t *testing.T) {
	bad := "name: bad\non: { zoom: meeting.endd }\nsteps:\n  - uses: lgo\n"
	d, out, put := folderDev(t, map[string]string{"a.yaml": saying("a", "1"), "bad.yaml": bad})
	for _, want := range []string{"bad.yaml:2:", "bad.yaml:4:"} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("%d times %s in:\n%s", strings.Count(out.String(), want), want, out)
		}
	}
	good := deployed(t, d)["a"].Version
	put("a.yaml", bad)
	out.await(t, "a.yaml:2:")
	put("b.yaml", saying("b", "1"))
	out.await(t, "workflow b created")
	if all := deployed(t, d); names(all) != "a b" || all["a"].Version != good {
		t.Errorf("the last good version is gone: %v", all)
	}
	put("c.yaml", saying("b", "2")) // b stands in b.yaml already
	if line := out.await(t, "stands in"); !strings.Contains(line, "c.yaml: workflow b stands in ") || !strings.Contains(line, "b.yaml already") {
		t.Errorf("%q", line)
	}
	if err := os.Remove(filepath.Join(d.config.Dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	out.await(t, "workflow b updated")
	put("bad.yaml", saying("x", "1"))
	out.await(t, "workflow x created")
	if text := out.String(); strings.Count(text, "bad.yaml:2:") != 1 || strings.Count(text, "stands in") != 1 {
		t.Errorf("problems were told again:\n%s", text)
	}
}

// TestDevAfterChangesWhileItWasOff: what went meanwhile is removed, a file that has
// errors now keeps its last good version.
func TestDevAfterChangesWhileItWasOff(t *testing.T) {
	d, _, put := folderDev(t, map[string]string{"a.yaml": saying("a", "1"), "b.yaml": saying("b", "1"), "c.yaml": saying("c", "1")})
	// What other means deployed is none of the folder's business.
	if _, _, err := d.Client().Catalog.Deploy(t.Context(), "elsewhere/y.yaml", []byte(saying("y", "1"))); err != nil {
		t.Fatal(err)
	}
	d.Close()
	put("a.yaml", "name: a\n")
	put("c.yaml", saying("x", "1"))
	if err := os.Remove(filepath.Join(d.config.Dir, "b.yaml")); err != nil {
		t.Fatal(err)
	}
	d = startDev(t, d.config)
	if got := names(deployed(t, d)); got != "a x y" {
		t.Errorf("deployed: %s", got)
	}
}

// TestDevWhoseFolderIsReplaced: nothing is removed while it is away, and the one
// that comes is followed.
func TestDevWhoseFolderIsReplaced(t *testing.T) {
	d, out, _ := folderDev(t, map[string]string{"a.yaml": saying("a", "1")})
	dir := d.config.Dir
	out.await(t, "workflow a created")
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	out.await(t, "following")
	if got := names(deployed(t, d)); got != "a" {
		t.Errorf("without its folder: %s", got)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	putFile(t, filepath.Join(dir, "b.yaml"), saying("b", "1"))
	out.await(t, "workflow b created")
	out.await(t, "workflow a removed")
	putFile(t, filepath.Join(dir, "b.yaml"), saying("b", "2"))
	out.await(t, "workflow b updated")
}

// TestDevIgnoresOtherFiles: a log that is written without end in the folder keeps
// no workflow from being followed.
func TestDevIgnoresOtherFiles(t *testing.T) {
	d, out, put := folderDev(t, nil)
	log, err := os.Create(filepath.Join(d.config.Dir, "dev.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	stop, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		for tick := time.NewTicker(settleFor / 10); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				fmt.Fprintln(log, "line")
			}
		}
	}()
	put("a.yaml", saying("a", "1"))
	out.await(t, "workflow a created")
	close(stop)
	<-written
}
