package definition

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzParse: whatever the bytes are, Parse returns a workflow or problems with
// places in the file.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if len(src) < 10_000 {
			f.Add(src)
		}
	}
	k := known(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		start := time.Now()
		w, problems := Parse("fuzz.yaml", src, k)
		if took := time.Since(start); took > 3*time.Second {
			t.Fatalf("took %v", took)
		}
		if (w == nil) != (problems.Err() != nil) {
			t.Fatalf("workflow %v, problems %v", w, problems)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}
