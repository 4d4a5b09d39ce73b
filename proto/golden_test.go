package proto

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	v1 "zflow/proto/zflow/v1"
)

var add = flag.Bool("add", false, "add golden messages for texts that have none; those that are there are never changed")

// TestGolden reads messages as earlier releases stored them (testdata/*.hex) and
// compares them with what they say (testdata/*.txt). Golden messages may be added,
// never edited: histories that people have are like them.
func TestGolden(t *testing.T) {
	texts, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(texts) == 0 {
		t.Fatalf("%d golden messages, %v", len(texts), err)
	}
	for _, file := range texts {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want := message(file)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := prototext.Unmarshal(text, want); err != nil {
				t.Fatal(err)
			}
			got := message(file)
			if err := proto.Unmarshal(stored(t, strings.TrimSuffix(file, ".txt")+".hex", want), got); err != nil {
				t.Fatal(err)
			}
			if !proto.Equal(got, want) {
				t.Errorf("it reads\n%s", prototext.Format(got))
			}
		})
	}
}

func message(file string) proto.Message {
	switch kind, _, _ := strings.Cut(filepath.Base(file), "-"); kind {
	case "wake":
		return &v1.Wake{}
	case "command":
		return &v1.Command{}
	}
	return &v1.Facts{}
}

func stored(t *testing.T, file string, m proto.Message) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) && *add {
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(hex.EncodeToString(data)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return data
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEveryFactIsGolden fails when a kind of fact has no golden message.
func TestEveryFactIsGolden(t *testing.T) {
	var all strings.Builder
	texts, _ := filepath.Glob("testdata/*.txt")
	for _, file := range texts {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	kinds := (&v1.Fact{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	for i := range kinds.Len() {
		if name := string(kinds.Get(i).Name()); !strings.Contains(all.String(), name+" ") && !strings.Contains(all.String(), name+":") {
			t.Errorf("no golden message has a %s", name)
		}
	}
}
