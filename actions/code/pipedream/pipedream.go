// Package pipedream lets code in Pipedream's shape run as the code of a step: objects
// with props and run(), what defineComponent makes of them, component files with their
// apps, and what they import from @pipedream/platform. All of that is written anew.
//
// Obligations:
//
//  1. The code runs as it is. What it uses of Pipedream is there with the meaning that it
//     has there, or is an error that says what to use instead, when it is used.
//  2. What a step of zflow's has to do behind the code (to end the run, to sleep, to
//     respond) is an error, unless the step's input says that there is one.
//  3. A credential is there only where the step names a connection, or hands it over.
package pipedream

import (
	_ "embed"
	"regexp"

	"github.com/evanw/esbuild/pkg/api"
)

//go:embed shim.js
var shim string

//go:embed stores.js
var stores string

//go:embed send.js
var send string

//go:embed s3.js
var s3 string

//go:embed platform.mjs
var platform string

// name is what the shim is imported by.
const name = "zflow:pipedream"

// kinds are functions that only say what a component is.
var kinds = `
const same = (component) => component;
module.exports = { defineApp: same, defineAction: same, defineSource: same };
`

var (
	shaped = regexp.MustCompile(`\bdefineComponent\b|@pipedream(?:hq)?/platform|@pipedream/types|\bexport\s+default\s*\{|\bmodule\.exports\s*=\s*\{`)
	pinned = regexp.MustCompile(`^((?:@[^/@]+/)?[^@/.][^@/]*)@[^/]+`)
)

// Shaped tells whether code is in Pipedream's shape. That of other code runs all the
// same where it looks like it.
func Shaped(src string) bool { return shaped.MatchString(src) }

// Entry is the module that runs the code which is imported as step.
func Entry(step string) string {
	return `module.exports = require("` + name + `")(() => require("` + step + `"))`
}

// namespace is that of the modules here.
const namespace = "pipedream"

// Ours is how the names of files of these modules begin in source maps.
const Ours = namespace + ":"

// Setup finds what code in Pipedream's shape imports: the platform, and packages whose
// version stands in the import.
func Setup(b api.PluginBuild) {
	modules := map[string]*string{name: &shim, name + "/stores": &stores, name + "/send": &send, name + "/s3": &s3, "@pipedream/platform": &platform, "@pipedreamhq/platform": &platform, "@pipedream/types": &kinds}
	own := func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		path := a.Path
		if m := pinned.FindStringSubmatch(path); m != nil {
			path = m[1]
		}
		return api.OnResolveResult{Path: path, Namespace: namespace}, nil
	}
	b.OnResolve(api.OnResolveOptions{Filter: `^(` + name + `(/stores|/send|/s3)?|@pipedream(hq)?/platform(@[^/]+)?|@pipedream/types(@[^/]+)?)$`}, own)
	b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: namespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		return api.OnLoadResult{Contents: modules[a.Path], Loader: api.LoaderJS}, nil
	})
	b.OnResolve(api.OnResolveOptions{Filter: pinned.String()}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		r := b.Resolve(pinned.ReplaceAllString(a.Path, "$1"), api.ResolveOptions{ResolveDir: a.ResolveDir, Importer: a.Importer, Kind: a.Kind, Namespace: a.Namespace})
		return api.OnResolveResult{Path: r.Path, External: r.External, Namespace: r.Namespace, Errors: r.Errors, Warnings: r.Warnings}, nil
	})
}
