package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"zflow/internal/app"
	"zflow/internal/operator"
	"zflow/internal/settings"

	"github.com/spf13/cobra"
)

// shell is what a command has to do with the world: its streams, environment and
// flags that many commands share.
type shell struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string

	output     string // text, json
	server     string
	creds      string
	durability string

	client *app.Client
}

const (
	outputText = "text"
	outputJSON = "json"
)

const defaultServer = "nats://127.0.0.1:4222"

// devData is where `zflow dev` keeps its data if nothing else is said.
const devData = ".zflow"

// devFile is what `zflow dev` leaves for the commands beside it.
type devFile struct {
	NATS       string `json:"nats"`
	Ingest     string `json:"ingest"`
	ZoomSecret string `json:"zoom_secret"`
	APIToken   string `json:"api_token"`
	Sim        string `json:"sim"`
}

// dev returns what the dev command in this folder has written, if anything.
func (sh *shell) dev() (devFile, error) {
	var d devFile
	name := filepath.Join(devData, "dev.json")
	raw, err := os.ReadFile(name)
	if isAbsent(err) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &d)
	}
	if err != nil {
		return d, fmt.Errorf("reading %s: %w", name, err)
	}
	return d, nil
}

func isAbsent(err error) bool {
	return err != nil && (os.IsNotExist(err) || os.IsPermission(err) && !isFile(devData)) && err != fs.ErrInvalid
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// printsData gives a command --output.
func (sh *shell) printsData(c *cobra.Command) *cobra.Command {
	c.Flags().StringVarP(&sh.output, "output", "o", outputText, "`format` of what is printed: text or json")
	complete(c, "output", outputText, outputJSON)
	return c
}

// asksServer gives a command the flags that say which server it asks.
func (sh *shell) asksServer(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&sh.server, "server", "", "`address` of the NATS server (ZFLOW_SERVER; default: that of zflow dev, "+defaultServer+")")
	c.Flags().StringVar(&sh.creds, "creds", "", "credentials `file` for it (ZFLOW_CREDS)")
	c.Flags().StringVar(&sh.durability, "durability", "", "how a server that cannot say so makes messages durable: always or replicated (ZFLOW_DURABILITY)")
	complete(c, "durability", settings.DurabilityAlways, settings.DurabilityReplicated)
	return c
}

// json says whether the output is to be JSON, and refuses formats there are not.
func (sh *shell) json() bool { return sh.output == outputJSON }

// checkOutput refuses formats that there are not.
func (sh *shell) checkOutput() error {
	if sh.output != "" && sh.output != outputText && sh.output != outputJSON {
		return misused("--output is text or json, not %q", sh.output)
	}
	return nil
}

// address is where the server is: the flag, the environment, what zflow dev
// left, the default.
func (sh *shell) address() (string, error) {
	for _, given := range []string{sh.server, sh.env("ZFLOW_SERVER")} {
		if given != "" {
			return given, nil
		}
	}
	d, err := sh.dev()
	if err != nil || d.NATS != "" {
		return d.NATS, err
	}
	return defaultServer, nil
}

// open connects to the server; close ends the connection.
func (sh *shell) open(ctx context.Context) (*app.Client, error) {
	if sh.client != nil {
		return sh.client, nil
	}
	address, err := sh.address()
	if err != nil {
		return nil, err
	}
	sh.client, err = app.Connect(ctx, address, cmp.Or(sh.creds, sh.env("ZFLOW_CREDS")), cmp.Or(sh.durability, sh.env("ZFLOW_DURABILITY")))
	return sh.client, err
}

func (sh *shell) operator(ctx context.Context) (*operator.Operator, error) {
	client, err := sh.open(ctx)
	if err != nil {
		return nil, err
	}
	return client.Operator(), nil
}

func (sh *shell) close() error {
	if sh.client != nil {
		sh.client.Close()
		sh.client = nil
	}
	return nil
}
