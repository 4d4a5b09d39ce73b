//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/app"
	"zflow/proto"
)

// TestDiskFilledByAnother: another program takes all of the disk while a call is
// under way. Ingest answers 503, the run waits, and when there is room again all
// that was accepted ends, with each step called once.
func TestDiskFilledByAnother(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "true")
	r.api.hold = make(chan struct{})
	accepted := []int{0}
	if code := r.post(0, 0); code != 204 {
		t.Fatalf("with room: %d", code)
	}
	<-r.api.came // the first step of the first run is under way
	empty := diskFill(t, r.dir, 0)
	n := 1
	r.eventually("a refusal", func() error {
		n++
		if code := r.post(n, 0); code == 503 {
			return nil
		}
		accepted = append(accepted, n)
		return errors.New("still taken")
	})
	for range 20 {
		n++
		if code := r.post(n, 0); code != 503 {
			t.Errorf("without room: %d", code)
			accepted = append(accepted, n)
		}
	}
	close(r.api.hold)
	if calls := r.api.count("/second", 0); calls != 0 {
		t.Errorf("the second step was called %d times though the outcome of the first cannot be recorded", calls)
	}
	if code := r.post(n, 0); code != 503 {
		t.Errorf("without room: %d", code)
	}
	empty()
	r.eventually("room again", func() error {
		n++
		if code := r.post(n, 0); code != 204 {
			return fmt.Errorf("answered %d", code)
		}
		accepted = append(accepted, n)
		return nil
	})
	r.await("steps", accepted)
	ends, why := r.ends()
	t.Logf("%d events accepted; the broker ended %d times, last: %s", len(accepted), ends, why)
}

func diskStreams(t *testing.T, js jetstream.JetStream) (streams []*jetstream.StreamInfo) {
	t.Helper()
	list := js.ListStreams(t.Context())
	for s := range list.Info() {
		streams = append(streams, s)
	}
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	return streams
}

func diskSum(streams []*jetstream.StreamInfo) (sum int64) {
	for _, s := range streams {
		sum += max(s.Config.MaxBytes, 0)
	}
	return sum
}

// TestDiskFilledByEvents: with no worker, events are refused before the disk is
// full; the full store starts again; a worker makes room.
func TestDiskFilledByEvents(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "not event.payload.object.big")
	if err := r.client.Catalog.Pause(t.Context(), "steps"); err != nil {
		t.Fatal(err)
	}
	var small []int
	stored, n := 0, 0
	for code := 204; code == 204; n++ {
		pad := 0
		if n%10 != 0 {
			pad = 200 << 10
		}
		if code = r.post(n, pad); code == 204 {
			stored++
			if pad == 0 {
				small = append(small, n)
			}
		}
	}
	js := r.client.JS
	s, err := js.Stream(t.Context(), proto.Events)
	if err != nil {
		t.Fatal(err)
	}
	if info := s.CachedInfo(); info.State.LastSeq != uint64(stored) || info.State.Bytes < uint64(info.Config.MaxBytes)*7/10 {
		t.Errorf("%d events were accepted, the last in the stream is %d: %d of %d bytes", stored, info.State.LastSeq, info.State.Bytes, info.Config.MaxBytes)
	}
	r.current().Shutdown() // and it is started again
	r.eventually("the full store", func() error {
		s, err := js.Stream(t.Context(), proto.Events)
		if err != nil {
			return err
		}
		// The worker may have ended the first before it knew of the pause: that one may be purged.
		if at := s.CachedInfo().State; at.LastSeq != uint64(stored) || at.Msgs != at.LastSeq-at.FirstSeq+1 || at.FirstSeq > 2 {
			t.Errorf("after the restart the stream has %d of %d events, from %d to %d", at.Msgs, stored, at.FirstSeq, at.LastSeq)
		}
		return nil
	})
	for range 5 {
		if n++; r.post(n, 200<<10) != 503 {
			t.Error("taken by a full stream")
		}
	}
	if err := r.client.Catalog.Resume(t.Context(), "steps"); err != nil {
		t.Fatal(err)
	}
	r.await("steps", small)
	r.eventually("room again", func() error {
		if n++; r.post(n, 200<<10) != 204 {
			return errors.New("still refused")
		}
		return nil
	})
	t.Logf("%d events of 200 KiB and less were taken, %d bytes are free", stored, diskFree(t, r.dir))
}

