package doctor

import (
	"context"
	"strings"
)

// Runner is what a worker runs the code of steps with.
type Runner struct {
	Worker    string
	Version   string // of its Node.js
	Confined  bool   // its Node.js takes files, programs and threads away
	NoNetwork bool   // code can be kept from the network there
	Problem   string // why it cannot run code; empty: it can
}

// Code is which workers can run code.
type Code struct {
	Runners []Runner
	Silent  int // workers that do not answer
}

const installNode = "install Node.js 20 or newer on that machine (the image of docker-compose.yml's worker has it), or name it in worker.code.node"

// code tells what workers run code with; that one cannot is wrong only where a
// workflow has code.
func (e *examination) code(ctx context.Context) {
	if e.Code == nil {
		return
	}
	all, err := e.Code(ctx, e.nc)
	if err != nil {
		e.note("whether workers can run code was not checked: %v", err)
		return
	}
	for _, r := range all.Runners {
		e.runner(r)
	}
	if all.Silent > 0 {
		e.note("%s whether they can run code: they are of an older version, busy, or just gone", plural(uint64(all.Silent), "worker does not say", "workers do not say"))
	}
}

func (e *examination) runner(r Runner) {
	switch {
	case r.Problem != "" && len(e.coded) > 0:
		e.found("worker", r.Worker, installNode, "it cannot run the code of %s: %s", strings.Join(e.coded, ", "), r.Problem)
	case r.Problem != "":
		e.note("worker %s cannot run code: %s", r.Worker, r.Problem)
	case !r.Confined && len(e.coded) > 0:
		e.found("worker", r.Worker, installNode, "its Node.js %s has no permission model: code can read the worker's files and start programs", r.Version)
	default:
		able := "code can be kept from the network there"
		if !r.NoNetwork {
			able = "code cannot be kept from the network there (it needs user namespaces, or Node.js 25 or newer)"
		}
		confined := "with its permission model"
		if !r.Confined {
			confined = "without a permission model"
		}
		e.note("worker %s runs code with Node.js %s, %s; %s", r.Worker, strings.TrimPrefix(r.Version, "v"), confined, able)
	}
}
