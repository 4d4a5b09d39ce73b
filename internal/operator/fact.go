package operator

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"zflow/engine"
	"zflow/internal/sealed"
	v1 "zflow/proto/zflow/v1"
)

// Fact is a fact of a run's history, for people and for programs.
type Fact struct {
	Number uint64
	At     time.Time
	Kind   string // step_completed
	Step   string
	Text   string // what it says, in one line
	json   []byte
}

// MarshalJSON gives the fact as the .proto file names it: values are JSON
// values, times RFC 3339, durations seconds.
func (f Fact) MarshalJSON() ([]byte, error) { return f.json, nil }

func factOf(f *v1.Fact) Fact {
	return Fact{
		Number: f.Number, At: instant(f.At), Kind: engine.Kind(f), Step: f.Step,
		Text: sealed.Mask(describe(f)), json: sealed.MaskBytes(appendMessage(nil, f.ProtoReflect())),
	}
}

func instant(nanoseconds int64) time.Time { return time.Unix(0, nanoseconds).UTC() }

// Decode reads a message of RUNS and returns it as JSON.
func Decode(message []byte) (json.RawMessage, error) {
	facts := &v1.Facts{}
	if err := proto.Unmarshal(message, facts); err != nil {
		return nil, fmt.Errorf("decoding a message of RUNS: %w", err)
	}
	if len(facts.Facts) == 0 {
		return nil, fmt.Errorf("decoding a message of RUNS: these %d bytes hold no fact", len(message))
	}
	for _, f := range facts.Facts {
		if f.Kind == nil {
			return nil, fmt.Errorf("decoding a message of RUNS: fact %d is of a kind that this version of zflow does not know", f.Number)
		}
	}
	return sealed.MaskBytes(appendMessage(nil, facts.ProtoReflect())), nil
}

// appendMessage writes a message as a JSON object, its fields in the order of
// the .proto file.
func appendMessage(b []byte, m protoreflect.Message) []byte {
	b = append(b, '{')
	if f, ok := m.Interface().(*v1.Fact); ok {
		b = appendText(append(b, `"kind":`...), engine.Kind(f))
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if !m.Has(field) {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(appendText(b, string(field.Name())), ':')
		b = appendField(b, field, m.Get(field))
	}
	return append(b, '}')
}

func appendField(b []byte, field protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	if !field.IsList() {
		return appendOne(b, field, v)
	}
	b = append(b, '[')
	for i := range v.List().Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOne(b, field, v.List().Get(i))
	}
	return append(b, ']')
}

func appendOne(b []byte, field protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch field.Kind() {
	case protoreflect.MessageKind:
		if value, ok := v.Message().Interface().(*v1.Value); ok {
			return append(b, valueJSON(value)...)
		}
		return appendMessage(b, v.Message())
	case protoreflect.StringKind:
		return appendText(b, v.String())
	case protoreflect.BytesKind:
		return appendText(b, hex.EncodeToString(v.Bytes()))
	case protoreflect.BoolKind:
		return strconv.AppendBool(b, v.Bool())
	case protoreflect.Int64Kind:
		return appendTime(b, string(field.Name()), v.Int())
	}
	return fmt.Append(b, v.Interface())
}

// appendTime writes what the .proto file has as nanoseconds: all its int64.
func appendTime(b []byte, name string, nanoseconds int64) []byte {
	if name == "took" {
		return appendText(b, strconv.FormatFloat(float64(nanoseconds)/1e9, 'f', -1, 64)+"s")
	}
	return appendText(b, instant(nanoseconds).Format(time.RFC3339Nano))
}

func appendText(b []byte, text string) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return append(b, `""`...)
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte{'\n'})...)
}

// valueJSON is a value as JSON; one whose bytes lie in BLOBS and were not
// fetched is an object that says so, what is no JSON is a text.
func valueJSON(v *v1.Value) json.RawMessage {
	switch raw := v.GetJson(); {
	case v == nil || len(raw) == 0 && v.Blob == "":
		return json.RawMessage("null")
	case len(raw) == 0:
		return fmt.Appendf(nil, `{"blob":%q,"size":%d}`, v.Blob, v.Size)
	case json.Valid(raw):
		return sealed.MaskBytes(raw)
	default:
		return sealed.MaskBytes(appendText(nil, string(raw)))
	}
}
