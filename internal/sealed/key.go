package sealed

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"zflow/internal/wholefile"

	"golang.org/x/crypto/nacl/box"
)

const (
	publicText  = "zflow-seal-"
	privateText = "zflow-open-"
)

var keyText = base64.RawURLEncoding.Strict()

// PublicKey seals. It is made by ParsePublicKey or Keys.Public; the zero value
// has no key: it seals nothing and shows nothing.
type PublicKey struct {
	id  string
	key [32]byte
}

// ParsePublicKey reads a key as String writes it.
func ParsePublicKey(text string) (PublicKey, error) {
	key, err := parseKey(publicText, text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("reading public sealing key: %w", err)
	}
	if err := agreeable(key); err != nil {
		return PublicKey{}, fmt.Errorf("reading public sealing key: %w", err)
	}
	return publicKey(key), nil
}

// agreeable refuses the few points that make every shared secret a known one.
func agreeable(key [32]byte) error {
	theirs, err := ecdh.X25519().NewPublicKey(key[:])
	if err != nil {
		return err
	}
	ours, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if _, err := ours.ECDH(theirs); err != nil {
		return errors.New("it is a weak point of the curve")
	}
	return nil
}

func publicKey(key [32]byte) PublicKey {
	sum := sha256.Sum256(key[:])
	return PublicKey{id: hex.EncodeToString(sum[:idLength/2]), key: key}
}

// String returns the text form for a configuration file.
func (k PublicKey) String() string {
	if k.id == "" {
		return ""
	}
	return publicText + keyText.EncodeToString(k.key[:])
}

// ID names the key inside its markers.
func (k PublicKey) ID() string { return k.id }

// Seal returns a marker that carries the text. A zero key returns Masked: the
// text is lost then, but not readable.
func (k PublicKey) Seal(plain string) string {
	if k.id == "" {
		return Masked
	}
	sealed, err := box.SealAnonymous(nil, []byte(plain), &k.key, rand.Reader)
	if err != nil {
		return Masked
	}
	return opening + k.id + "." + boxText.EncodeToString(sealed) + string(closing)
}

// Keys is a private keyring. Its first key is the primary one; the others open
// what was sealed before a rotation. It is immutable and safe for concurrent use.
type Keys struct {
	primary PublicKey
	private map[string]pair
	path    string               // of its file; empty: there is none
	newer   atomic.Pointer[Keys] // the file's keys, where these do not suffice
	read    atomic.Int64         // when the file was read again last
}

// rereadAfter is how long after a look at the file another one is taken.
const rereadAfter = time.Second

// reread returns the keys of the file as it is now; nil: it cannot be read, or was
// just looked at.
func (k *Keys) reread(now time.Time) *Keys {
	last := k.read.Load()
	if k.path == "" || now.Sub(time.Unix(0, last)) < rereadAfter || !k.read.CompareAndSwap(last, now.UnixNano()) {
		return k.newer.Load()
	}
	if fresh, err := LoadKeys(k.path); err == nil {
		fresh.path = "" // this one reads it again
		k.newer.Store(fresh)
	}
	return k.newer.Load()
}

// Rotate puts a new key before those of a file: others seal to it from now on, and
// the old ones go on to open. Who has the file's keys reads it again when it meets
// one that it does not have.
func Rotate(path string) error {
	if _, err := LoadKeys(path); err != nil {
		return err
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("rotating sealing keys: %w", err)
	}
	_, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("rotating sealing keys: %w", err)
	}
	if err := wholefile.Replace(path, append([]byte(privateText+keyText.EncodeToString(private[:])+"\n"), old...), 0o600); err != nil {
		return fmt.Errorf("rotating sealing keys: %w", err)
	}
	return nil
}

type pair struct{ public, private [32]byte }

// GenerateKeys returns a keyring of one new key.
func GenerateKeys() (*Keys, error) {
	_, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating sealing key: %w", err)
	}
	return keyring([][32]byte{*private})
}

// ParseKeys reads a keyring: a key a line, the primary one first; empty lines and
// lines that begin with "#" are skipped.
func ParseKeys(text string) (*Keys, error) {
	var keys [][32]byte
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, err := parseKey(privateText, line)
		if err != nil {
			return nil, fmt.Errorf("reading private sealing keys: line %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keyring(keys)
}

// LoadKeys reads a keyring from a file.
func LoadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading private sealing keys: %w", err)
	}
	keys, err := ParseKeys(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	keys.path = path
	return keys, nil
}

// LoadOrCreateKeys reads a keyring from a file; where there is none it makes one
// key and the file, readable by its owner only. Two processes that create the
// same file at once end up with the same keyring.
func LoadOrCreateKeys(path string) (*Keys, error) {
	keys, err := LoadKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	_, private, err := box.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating sealing key: %w", err)
	}
	err = wholefile.Create(path, []byte(privateText+keyText.EncodeToString(private[:])+"\n"))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating sealing key: %w", err)
	}
	return LoadKeys(path)
}

func keyring(keys [][32]byte) (*Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("reading private sealing keys: there is none")
	}
	k := &Keys{private: make(map[string]pair, len(keys))}
	for i, private := range keys {
		half, err := ecdh.X25519().NewPrivateKey(private[:])
		if err != nil {
			return nil, fmt.Errorf("reading private sealing keys: %w", err)
		}
		public := publicKey([32]byte(half.PublicKey().Bytes()))
		if i == 0 {
			k.primary = public
		}
		k.private[public.id] = pair{public: public.key, private: private}
	}
	return k, nil
}

// parseKey decodes a key's text; its errors never repeat the text.
func parseKey(kind, text string) ([32]byte, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), kind)
	if !ok {
		return [32]byte{}, fmt.Errorf("a key begins with %q", kind)
	}
	key, err := keyText.DecodeString(body)
	if err != nil || len(key) != 32 {
		return [32]byte{}, errors.New("it is not 32 bytes in base64url")
	}
	return [32]byte(key), nil
}

// Public returns the primary key's public half, for who seals.
func (k *Keys) Public() PublicKey { return k.primary }
