package settings

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A field of a kind that nothing sets would be a setting that does nothing.
func TestEveryFieldCanBeSet(t *testing.T) {
	var walk func(v reflect.Value, path string)
	walk = func(v reflect.Value, path string) {
		switch {
		case isScalar(v):
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				if key := v.Type().Field(i).Tag.Get("yaml"); key != "" {
					walk(v.Field(i), join(path, key))
				}
			}
		case v.Kind() == reflect.Map, v.Kind() == reflect.Slice:
			walk(reflect.New(v.Type().Elem()).Elem(), path+"[]")
		default:
			t.Errorf("%s is a %s, which no configuration sets", path, v.Kind())
		}
	}
	walk(reflect.ValueOf(Default()).Elem(), "")
}

func TestTruths(t *testing.T) {
	file := filepath.Join(t.TempDir(), "zflow.yaml")
	for text, want := range map[string]string{"false": "", "true": "", "no": `"no" is neither true nor false`, "[]": "worker.code.network"} {
		if err := os.WriteFile(file, []byte("worker: { code: { network: "+text+" } }\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Setup{File: file})
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
		case err != nil || c.Worker.Code.Network != (text == "true"):
			t.Errorf("%s: %v", text, err)
		}
	}
	c, err := Load(Setup{Environ: []string{"ZFLOW_WORKER_CODE_NETWORK=false"}})
	if err != nil || c.Worker.Code.Network {
		t.Errorf("by the environment: %v", err)
	}
}
