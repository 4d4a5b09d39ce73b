package imap

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-imap/v2"
)

// failure is why a mailbox cannot be read.
type failure struct {
	text    string
	lasting bool // until a person does something
}

func (f *failure) Error() string { return f.text }

// explain is an error as a person reads it.
func explain(err error) string {
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var noTLS tls.RecordHeaderError
	var f *failure
	switch {
	case err == nil:
		return "the server ended the connection"
	case errors.As(err, &f):
		return f.text
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the server ended the connection"
	case errors.As(err, &unknown):
		return "the server's certificate is not trusted: " + unknown.Error() + "; where it is of a CA of your own, put that CA's certificate into a folder and " +
			"name the folder in SSL_CERT_DIR, in the environment of the workers"
	case errors.As(err, &noTLS):
		return "the server speaks no TLS at this port: set tls to starttls, or the port to the one of TLS (most often 993)"
	case errors.As(err, &certificate):
		return "the server's certificate is not trusted: " + certificate.Err.Error()
	}
	return err.Error()
}

// said is what a server answered.
func said(err error) string {
	var e *imap.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Text
	if e.Code != "" {
		text = "[" + string(e.Code) + "] " + text
	}
	return clean(string(e.Type) + " " + text)
}

// refused tells whether a server has answered that it will not.
func refused(err error) bool {
	var e *imap.Error
	return errors.As(err, &e)
}

// passing tells whether a refusal is one for now.
func passing(err error) bool {
	var e *imap.Error
	if !errors.As(err, &e) {
		return true
	}
	switch e.Code {
	case imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeLimit, imap.ResponseCodeServerBug:
		return true
	}
	return e.Type == imap.StatusResponseTypeBye
}

// clean is text of a server, as a line that is not too long.
func clean(text string) string {
	const most = 300
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func lasting(format string, args ...any) error {
	return &failure{text: fmt.Sprintf(format, args...), lasting: true}
}
