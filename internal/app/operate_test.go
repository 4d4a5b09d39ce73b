package app_test

import (
	"strings"
	"testing"

	"zflow/internal/app"
)

// TestPasswordsOfAddresses: what the address of a server holds is in no error.
func TestPasswordsOfAddresses(t *testing.T) {
	for _, address := range []string{"nats://admin:geheim@127.0.0.1:1", "nats://admin:geheim@no.such.host.invalid:1", "nats://admin:gehe%im@127.0.0.1:1", "admin:geheim@127.0.0.1:1"} {
		client, err := app.Connect(t.Context(), address, "", "")
		if err == nil {
			client.Close()
			t.Fatalf("connected to %s", address)
		}
		if strings.Contains(err.Error(), "gehe") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
