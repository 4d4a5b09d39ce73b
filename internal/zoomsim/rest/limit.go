package rest

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limit is how many calls of a label an account may make; 0 is no limit.
type Limit struct {
	PerSecond int `json:"per_second"`
	PerDay    int `json:"per_day"`
}

// window counts calls of one second or day.
type window struct {
	start time.Time
	used  int
}

// Limits counts calls.
type Limits struct {
	mu    sync.Mutex // guards all below
	by    map[string]Limit
	daily bool
	usage map[string]*window
}

// NewLimits returns limits by label; daily are Zoom's per host and registrant.
func NewLimits(by map[string]Limit, daily bool) *Limits {
	l := &Limits{by: map[string]Limit{}, daily: daily, usage: map[string]*window{}}
	maps.Copy(l.by, by)
	return l
}

// Set changes the limit of a label.
func (u *Limits) Set(label string, to Limit) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.by[label] = to
}

// Spend counts a call. It returns the headers that tell of the limit, and a
// refusal when there is nothing left.
func (u *Limits) Spend(label, account string, now time.Time) (http.Header, *Answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	l, limited := u.by[label]
	if !limited {
		return nil, nil
	}
	second := u.windowOf(account+"/"+label+"/s", now.Truncate(time.Second))
	day := u.windowOf(account+"/"+label+"/d", now.UTC().Truncate(24*time.Hour))
	category := capitalize(label)
	if l.PerDay > 0 && day.used >= l.PerDay {
		h := limitHeader(category, "Daily-limit", l.PerDay, 0)
		h.Set("Retry-After", day.start.Add(24*time.Hour).Format(time.RFC3339))
		return nil, tooMany(h, "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you can make another request.")
	}
	if l.PerSecond > 0 && second.used >= l.PerSecond {
		h := limitHeader(category, "QPS", l.PerSecond, 0)
		h.Set("X-RateLimit-Reset", second.start.Add(time.Second).UTC().Format(time.RFC3339))
		return nil, tooMany(h, "You have reached the maximum per-second rate limit for this API. Try again later.")
	}
	second.used++
	day.used++
	if l.PerSecond > 0 {
		return limitHeader(category, "QPS", l.PerSecond, l.PerSecond-second.used), nil
	}
	return limitHeader(category, "Daily-limit", l.PerDay, l.PerDay-day.used), nil
}

// windowOf returns the window of a key that began at start; an older one is
// begun anew.
func (u *Limits) windowOf(key string, start time.Time) *window {
	w := u.usage[key]
	if w == nil || !w.start.Equal(start) {
		w = &window{start: start}
		u.usage[key] = w
	}
	return w
}

// Daily counts a call against one of Zoom's limits per person and day. Its
// refusal has, as Zoom's, no Retry-After and headers that speak of another limit.
func (u *Limits) Daily(key string, most int, now time.Time, message string) *Answer {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.daily {
		return nil
	}
	day := u.windowOf(key, now.UTC().Truncate(24*time.Hour))
	if day.used >= most {
		return tooMany(limitHeader("Light", "Daily-limit", 6000, 5893), message)
	}
	day.used++
	return nil
}

func limitHeader(category, kind string, limit, left int) http.Header {
	return http.Header{
		"X-Ratelimit-Category":  {category},
		"X-Ratelimit-Type":      {kind},
		"X-Ratelimit-Limit":     {strconv.Itoa(limit)},
		"X-Ratelimit-Remaining": {strconv.Itoa(left)},
	}
}

func tooMany(h http.Header, message string) *Answer {
	a := Error(http.StatusTooManyRequests, 429, "%s", message)
	a.Header = h
	return &a
}

func capitalize(label string) string {
	if label == "" {
		return ""
	}
	return label[:1] + strings.ToLower(label[1:])
}
