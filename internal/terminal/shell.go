package terminal

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

// Shell is what a command has to do with the world: its streams, environment and
// flags that many commands share.
type Shell struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string

	Server, Creds, Durability string // of the server that is asked

	output string // text, json
	client *app.Client
}

const (
	outputText = "text"
	outputJSON = "json"
)

const defaultServer = "nats://127.0.0.1:4222"

// DevData is where `zflow dev` keeps its data if nothing else is said.
const DevData = ".zflow"

// Dev is what `zflow dev` leaves for the commands beside it.
type Dev struct {
	NATS       string `json:"nats"`
	Ingest     string `json:"ingest"`
	ZoomSecret string `json:"zoom_secret"`
	APIToken   string `json:"api_token"`
	Sim        string `json:"sim"`
}

// Dev returns what the dev command in this folder has written, if anything.
func (sh *Shell) Dev() (Dev, error) {
	var d Dev
	name := filepath.Join(DevData, "dev.json")
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
	return err != nil && (os.IsNotExist(err) || os.IsPermission(err) && !isFile(DevData)) && err != fs.ErrInvalid
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// PrintsData gives a command --output.
func (sh *Shell) PrintsData(c *cobra.Command) *cobra.Command {
	c.Flags().StringVarP(&sh.output, "output", "o", outputText, "`format` of what is printed: text or json")
	Complete(c, "output", outputText, outputJSON)
	return c
}

// AsksServer gives a command the flags that say which server it asks.
func (sh *Shell) AsksServer(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&sh.Server, "server", "", "`address` of the NATS server (ZFLOW_SERVER; default: that of zflow dev, "+defaultServer+")")
	c.Flags().StringVar(&sh.Creds, "creds", "", "credentials `file` for it (ZFLOW_CREDS)")
	c.Flags().StringVar(&sh.Durability, "durability", "", "how a server that cannot say so makes messages durable: always or replicated (ZFLOW_DURABILITY)")
	Complete(c, "durability", settings.DurabilityAlways, settings.DurabilityReplicated)
	return c
}

// JSON says whether the output is to be JSON, and refuses formats there are not.
func (sh *Shell) JSON() bool { return sh.output == outputJSON }

// CheckOutput refuses formats that there are not.
func (sh *Shell) CheckOutput() error {
	if sh.output != "" && sh.output != outputText && sh.output != outputJSON {
		return Misused("--output is text or json, not %q", sh.output)
	}
	return nil
}

// Address is where the server is: the flag, the environment, what zflow dev
// left, the default.
func (sh *Shell) Address() (string, error) {
	for _, given := range []string{sh.Server, sh.Env("ZFLOW_SERVER")} {
		if given != "" {
			return given, nil
		}
	}
	d, err := sh.Dev()
	if err != nil || d.NATS != "" {
		return d.NATS, err
	}
	return defaultServer, nil
}

// Open connects to the server; Close ends the connection.
func (sh *Shell) Open(ctx context.Context) (*app.Client, error) {
	if sh.client != nil {
		return sh.client, nil
	}
	address, err := sh.Address()
	if err != nil {
		return nil, err
	}
	sh.client, err = app.Connect(ctx, address, cmp.Or(sh.Creds, sh.Env("ZFLOW_CREDS")), cmp.Or(sh.Durability, sh.Env("ZFLOW_DURABILITY")))
	return sh.client, err
}

// Operator connects too.
func (sh *Shell) Operator(ctx context.Context) (*operator.Operator, error) {
	client, err := sh.Open(ctx)
	if err != nil {
		return nil, err
	}
	return client.Operator(), nil
}

// Close ends the connection, if there is one.
func (sh *Shell) Close() error {
	if sh.client != nil {
		sh.client.Close()
		sh.client = nil
	}
	return nil
}
