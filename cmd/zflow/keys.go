package main

import (
	"github.com/spf13/cobra"

	"zflow/internal/app"
	"zflow/internal/terminal"
)

const aboutKeys = `Make the keys that workers open sealed credentials with, where there are none
yet, and write the public one, which is all that ingest gets. The keys that seal
the tokens of connections come to lie beside the private ones.

It may run at every start: private keys are kept as they are, always.`

func keysCommand(sh *shell) *cobra.Command {
	return terminal.Group("keys", "Make the keys that credentials are sealed with", keysCreate(sh))
}

func keysCreate(sh *shell) *cobra.Command {
	var private, public string
	c := sh.PrintsData(&cobra.Command{
		Use: "create", Short: "Make what keys are missing", Long: aboutKeys, Args: terminal.Args(),
		Example: "  zflow keys create --private keys/sealing.keys --public sealing.pub",
		RunE: func(*cobra.Command, []string) error {
			if private == "" || public == "" {
				return terminal.Misused("--private and --public are needed")
			}
			k, err := app.CreateKeys(private, public)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(k)
			}
			return sh.Print("private  %s and %s: %s\npublic   %s: %s, %s\n",
				k.Private, k.Connections, pick(k.Made, "made", "kept as they are"), k.Public, pick(k.PublicSaved, "written", "up to date"), k.PublicKey)
		},
	})
	c.Flags().StringVar(&private, "private", "", "`file` of the workers' keys")
	c.Flags().StringVar(&public, "public", "", "`file` of the public key for ingest")
	return c
}

func pick(which bool, yes, no string) string {
	if which {
		return yes
	}
	return no
}
