package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"zflow/internal/app/accounts"
	"zflow/internal/connections"
	"zflow/internal/sealed"
	"zflow/internal/wholefile"
)

// Keys are the files of keys that CreateKeys made or found.
type Keys struct {
	Private     string `json:"private"`      // for workers only
	Connections string `json:"connections"`  // for workers only, beside it
	Public      string `json:"public"`       // for ingest
	PublicKey   string `json:"public_key"`   // what stands in it
	Made        bool   `json:"made"`         // the private keys are new
	PublicSaved bool   `json:"public_saved"` // the public key was not there, or was another one
}

// CreateKeys makes the keys that workers seal with, where there are none yet, and
// writes the public one for ingest. It never replaces a private key: what was
// sealed to it could not be opened again.
func CreateKeys(private, public string) (Keys, error) {
	k := Keys{Private: private, Connections: accounts.KeysFile(private), Public: public}
	if err := k.check(); err != nil {
		return k, fmt.Errorf("making keys: %w", err)
	}
	sealing, err := sealed.LoadOrCreateKeys(private)
	if err != nil {
		return k, fmt.Errorf("making keys: %w", err)
	}
	if _, err := connections.LoadOrCreateKeyring(k.Connections); err != nil {
		return k, fmt.Errorf("making keys: %w", err)
	}
	k.PublicKey = sealing.Public().String()
	if k.PublicSaved, err = savePublic(public, k.PublicKey+"\n"); err != nil {
		return k, fmt.Errorf("writing the public key: %w", err)
	}
	return k, nil
}

// RotateKeys puts new keys before those that there are, and writes the new public
// one. Cut short, it is right to do again.
func RotateKeys(private, public string) (Keys, error) {
	k := Keys{Private: private, Connections: accounts.KeysFile(private), Public: public}
	if err := k.check(); err != nil {
		return k, fmt.Errorf("rotating keys: %w", err)
	}
	if k.Made {
		return k, fmt.Errorf("rotating keys: there is no %s yet: zflow keys create makes it", private)
	}
	if _, err := connections.LoadOrCreateKeyring(k.Connections); err != nil {
		return k, fmt.Errorf("rotating keys: %w", err)
	}
	if err := errors.Join(connections.Rotate(k.Connections), sealed.Rotate(private)); err != nil {
		return k, err
	}
	sealing, err := sealed.LoadKeys(private)
	if err != nil {
		return k, fmt.Errorf("rotating keys: %w", err)
	}
	k.PublicKey = sealing.Public().String()
	k.PublicSaved, err = savePublic(public, k.PublicKey+"\n")
	return k, err
}

// check makes the folders, and refuses what would give keys away or lose them.
func (k *Keys) check() error {
	private, err := filepath.Abs(k.Private)
	if err != nil {
		return err
	}
	public, err := filepath.Abs(k.Public)
	if err != nil {
		return err
	}
	if public == private || public == accounts.KeysFile(private) {
		return errors.New("the public key needs a file of its own")
	}
	if err := os.MkdirAll(filepath.Dir(private), 0o700); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(public), 0o755); err != nil {
		return err
	}
	info, err := os.Stat(private)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Made = true
		return nil
	case err != nil:
		return err
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("others may read %s (mode %04o): make it 0600, or throw it away if they have", k.Private, info.Mode().Perm())
	}
	return nil
}

// savePublic writes a file whole or not at all, unless it says so already.
func savePublic(path, text string) (saved bool, err error) {
	was, err := os.ReadFile(path)
	if err == nil && string(was) == text {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, wholefile.Replace(path, []byte(text), 0o644)
}
