package rest

import "time"

// Moment reads one end of a range: a date, of which the end is the end of the
// day, or a date with a time. An empty text is the zero time.
func Moment(text string, end bool) (at time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if end {
			return day.Add(24*time.Hour - 1), true
		}
		return day, true
	}
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil
}

// Month refuses a range of more than a month, as most of Zoom's lists do. Open
// ends are filled in: from is a month before to, to is now.
func Month(c *Call) (from, to time.Time, refused *Answer) {
	from, okFrom := Moment(c.Query.Get("from"), false)
	to, okTo := Moment(c.Query.Get("to"), true)
	if to.IsZero() {
		to = c.Now
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -30)
	}
	if !okFrom || !okTo || to.Before(from) {
		a := Invalid(FieldError{Field: "from", Message: "Invalid field."})
		return from, to, &a
	}
	if to.Sub(from) > 32*24*time.Hour {
		a := Error(400, 300, "The date range defined by the from and to parameters may not be more than a month.")
		return from, to, &a
	}
	return from, to, nil
}
