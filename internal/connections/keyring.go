package connections

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zflow/internal/wholefile"

	"golang.org/x/crypto/chacha20poly1305"
)

const keyPrefix = "zflow-grant-"

// Keyring seals and opens stored tokens. The first key seals; all open. One of a
// file is read again when it meets a key that it does not have: other workers may
// have it already.
type Keyring struct {
	path string // empty: of no file
	mu   sync.RWMutex
	keys []key
	read time.Time // when the file was read again for a missing key last
}

// rereadAfter is how long after a look at the file another one is taken.
const rereadAfter = time.Second

type key struct {
	id   [4]byte
	aead cipher.AEAD
}

// NewKeyring returns a keyring of these 32-byte keys, the primary one first.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("making a keyring: no keys")
	}
	made, err := keysOf(keys)
	return &Keyring{keys: made}, err
}

func keysOf(raws [][]byte) ([]key, error) {
	keys := make([]key, 0, len(raws))
	for _, raw := range raws {
		aead, err := chacha20poly1305.NewX(raw)
		if err != nil {
			return nil, fmt.Errorf("making a keyring: %w", err)
		}
		sum := sha256.Sum256(append([]byte(keyPrefix), raw...))
		keys = append(keys, key{id: [4]byte(sum[:4]), aead: aead})
	}
	return keys, nil
}

// LoadOrCreateKeyring reads keys from a file, a line each, the primary one first;
// where there is no such file it makes one with a new key. Only its owner may be
// able to read it.
func LoadOrCreateKeyring(path string) (*Keyring, error) {
	keys, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createKeyring(path)
	}
	if err != nil {
		return nil, err
	}
	k, err := NewKeyring(keys...)
	if err == nil {
		k.path = path
	}
	return k, err
}

func readKeys(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading connection keys: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading connection keys: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("reading connection keys: others may read %s (mode %04o): make it 0600", path, mode)
	}
	var keys [][]byte
	for i, line := range strings.Fields(string(text)) {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(line, keyPrefix))
		if err != nil || !strings.HasPrefix(line, keyPrefix) || len(raw) != chacha20poly1305.KeySize {
			return nil, fmt.Errorf("reading connection keys: key %d of %s is not one", i+1, path)
		}
		keys = append(keys, raw)
	}
	return keys, nil
}

// Rotate puts a new key before those of a file: it seals from now on, and the
// others go on to open. Workers read the file again by themselves.
func Rotate(path string) error {
	if _, err := readKeys(path); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("rotating connection keys: %w", err)
	}
	raw := make([]byte, chacha20poly1305.KeySize)
	rand.Read(raw) // never fails
	next := append([]byte(keyPrefix+base64.RawURLEncoding.EncodeToString(raw)+"\n"), old...)
	if err := wholefile.Replace(path, next, 0o600); err != nil {
		return fmt.Errorf("rotating connection keys: %w", err)
	}
	return nil
}

// missed reads the file again for a key that is not there, but not all the time.
func (k *Keyring) missed(now time.Time) bool {
	k.mu.Lock()
	soon := now.Sub(k.read) < rereadAfter
	if !soon {
		k.read = now
	}
	k.mu.Unlock()
	return !soon && k.refresh()
}

// refresh reads the file again; false: there is nothing new in it.
func (k *Keyring) refresh() bool {
	if k.path == "" {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	raws, err := readKeys(k.path)
	if err != nil {
		return false
	}
	keys, err := keysOf(raws)
	if err != nil || len(keys) == 0 || len(keys) == len(k.keys) && keys[0].id == k.keys[0].id {
		return false
	}
	k.keys = keys
	return true
}

// all are the keys as they are now.
func (k *Keyring) all() []key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys
}

// stale tells that something was sealed with another key than the primary one.
func (k *Keyring) stale(sealed []byte) bool {
	return len(sealed) >= headSize && [4]byte(sealed[1:5]) != k.all()[0].id
}

// createKeyring never replaces a file that another process made meanwhile.
func createKeyring(path string) (*Keyring, error) {
	raw := make([]byte, chacha20poly1305.KeySize)
	rand.Read(raw) // never fails
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making connection keys: %w", err)
	}
	err := wholefile.Create(path, []byte(keyPrefix+base64.RawURLEncoding.EncodeToString(raw)+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making connection keys: %w", err)
	}
	return LoadOrCreateKeyring(path)
}

// A sealed record is version, key id, number, nonce, ciphertext.
const (
	recordVersion = 1
	headSize      = 1 + 4 + 8
)

// seal encrypts a connection's record of this number.
func (k *Keyring) seal(connection string, number uint64, plain []byte) []byte {
	primary := k.all()[0]
	out := make([]byte, 0, headSize+chacha20poly1305.NonceSizeX+len(plain)+chacha20poly1305.Overhead)
	out = append(out, recordVersion)
	out = append(out, primary.id[:]...)
	out = binary.BigEndian.AppendUint64(out, number)
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce) // never fails
	context := about(connection, out)
	out = append(out, nonce...)
	return primary.aead.Seal(out, nonce, plain, context)
}

// open is the inverse of seal.
func (k *Keyring) open(connection string, sealed []byte) (number uint64, plain []byte, err error) {
	if len(sealed) < headSize+chacha20poly1305.NonceSizeX || sealed[0] != recordVersion {
		return 0, nil, errors.New("not a record of this version")
	}
	number, plain, err = k.openWith(connection, sealed)
	if errors.Is(err, errUnknownKey) && k.missed(time.Now()) {
		return k.openWith(connection, sealed)
	}
	return number, plain, err
}

var errUnknownKey = errors.New("sealed with a key that is not in the keyring")

func (k *Keyring) openWith(connection string, sealed []byte) (number uint64, plain []byte, err error) {
	head, rest := sealed[:headSize], sealed[headSize:]
	for _, key := range k.all() {
		if [4]byte(head[1:5]) != key.id {
			continue
		}
		nonce, text := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
		plain, err := key.aead.Open(nil, nonce, text, about(connection, head))
		if err != nil {
			return 0, nil, errors.New("the record was altered, or is another connection's")
		}
		return binary.BigEndian.Uint64(head[5:]), plain, nil
	}
	return 0, nil, errUnknownKey
}

// numberOf reads the number of what was sealed; of nothing it is 0.
func numberOf(sealed []byte) uint64 {
	if len(sealed) < headSize {
		return 0
	}
	return binary.BigEndian.Uint64(sealed[5:headSize])
}

func about(connection string, head []byte) []byte {
	return append([]byte("zflow connection\x00"+connection+"\x00"), head...)
}
