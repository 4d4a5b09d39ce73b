package ends

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"zflow/engine/catalog"
	"zflow/engine/workflow"
	"zflow/proto"
)

// wishes are the ends that deployed workflows want to know of.
type wishes struct {
	of      []wish
	unknown []string // workflows that cannot be run here
	filters []string // subjects of RUNS, none of which overlap
}

// wish is a type of ends that a workflow wants.
type wish struct {
	name, pattern   string
	first, deployed time.Time // of the workflow
	from            time.Time // ends that were stored since then
}

// wanted returns catalog.ErrAway where the server does not say what a workflow wants.
// One that cannot be run, whatever the server says, wants nothing.
func (o Options) wanted(ctx context.Context) (*wishes, error) {
	entries, err := o.Catalog.List(ctx)
	if err != nil {
		return nil, err
	}
	w := &wishes{}
	for _, e := range entries {
		def, err := o.Catalog.Workflow(ctx, e.Name, e.Version)
		if errors.Is(err, catalog.ErrAway) {
			return nil, err
		}
		if err != nil {
			o.Log.Warn("which runs start a workflow is not known", zap.String("workflow", e.Name), zap.Error(err))
			w.unknown = append(w.unknown, e.Name)
			continue
		}
		w.add(e, def)
	}
	w.filters = proto.Disjoint(w.filters)
	return w, nil
}

func (w *wishes) add(e catalog.Entry, def *workflow.Workflow) {
	for _, t := range def.Triggers {
		if t.Source != workflow.SourceRun {
			continue
		}
		for _, pattern := range t.Types {
			flow, end := workflow.EndOf(pattern)
			w.filters = append(w.filters, proto.RunsFilter(flow, string(end)))
			w.of = append(w.of, wish{name: e.Name, pattern: pattern, first: e.FirstDeployedAt, deployed: e.DeployedAt})
		}
	}
}

// want tells whether somebody wants to know of an end that was stored at a time.
func (w *wishes) want(flow, end string, stored time.Time) bool {
	runType := workflow.RunType(flow, workflow.State(end))
	return slices.ContainsFunc(w.of, func(one wish) bool {
		return one.name != flow && !stored.Before(one.from) && workflow.MatchesAny([]string{one.pattern}, runType)
	})
}

// covers are the wishes that a consumer was put right for, and from when on each counts.
type covers map[string]time.Time

// Sizes of a wish's key: enough to tell some thousand apart.
const (
	nameSize = 6
	wishSize = 8
)

func nameKey(name string) string { return proto.Hash(name)[:nameSize] }

func (one wish) key() string {
	return nameKey(one.name) + proto.Hash(one.pattern, one.first.UTC().Format(time.RFC3339Nano))[:wishSize]
}

// settle says from when on each wish counts: as it is covered, else from the deployment
// that brought it. The earliest of these is returned, the zero time where there is none.
// Where no covers are known, all are taken for covered.
func (w *wishes) settle(c covers) (since time.Time) {
	for i := range w.of {
		one := &w.of[i]
		from, known := c[one.key()]
		switch {
		case c == nil:
			one.from = one.first
		case known:
			one.from = from
		default:
			one.from = one.deployed
			if since.IsZero() || one.from.Before(since) {
				since = one.from
			}
		}
	}
	return since
}

// next are the covers once the consumer is right. Those of workflows that cannot be run
// here stay: others may run them.
func (w *wishes) next(c covers) covers {
	next := covers{}
	for _, one := range w.of {
		next[one.key()] = one.from
	}
	for _, name := range w.unknown {
		for key, from := range c {
			if strings.HasPrefix(key, nameKey(name)) {
				next[key] = from
			}
		}
	}
	return next
}

// mostCovers bounds the text: a server takes 128 KiB of metadata.
const mostCovers = 100 << 10

// String is empty for more than can be told.
func (c covers) String() string {
	all := make([]string, 0, len(c))
	for key, from := range c {
		all = append(all, key+strconv.FormatInt(from.UnixNano(), 36))
	}
	slices.Sort(all)
	text := "1 " + strings.Join(all, " ")
	if len(text) > mostCovers {
		return ""
	}
	return text
}

// parseCovers returns nil for what is no text of covers.
func parseCovers(text string) covers {
	all, ok := strings.CutPrefix(text, "1 ")
	if !ok {
		return nil
	}
	c := covers{}
	for one := range strings.FieldsSeq(all) {
		if len(one) <= nameSize+wishSize {
			return nil
		}
		at, err := strconv.ParseInt(one[nameSize+wishSize:], 36, 64)
		if err != nil {
			return nil
		}
		c[one[:nameSize+wishSize]] = time.Unix(0, at)
	}
	return c
}
