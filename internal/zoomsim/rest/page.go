package rest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// page is what a next_page_token stands for.
type page struct {
	list    string // the path and the filters, which must be the same again
	from    int
	expires time.Time
}

const (
	pageLife    = 15 * time.Minute
	defaultPage = 30
	mostPage    = 300
	mostUsers   = 2000 // list_users has larger pages than others
)

// Pages remembers what the tokens stand for.
type Pages struct {
	mu    sync.Mutex // guards pages
	pages map[string]page
}

// NewPages returns no pages.
func NewPages() *Pages { return &Pages{pages: map[string]page{}} }

// Answer answers with one page of a list.
func (p *Pages) Answer(c *Call, name string, all []any) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	size, err := strconv.Atoi(c.Query.Get("page_size"))
	if c.Query.Get("page_size") == "" {
		size, err = defaultPage, nil
	}
	most := mostPage
	if c.Op.Name == "list_users" {
		most = mostUsers
	}
	if err != nil || size < 1 || size > most {
		return Invalid(FieldError{Field: "page_size", Message: "Invalid field."})
	}
	from, ok := p.start(c)
	if !ok {
		return Error(http.StatusBadRequest, 300, "The next page token is either invalid or has expired.")
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	body := map[string]any{
		"page_count": (len(all) + size - 1) / size, "page_size": size, "total_records": len(all),
		"next_page_token": "", name: append(make([]any, 0, size), all[from:to]...),
	}
	if to < len(all) {
		body["next_page_token"] = p.next(c, to)
	}
	return Answer{Status: http.StatusOK, Body: body}
}

// start returns where the page that was asked for begins.
func (p *Pages) start(c *Call) (int, bool) {
	token := c.Query.Get("next_page_token")
	if token == "" {
		return 0, true
	}
	at, ok := p.pages[token]
	return at.from, ok && at.list == listOf(c) && c.Now.Before(at.expires)
}

func (p *Pages) next(c *Call, from int) string {
	maps.DeleteFunc(p.pages, func(_ string, old page) bool { return !c.Now.Before(old.expires) })
	token := Random(24)
	p.pages[token] = page{list: listOf(c), from: from, expires: c.Now.Add(pageLife)}
	return token
}

// listOf names a list: two calls with the same name page through the same.
func listOf(c *Call) string {
	filters := url.Values{}
	for key, values := range c.Query {
		if key != "next_page_token" && key != "page_size" {
			filters[key] = values
		}
	}
	return c.Op.Name + " " + c.ID + " " + filters.Encode()
}

// SortedKeys returns the keys of an object.
func SortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
