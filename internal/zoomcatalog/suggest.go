package zoomcatalog

import "strings"

// Suggest returns the event name that was probably meant, or "" where none is
// close. A pattern such as meting.* is answered by a pattern.
func Suggest(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if prefix, isPattern := strings.CutSuffix(name, ".*"); isPattern {
		if near := nearest(prefix, prefixes()); near != "" {
			return near + ".*"
		}
		return ""
	}
	if byLastToken := soleEnding("." + name); byLastToken != "" {
		return byLastToken
	}
	return nearest(name, Names())
}

// prefixes returns the first tokens of all names that have more than one.
func prefixes() []string {
	var all []string
	for i := range events {
		first, _, dotted := strings.Cut(events[i].Name, ".")
		if dotted && (len(all) == 0 || all[len(all)-1] != first) {
			all = append(all, first)
		}
	}
	return all
}

// soleEnding returns the event that alone ends so; of several, that of meetings.
func soleEnding(end string) string {
	found, n := "", 0
	for i := range events {
		if strings.HasSuffix(events[i].Name, end) {
			found, n = events[i].Name, n+1
			if found == "meeting"+end {
				return found
			}
		}
	}
	if n == 1 {
		return found
	}
	return ""
}

// nearest returns the candidate with the fewest letters to change, if these are
// at most a third of the name; of equals the first.
func nearest(name string, candidates []string) string {
	best, least := "", len(name)/3+1
	row := make([]int, 0, 64)
	for _, c := range candidates {
		if n := len(c) - len(name); n >= least || -n >= least {
			continue
		}
		if d := distance(name, c, &row); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the letters to insert, delete or replace between a and b.
func distance(a, b string, scratch *[]int) int {
	row := (*scratch)[:0]
	for i := range len(b) + 1 {
		row = append(row, i)
	}
	*scratch = row
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
