package expr

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	"zflow/engine/expr/jsonvalue"
)

const (
	// allText bounds the texts that an evaluation makes, together.
	allText = 4 * jsonvalue.MaxText
	// maxSteps bounds what loops do in one evaluation.
	maxSteps = 2_000_000
	// meterName is how programs find the meter in their environment. No
	// expression can spell it.
	meterName = "\x00meter"
)

var errTooMuch = errors.New("the expression does too much: its loops were stopped")

// meter is the state of one evaluation: what the clock says, how many random
// values were drawn, and what work is left.
type meter struct {
	clock Clock
	drawn uint64
	steps int
	text  int

	patterns map[string]*regexp.Regexp // compiled in this evaluation
}

func newMeter(c Clock) meter { return meter{clock: c, steps: maxSteps, text: allText} }

// Step charges n steps. A nil meter has no limit: nothing loops where it is nil.
func (m *meter) Step(n int) error {
	if m == nil {
		return nil
	}
	if m.steps -= n; m.steps < 0 {
		return errTooMuch
	}
	return nil
}

// Grow charges a text of n bytes that was, or is about to be, made.
func (m *meter) Grow(n int) error {
	if n > jsonvalue.MaxText {
		return jsonvalue.ErrTooLong
	}
	if m == nil {
		return nil
	}
	if m.text -= n; m.text < 0 {
		return errTooMuch
	}
	return nil
}

// now returns the run's time, without the machine's zone or monotonic clock.
func (m *meter) now() time.Time { return m.clock.Now.Round(0).UTC() }

func (m *meter) draw() [sha256.Size]byte {
	m.drawn++
	return sha256.Sum256(fmt.Appendf(nil, "zflow random %d %s", m.drawn, m.clock.Seed))
}

// random returns a number from 0 up to but not 1.
func (m *meter) random() float64 {
	sum := m.draw()
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// uuid returns a UUID of version 4.
func (m *meter) uuid() string {
	b := m.draw()
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// pattern returns a compiled regular expression.
func (m *meter) pattern(s string) (*regexp.Regexp, error) {
	if re := m.patterns[s]; re != nil {
		return re, nil
	}
	if err := m.Step(100 + 10*len(s)); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, &Error{Message: short(s) + " is no regular expression"}
	}
	if m.patterns == nil {
		m.patterns = map[string]*regexp.Regexp{}
	}
	if len(m.patterns) < 100 {
		m.patterns[s] = re
	}
	return re, nil
}
