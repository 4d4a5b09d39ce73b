package catalog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/engine"
	"zflow/engine/definition"
	"zflow/internal/durable"
	"zflow/internal/objects"
	"zflow/proto"
)

// createCode makes the object store for the code of steps. Like versions, what is in
// it has no age.
func createCode(ctx context.Context, js jetstream.JetStream, replicas int) error {
	_, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
		Bucket: proto.Code, Description: "zflow: the code of steps, bundled", Storage: jetstream.FileStorage, Replicas: max(replicas, 1),
	})
	if err != nil {
		return fmt.Errorf("creating object store %s: %w", proto.Code, err)
	}
	return nil
}

// storeCode returns nil when the code of all steps is stored and durable.
func (c *Catalog) storeCode(ctx context.Context, w *engine.Workflow) (bundles map[string]string, err error) {
	for path, code := range definition.Scripts(w) {
		if code.Bundle == "" {
			continue
		}
		if bundles == nil {
			bundles = map[string]string{}
		}
		bundles[path] = code.Bundle
		if err := c.storeBundle(ctx, code); err != nil {
			return nil, fmt.Errorf("storing the code of step %s: %w", path, err)
		}
	}
	return bundles, nil
}

func (c *Catalog) storeBundle(ctx context.Context, code *engine.Code) error {
	kept, err := c.js.ObjectStore(ctx, proto.Code)
	if err != nil {
		return err
	}
	for {
		mark := c.gate.Mark()
		_, err := kept.GetInfo(ctx, code.Bundle)
		if errors.Is(err, jetstream.ErrObjectNotFound) {
			err = c.putBundle(ctx, code)
		}
		if err != nil {
			return err
		}
		err = c.gate.Pass(ctx, proto.Objects(proto.Code), mark)
		if !errors.Is(err, durable.ErrChanged) {
			return err
		}
	}
}

func (c *Catalog) putBundle(ctx context.Context, code *engine.Code) error {
	bucket := objects.Bucket{JS: c.js, Name: proto.Code}
	o, err := bucket.Put(ctx, code.Bundle, bytes.NewReader(code.Data), int64(len(code.Data)))
	if err != nil {
		return errors.Join(err, bucket.Remove(context.WithoutCancel(ctx), o.ID))
	}
	return nil
}

// LoadCode returns a bundle that was stored with a version.
func LoadCode(ctx context.Context, js jetstream.JetStream, bundle string) ([]byte, error) {
	kept, err := js.ObjectStore(ctx, proto.Code)
	if err != nil {
		return nil, fmt.Errorf("loading code %.12s: %w", bundle, err)
	}
	data, err := kept.GetBytes(ctx, bundle)
	if err != nil {
		return nil, fmt.Errorf("loading code %.12s: %w", bundle, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != bundle {
		return nil, fmt.Errorf("loading code %.12s: its bytes are not those that were stored", bundle)
	}
	return data, nil
}
