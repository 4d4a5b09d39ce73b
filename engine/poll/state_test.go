package poll

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"
)

// What is known has a limit, however few items it is of.
func TestWhatIsKnownHasALimit(t *testing.T) {
	noise := make([]byte, mostBytes+1<<20)
	_, _ = rand.Read(noise) // it never fails
	p := New(Config{Now: time.Now})
	_, err := p.write(context.Background(), "club", map[string]item{"a": {Hash: base64.StdEncoding.EncodeToString(noise)}})
	if why := (*failure)(nil); !errors.As(err, &why) || !strings.Contains(err.Error(), "takes 17 MiB, at most are 16: compare fewer fields") {
		t.Errorf("%v", err)
	}
}

// A name of parts tells when they were made, so that what nobody names any more can
// go; of any other name that was long ago.
func TestPartsTellWhenTheyWereMade(t *testing.T) {
	now := time.UnixMilli(1_790_000_000_123)
	if got := madeAt("1790000000123-ABCDEFGH"); !got.Equal(now) {
		t.Errorf("%v", got)
	}
	if got := madeAt("x"); got.Year() != 1970 {
		t.Errorf("%v", got)
	}
}
