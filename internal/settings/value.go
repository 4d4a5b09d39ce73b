package settings

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Secret is a text of the configuration that is never printed. Reveal gives it.
type Secret struct {
	text string
	file string // that holds it
	from string // where the configuration names the file
}

// NewText returns a text that does not come from a configuration.
func NewText(text string) Text { return Text{text: text} }

// NewSecret returns a secret that does not come from a configuration.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text.
func (s Secret) Reveal() string { return s.text }

// String hides the text.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return "••••"
}

// GoString hides the text.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Secret) set(text string) error {
	*s = Secret{text: text}
	return nil
}

func (s *Secret) setFile(path, from string) { *s = Secret{file: path, from: from} }

// Text is a text that is no secret, and may come from a file too.
type Text struct {
	text string
	file string
	from string
}

func (t Text) String() string { return t.text }

func (t *Text) set(text string) error {
	*t = Text{text: text}
	return nil
}

func (t *Text) setFile(path, from string) { *t = Text{file: path, from: from} }

// Duration is a time.Duration that is written with units from "ms" to "w".
type Duration time.Duration

var dayUnits = regexp.MustCompile(`([0-9]+)([wd])`)

func (d *Duration) set(text string) error {
	var whole time.Duration
	rest := dayUnits.ReplaceAllStringFunc(text, func(part string) string {
		n, _ := strconv.Atoi(part[:len(part)-1]) // of digits; too many overflow to 0 and are refused below
		unit := day
		if part[len(part)-1] == 'w' {
			unit = 7 * day
		}
		whole += time.Duration(n) * unit
		return ""
	})
	var parsed time.Duration
	var err error
	if rest != "" || whole == 0 {
		parsed, err = time.ParseDuration(rest)
	}
	if err != nil || whole < 0 || parsed < 0 || whole+parsed < 0 {
		return fmt.Errorf("%q is no duration: write 90s, 30m, 2h or 28d", text)
	}
	*d = Duration(whole + parsed)
	return nil
}

// String writes the duration as a configuration would.
func (d Duration) String() string {
	if t := time.Duration(d); t > 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	return time.Duration(d).String()
}

// Bytes is a size that is written with a unit.
type Bytes int64

var sizeUnits = map[string]int64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": mib, "GiB": gib, "TiB": 1 << 40}

func (b *Bytes) set(text string) error {
	digits := strings.TrimRight(text, "KMGTiB ")
	n, err := strconv.ParseInt(digits, 10, 64)
	unit := sizeUnits[strings.TrimSpace(text[len(digits):])]
	if err != nil || n < 0 || unit == 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is no size: write 512MiB or 20GiB", text)
	}
	*b = Bytes(n * unit)
	return nil
}

// String writes the size with the largest unit that divides it.
func (b Bytes) String() string {
	for _, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if size := sizeUnits[unit]; b > 0 && int64(b)%size == 0 {
			return strconv.FormatInt(int64(b)/size, 10) + unit
		}
	}
	return strconv.FormatInt(int64(b), 10)
}
