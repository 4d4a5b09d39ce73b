package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/proto"
)

// bundled has the code of steps be its own bundle, and counts how often that is made.
func (h house) bundled(made *int) {
	h.known.Bundle = func(s definition.Script) (*engine.Code, []definition.Fault) {
		*made++
		if strings.Contains(s.Text, "wrong") {
			return nil, []definition.Fault{{Line: 1, Column: 1, Message: "it is wrong"}}
		}
		data := []byte(strings.Repeat(s.Text, 20_000)) // several chunks of an object
		sum := sha256.Sum256(data)
		return &engine.Code{Bundle: hex.EncodeToString(sum[:]), Data: data}, nil
	}
}

func coded(name, text string) []byte {
	return []byte("name: " + name + "\non: [ { zoom: meeting.ended } ]\nsteps:\n  - { id: x, code: '" + text + "' }\n")
}

// stored counts the bundles.
func (h house) stored(t *testing.T) int {
	t.Helper()
	objects, err := h.js.ObjectStore(t.Context(), proto.Code)
	must(t, err)
	all, err := objects.List(t.Context())
	if err == jetstream.ErrNoObjectsFound {
		return 0
	}
	must(t, err)
	return len(all)
}

// codeOf is the bundle of a version as a catalog knows it that bundles nothing.
func (h house) codeOf(t *testing.T, name, version string) string {
	t.Helper()
	w, err := another(t, h.server).Workflow(t.Context(), name, version)
	must(t, err)
	return definition.Scripts(w)["x"].Bundle
}

// A version keeps the code that it was deployed with, and the same code is stored once.
func TestCodeIsStoredWithItsVersion(t *testing.T) {
	h, made := open(t), 0
	h.bundled(&made)
	first := h.deploy(t, coded("a", "one();"))
	h.deploy(t, coded("b", "one();"))
	if n := h.stored(t); n != 1 {
		t.Errorf("the same code is stored %d times", n)
	}
	second := h.deploy(t, coded("a", "two();"))
	if n := h.stored(t); n != 2 || first.Version == second.Version {
		t.Errorf("%d bundles, versions %s and %s", n, first.Version, second.Version)
	}
	for version, text := range map[string]string{first.Version: "one();", second.Version: "two();"} {
		data, err := LoadCode(t.Context(), h.js, h.codeOf(t, "a", version))
		if err != nil || string(data) != strings.Repeat(text, 20_000) {
			t.Errorf("version %.12s has other code than %s: %d bytes, %v", version, text, len(data), err)
		}
	}
	if made != 3 {
		t.Errorf("code was bundled %d times: it is when it is deployed, and else never", made)
	}
}

// A version is another one where only its code is: it may import what has changed.
func TestCodeIsPartOfTheVersion(t *testing.T) {
	h := open(t)
	text := "first"
	h.known.Bundle = func(definition.Script) (*engine.Code, []definition.Fault) {
		sum := sha256.Sum256([]byte(text))
		return &engine.Code{Bundle: hex.EncodeToString(sum[:]), Data: []byte(text)}, nil
	}
	first := h.deploy(t, coded("a", "f()"))
	text = "second"
	second := h.deploy(t, coded("a", "f()"))
	if second.Change != Updated || second.Version == first.Version {
		t.Errorf("what the code imports has changed, and the version has not: %+v", second)
	}
}

func TestWrongCodeIsNotDeployed(t *testing.T) {
	h, made := open(t), 0
	h.bundled(&made)
	if _, problems, err := h.Deploy(t.Context(), "w.yaml", coded("a", "wrong")); err == nil || len(problems) != 1 || problems[0].Message != "it is wrong" {
		t.Errorf("%v %v", problems, err)
	}
	if n := h.stored(t); n != 0 {
		t.Errorf("%d bundles are stored of it", n)
	}
}

// What is not there, or is not what was stored, is not run.
func TestCodeThatIsNotWhatWasStored(t *testing.T) {
	h, made := open(t), 0
	h.bundled(&made)
	name := h.codeOf(t, "a", h.deploy(t, coded("a", "one();")).Version)
	objects, err := h.js.ObjectStore(t.Context(), proto.Code)
	must(t, err)
	_, err = objects.PutString(t.Context(), name, "evil();")
	must(t, err)
	if data, err := LoadCode(t.Context(), h.js, name); err == nil || !strings.Contains(err.Error(), "not those that were stored") {
		t.Errorf("%q %v", data, err)
	}
	must(t, objects.Delete(t.Context(), name))
	if data, err := LoadCode(t.Context(), h.js, name); err == nil || !strings.Contains(err.Error(), "loading code "+name[:12]) {
		t.Errorf("%q %v", data, err)
	}
}
