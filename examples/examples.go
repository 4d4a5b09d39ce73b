// Package examples has the example workflows, for the demo and for whoever
// starts from one.
package examples

import "embed"

// Workflows has the files workflows/*.yaml.
//
//go:embed workflows/*.yaml
var Workflows embed.FS
