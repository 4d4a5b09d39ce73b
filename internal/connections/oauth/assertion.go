package oauth

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"time"
)

// What a private key signs, in place of a secret that is sent.
const (
	SignsClient = "client" // who the app is, RFC 7523 section 2.2: private_key_jwt
	SignsGrant  = "grant"  // that it is to have a token, section 2.1: as service accounts do
)

const (
	grantBearer     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	assertionBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	signedFor       = 5 * time.Minute
	signedBefore    = 10 * time.Second // clocks differ a little
	leastRSA        = 2048 / 8
)

// Key is a private key as it is kept in a file.
type Key struct {
	Email    string // of a service account; empty: the file does not say
	TokenURL string // likewise
	id       string
	signer   crypto.Signer
	thumb    string // of the certificate beside it
}

// String hides the key.
func (Key) String() string { return "key" }

// GoString is String.
func (k Key) GoString() string { return k.String() }

// ReadKey reads a private key: PEM, with a certificate beside it perhaps, or the JSON of a
// service account of Google's. Its errors hold nothing of the text.
func ReadKey(text string) (Key, error) {
	var k Key
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		var file struct {
			Type    string `json:"type"`
			ID      string `json:"private_key_id"`
			Private string `json:"private_key"`
			Email   string `json:"client_email"`
			URL     string `json:"token_uri"`
		}
		switch {
		case json.Unmarshal([]byte(text), &file) != nil:
			return k, errors.New("it is not the JSON of a key")
		case file.Private == "" || file.Type != "service_account":
			return k, errors.New("it is JSON, but not the key of a service account: make one under the account's Keys, as JSON")
		}
		text, k = file.Private, Key{Email: file.Email, TokenURL: file.URL, id: file.ID}
	}
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if err := k.take(block); err != nil {
			return k, err
		}
	}
	if k.signer == nil {
		return k, errors.New("there is no private key in it: a PEM file with PRIVATE KEY, or a service account's JSON")
	}
	return k, k.strong()
}

// take takes what a part of a file has.
func (k *Key) take(block *pem.Block) error {
	var found any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		found, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		found, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		found, err = x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return errors.New("its private key has a passphrase: store it without one, it is sealed here")
	case "CERTIFICATE":
		sum := sha1.Sum(block.Bytes) // as the header x5t is defined
		k.thumb = base64.RawURLEncoding.EncodeToString(sum[:])
		return nil
	default:
		return nil
	}
	signer, ok := found.(crypto.Signer)
	if err != nil || !ok {
		return errors.New("its private key is damaged, or of a kind that is not known")
	}
	k.signer = signer
	return nil
}

// strong refuses keys that no service takes.
func (k *Key) strong() error {
	switch s := k.signer.(type) {
	case *rsa.PrivateKey:
		if s.Size() < leastRSA {
			return errors.New("its RSA key has fewer than 2048 bits")
		}
	case *ecdsa.PrivateKey:
		if s.Curve != elliptic.P256() {
			return errors.New("its key is of an elliptic curve other than P-256")
		}
	case ed25519.PrivateKey:
	default:
		return errors.New("its private key is of a kind that is not known")
	}
	return nil
}

// sign makes a JWT of claims.
func (k *Key) sign(claims map[string]any) (string, error) {
	header := map[string]string{"typ": "JWT", "alg": "RS256"}
	var opts crypto.SignerOpts = crypto.SHA256
	switch k.signer.(type) {
	case *ecdsa.PrivateKey:
		header["alg"] = "ES256"
	case ed25519.PrivateKey:
		header["alg"], opts = "EdDSA", crypto.Hash(0)
	}
	for name, value := range map[string]string{"kid": k.id, "x5t": k.thumb} {
		if value != "" {
			header[name] = value
		}
	}
	head, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	signature, err := k.over(text, opts)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// over is the signature of a text. That of an elliptic curve is two numbers of one length,
// not what x509 has.
func (k *Key) over(text string, opts crypto.SignerOpts) ([]byte, error) {
	digest := []byte(text)
	if opts.HashFunc() != 0 {
		sum := sha256.Sum256(digest)
		digest = sum[:]
	}
	ec, ok := k.signer.(*ecdsa.PrivateKey)
	if !ok {
		return k.signer.Sign(rand.Reader, digest, opts)
	}
	r, s, err := ecdsa.Sign(rand.Reader, ec, digest)
	if err != nil {
		return nil, err
	}
	both := make([]byte, 64)
	r.FillBytes(both[:32])
	s.FillBytes(both[32:])
	return both, nil
}

// assertion is what the app signs instead of sending a secret.
func (a App) assertion(now time.Time) (string, error) {
	k, err := ReadKey(a.ClientSecret)
	if err != nil {
		return "", err
	}
	at := now.Add(-signedBefore)
	claims := map[string]any{"iss": a.ClientID, "aud": a.Other.Token, "iat": at.Unix(), "exp": at.Add(signedFor).Unix(), "jti": rand.Text()}
	if a.Other.Signs == SignsClient {
		claims["sub"] = a.ClientID
		return k.sign(claims)
	}
	claims["aud"] = cmp.Or(a.Other.Audience, a.Other.Token)
	for name, value := range map[string]string{"scope": a.Other.Scopes, "sub": a.Other.Subject} {
		if value != "" {
			claims[name] = value
		}
	}
	return k.sign(claims)
}
