package broker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"zflow/internal/durable"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	brokerUser       = "zflow-broker"
	brokerMaxPayload = 8 << 20
)

// options are the nats-server's own.
func (c Config) options() (*server.Options, error) {
	o := &server.Options{MaxPayload: brokerMaxPayload, JetStream: true}
	var err error
	if c.File != "" {
		err = readServerFile(c.File, c.Listen, o)
	} else {
		err = listenOnLoopback(c.Listen, o)
	}
	if err != nil {
		return nil, err
	}
	if c.Data != "" {
		o.StoreDir = c.Data
	}
	if o.StoreDir == "" {
		return nil, errors.New("no data folder is given, and the configuration has no store_dir")
	}
	o.NoSigs, o.SyncAlways = true, o.SyncAlways || c.Always
	return o, nil
}

// readServerFile reads a configuration; an address goes before the file's own.
func readServerFile(file, listen string, o *server.Options) error {
	if err := o.ProcessConfigFile(file); err != nil {
		if strings.Contains(err.Error(), "not string") {
			err = fmt.Errorf("%w (a password from the environment that looks like a number is read as one: let it begin with a letter)", err)
		}
		return fmt.Errorf("reading %s: %w", file, err)
	}
	if listen != "" {
		if err := listenAt(listen, o); err != nil {
			return err
		}
	}
	if !asksForCredentials(o) && !loopback(o.Host) {
		return fmt.Errorf("reading %s: it listens on %q and asks for no credentials: add users, or listen on 127.0.0.1", file, o.Host)
	}
	return nil
}

func listenOnLoopback(address string, o *server.Options) error {
	if address == "" {
		o.DontListen = true
		return nil
	}
	if err := listenAt(address, o); err != nil {
		return err
	}
	if !loopback(o.Host) {
		return fmt.Errorf("listening on %s: without a configuration file the broker asks for no credentials, so it listens on loopback only", address)
	}
	return nil
}

func listenAt(address string, o *server.Options) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading the listen address %q: %w", address, err)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("reading the listen address %q: port %q is no number up to 65535", address, port)
	}
	o.Host, o.Port = host, int(n)
	if n == 0 {
		o.Port = server.RANDOM_PORT
	}
	return nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func asksForCredentials(o *server.Options) bool {
	return len(o.Users) > 0 || len(o.Nkeys) > 0 || o.Username != "" || o.Authorization != "" || len(o.TrustedOperators) > 0
}

// addOwnUser gives the flush service a user of its own, with a password that is
// made here and known to nobody else. It returns how to log in.
func addOwnUser(o *server.Options, account string) ([]nats.Option, error) {
	if !asksForCredentials(o) {
		return nil, nil
	}
	if len(o.Users) == 0 && o.Username == "" {
		return nil, errors.New("the configuration must define users with passwords, as configs/nats.conf does")
	}
	if o.Username != "" { // one user for all: beside a second it becomes one of two
		o.Users = append(o.Users, &server.User{Username: o.Username, Password: o.Password})
		o.Username, o.Password = "", ""
	}
	own := &server.User{Username: brokerUser, Password: rand.Text(), Permissions: ownPermissions()}
	for _, a := range o.Accounts {
		if a.Name == account {
			own.Account = a
		}
	}
	if account != "" && account != server.DEFAULT_GLOBAL_ACCOUNT && own.Account == nil {
		return nil, fmt.Errorf("the configuration has no account %q", account)
	}
	o.Users = append(o.Users, own)
	return []nats.Option{nats.UserInfo(own.Username, own.Password), nats.CustomInboxPrefix("_INBOX_broker")}, nil
}

// ownPermissions are what the flush service needs: to answer at its subjects, and
// to see that the streams take writes and have the files it expects.
func ownPermissions() *server.Permissions {
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.MSG.DELETE.*",
			"$JS.API.STREAM.*." + durable.LayoutStream, durable.LayoutSubject,
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"zflow.flush", "zflow.flush.*", "_INBOX_broker.>"}},
		Response:  &server.ResponsePermission{MaxMsgs: 1, Expires: server.DEFAULT_ALLOW_RESPONSE_EXPIRATION},
	}
}

// claimFolder makes the data folder and sees to it that it is ours alone: two
// servers on one folder would ruin it.
func claimFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("writing to the data folder: %w", err)
	}
	if err := lockFile(f); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("the data folder %s is in use by another broker: %w", dir, err)
	}
	return f, nil
}

// reservable is what JetStream lets the limits of streams sum up to: a petabyte.
const reservable = 1 << 50

// letReserve keeps JetStream from comparing the streams' limits with the disk,
// unless the configuration says what it may hold. The server's own default is a
// share of what is free at the start, so that a store which fills its disk, or was
// moved to a smaller one, would not be opened again. Package streams fits the limits,
// and the reserve is kept free whatever they are.
func letReserve(o *server.Options) {
	if o.JetStreamMaxStore <= 0 {
		o.JetStreamMaxStore = reservable
	}
}
