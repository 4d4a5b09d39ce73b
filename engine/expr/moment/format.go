package moment

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// byLayout are the directives that Go's layouts have.
var byLayout = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05",
	'j': "002", 'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January", 'p': "PM", 'P': "pm",
	'z': "-0700", 'Z': "MST", 'e': "_2", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
	'D': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", 'x': "01/02/06", 'X': "15:04:05", 'r': "03:04:05 PM",
}

// Format writes a time as strftime does: %d.%m.%Y %H:%M. %-d leaves out the padding.
func Format(t time.Time, pattern string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		plain := i < len(pattern) && pattern[i] == '-'
		if plain {
			i++
		}
		if i >= len(pattern) {
			return "", &Error{Message: "the format ends after %", Hint: "write %% for a percent sign"}
		}
		s, ok := directive(t, pattern[i])
		if !ok {
			return "", &Error{Message: fmt.Sprintf("the format has %%%c, which does not exist", pattern[i]), Hint: "write %Y %m %d %H %M %S %a %b %Z and the like, %% for a percent sign"}
		}
		if plain && len(s) > 1 {
			s = strings.TrimLeft(s[:len(s)-1], "0 ") + s[len(s)-1:]
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func directive(t time.Time, c byte) (string, bool) {
	if l, ok := byLayout[c]; ok {
		return t.Format(l), true
	}
	year, week := t.ISOWeek()
	switch c {
	case 'k':
		return fmt.Sprintf("%2d", t.Hour()), true
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'f':
		return fmt.Sprintf("%06d", t.Nanosecond()/1000), true
	case 'L':
		return fmt.Sprintf("%03d", t.Nanosecond()/1e6), true
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1), true
	case 'w':
		return strconv.Itoa(int(t.Weekday())), true
	case 'V':
		return fmt.Sprintf("%02d", week), true
	case 'G':
		return strconv.Itoa(year), true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case '%':
		return "%", true
	}
	return "", false
}
