package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/nats.go/jetstream"
)

// LayoutStream is made at the first start of a Flusher and written to at each, at
// LayoutSubject: its user needs the rights for that. It stays: after the deletion
// of its only stream a server removes the folder of all streams, a moment later,
// under whoever makes the next one.
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
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: LayoutStream, Subjects: []string{LayoutSubject}, Storage: jetstream.FileStorage, MaxMsgs: 1,
	})
	if err != nil {
		return fmt.Errorf("checking the file layout: %w", err)
	}
	if err := f.checkGrowth(ctx, js); err != nil {
		return fmt.Errorf("checking the file layout: %w", err)
	}
	return nil
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
