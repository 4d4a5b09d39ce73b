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
	return terminal.Group("keys", "Make and rotate the keys that credentials are sealed with", keysCreate(sh), keysRotate(sh))
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

const aboutRotate = `Put a new key before those that workers seal grants with, and one before those that
open sealed credentials; write the public one for ingest. What was sealed before is
opened with the old keys, which stay.

Workers on this machine read the files again by themselves, and seal every grant
anew with the new key. Give the files to workers elsewhere before ingest gets the
new public key: it reads that when it starts.`

func keysRotate(sh *shell) *cobra.Command {
	var private, public string
	c := sh.PrintsData(&cobra.Command{
		Use: "rotate", Short: "Seal with new keys from now on", Long: aboutRotate, Args: terminal.Args(),
		Example: "  zflow keys rotate --private keys/sealing.keys --public sealing.pub",
		RunE: func(*cobra.Command, []string) error {
			if private == "" || public == "" {
				return terminal.Misused("--private and --public are needed")
			}
			k, err := app.RotateKeys(private, public)
			if err != nil {
				return err
			}
			if sh.JSON() {
				return sh.PrintJSON(k)
			}
			return sh.Print("private  %s and %s: a new key each\npublic   %s: written, %s\n", k.Private, k.Connections, k.Public, k.PublicKey)
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
