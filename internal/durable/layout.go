package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// LayoutStream is made at the start of a Flusher, written to once at LayoutSubject,
// and deleted: its user needs the rights for that.
const (
	LayoutStream  = "ZFLOW_LAYOUT_CHECK"
	LayoutSubject = "zflow.flush-layout-check"
)

// checkLayout proves that this server keeps streams where and how files expects:
// every stream has its folder, and a message that is stored makes the newest
// block longer.
func (f *Flusher) checkLayout(ctx context.Context) error {
	js, err := jetstream.New(f.nc)
	if err != nil {
		return err
	}
	if err := f.checkFolders(ctx, js); err != nil {
		return err
	}
	s, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: LayoutStream, Subjects: []string{LayoutSubject}, Storage: jetstream.FileStorage, MaxMsgs: 1,
	})
	if err != nil {
		return fmt.Errorf("checking the file layout: %w", err)
	}
	err = f.checkGrowth(ctx, js)
	if err == nil {
		err = js.DeleteStream(ctx, s.CachedInfo().Config.Name)
	}
	if err == nil {
		err = f.awaitRemoval(ctx)
	}
	if err != nil {
		return fmt.Errorf("checking the file layout: %w", err)
	}
	return nil
}

// awaitRemoval waits until the server has removed the stream's files, which it
// does after its answer, under a name with a dot: a stream half removed would
// make the server's own health check fail.
func (f *Flusher) awaitRemoval(ctx context.Context) error {
	for {
		_, err := os.Stat(filepath.Join(f.streams, "."+LayoutStream))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

func (f *Flusher) checkFolders(ctx context.Context, js jetstream.JetStream) error {
	list := js.ListStreams(ctx)
	for s := range list.Info() {
		if s.Config.Storage != jetstream.FileStorage {
			continue
		}
		if _, err := os.Stat(filepath.Join(f.streams, s.Config.Name, "msgs")); err != nil {
			return fmt.Errorf("looking for the files of stream %s: %w", s.Config.Name, err)
		}
	}
	return list.Err()
}

func (f *Flusher) checkGrowth(ctx context.Context, js jetstream.JetStream) error {
	before, err := f.layoutSize()
	if err != nil {
		return err
	}
	if _, err := js.Publish(ctx, LayoutSubject, []byte("check")); err != nil {
		return err
	}
	after, err := f.layoutSize()
	if err != nil {
		return err
	}
	if after <= before {
		return errors.New("a stored message did not make the newest block file longer: this server's files are unknown to zflow, which cannot flush them")
	}
	return nil
}

// layoutSize is the length of the newest block of the check's stream.
func (f *Flusher) layoutSize() (int64, error) {
	s := newFiles(filepath.Join(f.streams, LayoutStream), true, func(*os.File) error { return nil })
	if err := s.list(); err != nil {
		return 0, err
	}
	b := s.blocks[s.newest]
	if b == nil {
		return 0, nil
	}
	info, err := os.Stat(b.path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
