package sealed

import (
	"fmt"
	"time"

	"golang.org/x/crypto/nacl/box"
)

// OpenText returns the text with every marker opened. It fails as a whole where
// one cannot be: nothing is done with half of the credentials.
func (k *Keys) OpenText(text string) (string, error) { return replace(text, k.open) }

func (k *Keys) open(m marker) (string, error) {
	key, ok := k.private[m.key]
	if !ok {
		if newer := k.reread(time.Now()); newer != nil {
			return newer.open(m)
		}
		return "", fmt.Errorf("opening sealed value: it was sealed with key %s, which is not in the keyring", m.key)
	}
	sealed, err := boxText.DecodeString(m.box)
	if err != nil {
		return "", fmt.Errorf("opening sealed value: its marker is damaged (key %s)", m.key)
	}
	plain, ok := box.OpenAnonymous(nil, sealed, &key.public, &key.private)
	if !ok {
		return "", fmt.Errorf("opening sealed value: its marker is damaged or was made up (key %s)", m.key)
	}
	return string(plain), nil
}

// Plain returns what the markers of a text hold, each opened: what must not be shown
// again of a value that was opened.
func (k *Keys) Plain(text string) (all []string, err error) {
	for m, found := next(text, 0); found; m, found = next(text, m.end) {
		plain, err := k.open(m)
		if err != nil {
			return nil, err
		}
		all = append(all, plain)
	}
	return all, nil
}

// OpenValue opens the markers in the strings of a JSON tree (maps, slices,
// scalars). What holds none is shared with the original, which is never changed.
func (k *Keys) OpenValue(value any) (any, error) {
	opened, _, err := k.openValue(value)
	return opened, err
}

func (k *Keys) openValue(value any) (opened any, changed bool, err error) {
	switch v := value.(type) {
	case string:
		if !Contains(v) {
			return value, false, nil
		}
		text, err := k.OpenText(v)
		return text, true, err
	case map[string]any:
		return k.openMap(v)
	case []any:
		return k.openList(v)
	}
	return value, false, nil
}

func (k *Keys) openMap(m map[string]any) (any, bool, error) {
	var copied map[string]any
	for name, value := range m {
		opened, changed, err := k.openValue(value)
		if err != nil {
			return nil, false, err
		}
		if !changed {
			continue
		}
		if copied == nil {
			copied = make(map[string]any, len(m))
			for n, v := range m {
				copied[n] = v
			}
		}
		copied[name] = opened
	}
	if copied == nil {
		return m, false, nil
	}
	return copied, true, nil
}

func (k *Keys) openList(list []any) (any, bool, error) {
	var copied []any
	for i, value := range list {
		opened, changed, err := k.openValue(value)
		if err != nil {
			return nil, false, err
		}
		if !changed {
			continue
		}
		if copied == nil {
			copied = append([]any(nil), list...)
		}
		copied[i] = opened
	}
	if copied == nil {
		return list, false, nil
	}
	return copied, true, nil
}
