package main

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"zflow/engine/definition"
	"zflow/internal/app"
	"zflow/internal/operator"
	"zflow/internal/terminal"

	"github.com/spf13/cobra"
)

func schemaCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of a workflow file, for editors", Args: terminal.Args(),
		Example: "  zflow schema > workflow.schema.json",
		RunE: func(*cobra.Command, []string) error {
			registry, err := app.Actions(app.ActionsConfig{})
			if err != nil {
				return err
			}
			return sh.Print("%s\n", definition.Schema(registry))
		},
	}
}

// decodeMost is how much is read: more than any message can be.
const decodeMost = 64 << 20

func decodeCommand(sh *shell) *cobra.Command {
	return &cobra.Command{
		Use: "decode", Short: "Turn a message of RUNS into JSON", Args: terminal.Args(),
		Long:    "Read a message of the stream RUNS, its bytes or those in base64, from standard input and print it as JSON.",
		Example: "  nats stream get RUNS 17 --json | jq -r .data | zflow decode",
		RunE: func(*cobra.Command, []string) error {
			raw, err := io.ReadAll(io.LimitReader(sh.In, decodeMost))
			if err != nil {
				return fmt.Errorf("reading standard input: %w", err)
			}
			if decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw))); err == nil {
				raw = decoded
			}
			facts, err := operator.Decode(raw)
			if err != nil {
				return err
			}
			return sh.PrintJSON(facts)
		},
	}
}

// version is set by the linker, see the Makefile.
var version string

// build says what this program is.
type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	Commit  string `json:"commit"`
}

func versionCommand(sh *shell) *cobra.Command {
	return sh.PrintsData(&cobra.Command{
		Use: "version", Short: "Print the version of this program", Args: terminal.Args(),
		RunE: func(*cobra.Command, []string) error {
			b := builtFrom()
			if sh.JSON() {
				return sh.PrintJSON(b)
			}
			return sh.Print("zflow %s, commit %s, %s\n", b.Version, b.Commit, b.Go)
		},
	})
}

func builtFrom() build {
	b := build{Version: "unknown", Go: runtime.Version(), Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = cmp.Or(version, cmp.Or(info.Main.Version, b.Version))
	dirty := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	b.Commit += dirty
	return b
}
