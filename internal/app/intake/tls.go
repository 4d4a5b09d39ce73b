package intake

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"zflow/internal/settings"

	"go.uber.org/zap"
)

// listen opens the public port, with TLS where there is a certificate.
func (in *Intake) listen() (net.Listener, error) {
	plain := in.config.TLS == settings.TLS{}
	var c *tls.Config
	if !plain {
		k := &certificate{files: in.config.TLS, log: in.log}
		if err := k.load(); err != nil {
			return nil, err
		}
		c = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get, NextProtos: []string{"h2", "http/1.1"}}
	}
	l, err := net.Listen("tcp", in.config.Listen)
	if err != nil || plain {
		return l, err
	}
	return tls.NewListener(l, c), nil
}

// lookEvery is how often the certificate's files are looked at: they are renewed
// every few weeks, and nobody restarts ingest for it.
const lookEvery = time.Minute

// certificate is read again when its files change. One that cannot be read leaves
// the last in use: a renewal in progress must not take ingest away.
type certificate struct {
	files settings.TLS
	log   *zap.Logger

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the files, as read
	looked  time.Time
}

func (k *certificate) load() error {
	changed, err := k.modified()
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	pair, err := tls.LoadX509KeyPair(k.files.Certificate, k.files.Key)
	if err != nil {
		return fmt.Errorf("reading the certificate: %w", err)
	}
	k.current, k.changed, k.looked = &pair, changed, time.Now()
	return nil
}

// modified is when the later of the two files changed.
func (k *certificate) modified() (last time.Time, err error) {
	for _, file := range []string{k.files.Certificate, k.files.Key} {
		info, err := os.Stat(file)
		if err != nil {
			return last, err
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return last, nil
}

func (k *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < lookEvery {
		return k.current, nil
	}
	k.looked = time.Now()
	changed, err := k.modified()
	if err == nil && changed.Equal(k.changed) {
		return k.current, nil
	}
	if err == nil {
		err = k.load()
	}
	if err != nil {
		k.log.Warn("the certificate was not renewed: the last one stays in use", zap.Error(err))
	}
	return k.current, nil
}
