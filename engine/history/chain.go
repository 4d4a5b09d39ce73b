package history

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	wire "zflow/proto"
	v1 "zflow/proto/zflow/v1"
)

// Headers of an append: the hash of its own bytes, since nothing follows the
// last one that would tell; and, by JetStream, the message that it was written
// behind.
const (
	headerHash   = "zflow-hash"
	headerBehind = "Nats-Expected-Last-Subject-Sequence"
	headerStart  = "zflow-started-at"
)

// stored is an append as it lies in RUNS.
type stored struct {
	sequence uint64
	at       time.Time
	header   nats.Header
	data     []byte
}

// link is what the next append of a run must fit to; zero: none came before.
type link struct {
	number uint64
	hash   [sha256.Size]byte
}

// follow moves to the next append of the run, or says, as *Damaged, why it
// cannot be that.
func (l *link) follow(run string, m stored) (*v1.Facts, error) {
	f := &v1.Facts{}
	bad := &Damaged{Run: run, Sequence: m.sequence}
	if err := proto.Unmarshal(m.data, f); err != nil {
		bad.Why = "its bytes are no facts: " + err.Error()
		return nil, bad
	}
	bad.Number = f.Number
	if bad.Why = l.broken(f); bad.Why != "" {
		bad.late = l.number == 0 && len(f.Facts) > 0
		return nil, bad
	}
	hash := sha256.Sum256(m.data)
	if want := m.header.Get(headerHash); want != "" && want != hex.EncodeToString(hash[:]) {
		bad.Why = fmt.Sprintf("append %d is not as it was written", f.Number)
		return nil, bad
	}
	l.number, l.hash = f.Number, hash
	return f, nil
}

// broken says why an append cannot be the next. A history may begin late where
// its first generations have aged away.
func (l *link) broken(f *v1.Facts) string {
	switch {
	case len(f.Facts) == 0:
		return "it holds no fact"
	case l.number == 0 && (f.Number == 1 || f.Facts[0].GetRunContinued() != nil):
		return ""
	case l.number == 0:
		return fmt.Sprintf("the history begins with append %d, and that begins no generation", f.Number)
	case f.Number != l.number+1:
		return fmt.Sprintf("append %d follows append %d", f.Number, l.number)
	case !bytes.Equal(f.Previous, l.hash[:]):
		return fmt.Sprintf("append %d is not the one that append %d was written behind", l.number, f.Number)
	}
	return ""
}

// Damaged is the error about a history that is not what was written.
type Damaged struct {
	Workflow string // where known
	Run      string
	Sequence uint64 // in RUNS, of the first bad append
	Number   uint64 // that the append gives itself
	Why      string
	Aged     bool // nothing was altered: its first appends are older than RUNS keeps them
	late     bool // it begins with an append that is not its first
}

func (e *Damaged) Error() string {
	if e.Aged {
		return fmt.Sprintf("loading run %s: its history has aged: it begins with append %d, those before are older than %s keeps them", e.Run, e.Number, wire.Runs)
	}
	return fmt.Sprintf("loading run %s: its history is damaged at message %d of %s: %s", e.Run, e.Sequence, wire.Runs, e.Why)
}

// aged finds out whether a history that begins late only lost to age what was
// before. That is so if the message before was dropped from the stream's head,
// and the run is old enough for it.
func (s *Store) aged(ctx context.Context, err error, m stored) error {
	var d *Damaged
	if !errors.As(err, &d) || !d.late || s.age == 0 {
		return err
	}
	behind, noNumber := strconv.ParseUint(m.header.Get(headerBehind), 10, 64)
	start, noTime := time.Parse(time.RFC3339Nano, m.header.Get(headerStart))
	if noNumber != nil || noTime != nil || behind == 0 {
		return err
	}
	info, failed := s.stream.Info(ctx)
	if failed != nil {
		return fmt.Errorf("loading run %s: %w", d.Run, failed)
	}
	d.Aged = behind < info.State.FirstSeq && start.Before(info.TimeStamp.Add(-s.age))
	return d
}
