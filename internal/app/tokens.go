package app

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"zflow/internal/connections"
)

// openConnections opens the connections of a configuration.
func openConnections(ctx context.Context, js jetstream.JetStream, c WorkerConfig) (*connections.Store, error) {
	o := connections.Options{Keys: c.Grants}
	for name, connection := range c.Connections {
		app := connections.App{Name: name, AccountID: connection.AccountID, ClientID: connection.ClientID,
			ClientSecret: connection.ClientSecret.Reveal(), API: connection.APIURL}
		if connection.OAuthURL != "" {
			app.OAuth = strings.TrimSuffix(connection.OAuthURL, "/") + "/oauth/token"
		}
		o.Apps = append(o.Apps, app)
	}
	return connections.Open(ctx, js, o)
}

// grantKeysFile is where the keys lie that seal the tokens of connections: beside
// the sealing keys.
func grantKeysFile(sealingKeys string) string {
	return filepath.Join(filepath.Dir(sealingKeys), "connection.keys")
}
