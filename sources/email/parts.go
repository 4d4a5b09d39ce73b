package email

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/jhillyerd/enmime/v2"
	"github.com/jhillyerd/enmime/v2/mediatype"
)

// asIs stands before the type of a text while a mail is read: the parser takes all that
// it calls text for something to read, guesses its charset, and writes it anew. What is
// attached is to stay as it is, byte for byte, and most texts need no guess.
const asIs = "x-as-is-"

// read reads a mail and its parts. A mail is a stranger's, the parser another's: where it
// panics the mail cannot be read, and whoever reads it goes on.
func read(raw []byte) (e *enmime.Envelope, err error) {
	defer func() {
		if p := recover(); p != nil {
			e, err = nil, fmt.Errorf("reading the mail: %v", p)
		}
	}()
	reading := true
	parser := enmime.NewParser(enmime.SkipMalformedParts(true), enmime.MultipartWOBoundaryAsSinglePart(true), enmime.MaxStoredPartErrors(mostProblem),
		enmime.SetReadPartErrorPolicy(enmime.AllowCorruptTextPartErrorPolicy), enmime.DisableTextConversion(len(raw) > mostHTML),
		enmime.SetCustomParseMediaType(func(text string) (string, map[string]string, []string, error) {
			kind, params, bad, err := mediatype.ParseWithOptions(text, mediatype.ParseOptions{})
			if reading && isText(kind) {
				delete(params, "boundary") // a text has no parts
				kind = asIs + kind
			}
			return kind, params, bad, err
		}))
	root, err := parser.ReadParts(bytes.NewReader(headersRead(raw)))
	if err != nil {
		return nil, err
	}
	reading = false
	root.DepthMatchAll(func(p *enmime.Part) bool {
		kind, text := strings.CutPrefix(p.ContentType, asIs)
		if p.ContentType = kind; text && !isFile(p) {
			readText(p)
		}
		return false
	})
	return parser.EnvelopeFromPart(root)
}

// headersRead is a mail whose headers are UTF-8. They are to be ASCII, and to say what else
// they are; a line that does not is mostly of Western Europe.
func headersRead(raw []byte) []byte {
	end := bytes.Index(raw, []byte("\r\n\r\n"))
	if end < 0 {
		end = len(raw)
	}
	if utf8.Valid(raw[:end]) {
		return raw
	}
	var b bytes.Buffer
	for line := range bytes.Lines(raw[:end]) {
		if mostlyUTF8(line) {
			b.Write(line)
			continue
		}
		for _, c := range line {
			b.WriteRune(rune(c))
		}
	}
	b.Write(raw[end:])
	return b.Bytes()
}

func isText(kind string) bool { return strings.HasPrefix(kind, "text/") }

// isFile tells whether a part is no text of the mail itself, though it may be one.
func isFile(p *enmime.Part) bool {
	if p.ContentType != "text/plain" && p.ContentType != "text/html" {
		return true
	}
	disposition, params, _, err := mediatype.Parse(p.Header.Get("Content-Disposition"))
	return err == nil && (disposition == "attachment" || disposition == "inline" && len(params) > 0)
}

// charsetName is what a mail may say of a text's charset.
var charsetName = regexp.MustCompile(`^[A-Za-z0-9_.:+=-]{1,60}$`)

// readText makes the text of a part UTF-8.
func readText(p *enmime.Part) {
	if readable(p.Content, p.Charset) {
		return
	}
	charset := p.Charset
	switch {
	case !charsetName.MatchString(charset):
		charset = ""
	case unicodeNames[strings.ToLower(charset)] && bytes.IndexByte(p.Content, escape) < 0:
		charset = "" // what it says is not so
	}
	if charset == "" && !mostlyUTF8(p.Content) {
		charset = "windows-1252" // what most such texts are; it counts where no better guess is sure
		p.Errors = append(p.Errors, &enmime.Error{Name: enmime.ErrorCharsetDeclaration, Detail: "a text is not of the charset that it says"})
	}
	header := "Content-Type: " + p.ContentType
	if charset != "" {
		header += `; charset="` + charset + `"`
	}
	text, err := enmime.NewParser(enmime.MaxStoredPartErrors(mostProblem)).ReadParts(bytes.NewReader(append([]byte(header+"\r\n\r\n"), p.Content...)))
	if err != nil {
		return // it stays as it is, which is cleaned
	}
	p.Content, p.Errors = text.Content, append(p.Errors, text.Errors...)
}

// escape begins texts of other charsets in the midst of ASCII.
const escape = 0x1b

// unicodeNames are charsets of which UTF-8 is one, or more than one.
var unicodeNames = map[string]bool{"": true, "utf-8": true, "utf8": true, "us-ascii": true, "ascii": true}

// readable tells whether a text is UTF-8 already, also where it is said to be of another
// charset that has the same bytes for it.
func readable(text []byte, charset string) bool {
	charset = strings.ToLower(charset)
	switch {
	case bytes.IndexByte(text, escape) >= 0:
		return false
	case unicodeNames[charset]:
		return utf8.Valid(text)
	case strings.HasPrefix(charset, "iso-8859-"), strings.HasPrefix(charset, "windows-125"):
		return !bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
	}
	return false
}

// mostlyUTF8 tells whether a text is UTF-8 but for a little that was damaged.
func mostlyUTF8(text []byte) bool {
	good, bad := 0, 0
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
	}
	return bad <= good
}
