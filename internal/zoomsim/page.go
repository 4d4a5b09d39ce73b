package zoomsim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
)

// paged answers with one page of a list.
func (s *Sim) paged(c *call, name string, all []any) answer {
	size, err := strconv.Atoi(c.query.Get("page_size"))
	if c.query.Get("page_size") == "" {
		size, err = defaultPage, nil
	}
	if err != nil || size < 1 || size > mostPage {
		return invalid(fieldError{Field: "page_size", Message: "Invalid field."})
	}
	from, ok := s.pageStart(c)
	if !ok {
		return zoomError(http.StatusBadRequest, 300, "The next page token is either invalid or has expired.")
	}
	from = min(from, len(all))
	to := min(from+size, len(all))
	body := map[string]any{
		"page_count": (len(all) + size - 1) / size, "page_size": size, "total_records": len(all),
		"next_page_token": "", name: append(make([]any, 0, size), all[from:to]...),
	}
	if to < len(all) {
		body["next_page_token"] = s.nextPage(c, to)
	}
	return answer{status: http.StatusOK, body: body}
}

// pageStart returns where the page that was asked for begins.
func (s *Sim) pageStart(c *call) (int, bool) {
	token := c.query.Get("next_page_token")
	if token == "" {
		return 0, true
	}
	p, ok := s.world.pages[token]
	return p.from, ok && p.list == listOf(c) && c.now.Before(p.expires)
}

func (s *Sim) nextPage(c *call, from int) string {
	maps.DeleteFunc(s.world.pages, func(_ string, p page) bool { return !c.now.Before(p.expires) })
	token := randomText(24)
	s.world.pages[token] = page{list: listOf(c), from: from, expires: c.now.Add(pageLife)}
	return token
}

// listOf names a list: two calls with the same name page through the same.
func listOf(c *call) string {
	filters := url.Values{}
	for key, values := range c.query {
		if key != "next_page_token" && key != "page_size" {
			filters[key] = values
		}
	}
	return c.op.Name + " " + c.id + " " + filters.Encode()
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