// TestDiskOfThreeGigabytes: zflow runs there as it comes.
func TestDiskOfThreeGigabytes(t *testing.T) {
	for _, size := range []string{"3g", "1g", "200m"} {
		r := newDiskRig(t, size) // ingest comes first
		if code := r.post(0, 0); code != 204 {
			t.Errorf("%s: without a worker: %d", size, code)
		}
		r.startWorker()
		r.deploy("steps", "true")
		r.post(1, 0)
		r.await("steps", []int{1}) // the one before came before the workflow
		streams := diskStreams(t, r.client.JS)
		if sum, free := diskSum(streams), diskFree(t, r.dir); sum > free || sum < free/2 {
			t.Errorf("%s: the limits of %d streams are %d bytes, %d are free", size, len(streams), sum, free)
		}
		if !slices.ContainsFunc(streams, func(s *jetstream.StreamInfo) bool { return s.Config.Name == proto.Bucket(proto.Leases) }) {
			t.Errorf("%s: the buckets are not there", size)
		}
	}
}

// TestDiskFullAtTheStart: the broker starts again with what little the reserve
// leaves, and on a disk without a free byte as soon as there is room.
func TestDiskFullAtTheStart(t *testing.T) {
	r := newDiskRig(t, "64m")
	r.startWorker()
	r.deploy("steps", "true")
	accepted := []int{}
	for n := range 10 {
		if r.post(n, 0) == 204 {
			accepted = append(accepted, n)
		}
	}
	r.await("steps", accepted)
	n := 100
	for _, free := range []int64{1 << 20, 0} {
		empty := diskFill(t, r.dir, free)
		starts := r.begun()
		r.current().Shutdown() // and it is started again
		r.eventually("a start", func() error {
			if r.begun() == starts {
				return errors.New("none yet")
			}
			return nil
		})
		r.eventually("a refusal", func() error { // what ingest knows of the disk is up to a second old
			if n++; r.post(n, 0) == 503 {
				return nil
			}
			accepted = append(accepted, n)
			return errors.New("still taken")
		})
		for range 5 {
			if n++; r.post(n, 0) != 503 {
				t.Errorf("with %d bytes free: event %d was taken", free, n)
				accepted = append(accepted, n)
			}
		}
		ends, why := r.ends()
		if free == 0 && !strings.Contains(why, "the disk is full, 0 of 67108864 bytes are free") {
			t.Errorf("the broker says: %s", why)
		}
		t.Logf("with %d bytes free: ended %d times, last: %s", free, ends, why)
		empty()
		r.eventually("room again", func() error {
			if n++; r.post(n, 0) != 204 {
				return errors.New("still refused")
			}
			accepted = append(accepted, n)
			return nil
		})
		r.await("steps", accepted)
	}
}

// TestDiskIsSmallerThanBefore: what was kept on a large disk starts on a small one,
// with limits that fit there.
func TestDiskIsSmallerThanBefore(t *testing.T) {
	large, flows := t.TempDir(), t.TempDir()
	c := app.DevConfig{Dir: flows, Data: large, IngestListen: "127.0.0.1:0", SimListen: "127.0.0.1:0", Out: io.Discard}
	d, err := app.StartDev(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	small := diskMount(t, "3g")
	c.Data = filepath.Join(small, "data")
	if err := os.CopyFS(c.Data, os.DirFS(large)); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []string{"sealing.keys", "connection.keys"} { // which CopyFS lets others read
		if err := os.Chmod(filepath.Join(c.Data, keys), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d, err = app.StartDev(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if sum := diskSum(diskStreams(t, d.Client().JS)); sum > 3<<30 {
		t.Errorf("the limits are %d bytes", sum)
	}
}
