package terminal

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// Usage is an error in how a command was called.
type Usage struct{ message string }

func (u *Usage) Error() string { return u.message }

// Misused is an error in how a command was called.
func Misused(format string, args ...any) error { return &Usage{fmt.Sprintf(format, args...)} }

// Group makes a command that only holds others; it refuses what none of them is.
func Group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ArbitraryArgs, RunE: Refuse}
	c.AddCommand(commands...)
	return c
}

// Refuse says that a command only holds others.
func Refuse(c *cobra.Command, args []string) error {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(args) == 0 {
		return Misused("%s needs one of: %s", c.CommandPath(), strings.Join(names, ", "))
	}
	return Misused("%s has no command %q%s", c.CommandPath(), args[0], DidYouMean(args[0], names))
}

// FlagError makes pflag's errors fit for people.
func FlagError(c *cobra.Command, err error) error {
	message := err.Error()
	if name, unknown := strings.CutPrefix(message, "unknown flag: --"); unknown {
		return Misused("unknown flag --%s%s", name, DidYouMean("--"+name, flagsOf(c)))
	}
	message, _, _ = strings.Cut(message, ": strconv.")
	message, _, _ = strings.Cut(message, ": time:")
	return Misused("%s", message)
}

var flagName = regexp.MustCompile(`--[a-z][a-z-]*`)

func flagsOf(c *cobra.Command) []string {
	return flagName.FindAllString(c.Flags().FlagUsages()+c.InheritedFlags().FlagUsages(), -1)
}

// DidYouMean is ": did you mean …?" where something known is close.
func DidYouMean(given string, known []string) string {
	best, least := "", len(given)/2+1
	for _, k := range known {
		if strings.HasPrefix(k, given) {
			return fmt.Sprintf(": did you mean %q?", k)
		}
		if d := distance(given, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance counts the letters to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
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

// Args checks that the command got these arguments, by name; one that ends in …
// may come several times.
func Args(names ...string) cobra.PositionalArgs {
	many := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "…")
	return func(_ *cobra.Command, given []string) error {
		if len(given) < len(names) {
			return Misused("%s is missing", strings.TrimSuffix(names[len(given)], "…"))
		}
		if len(given) > len(names) && !many {
			return Misused("there is nothing to do with the argument %q", given[len(names)])
		}
		return nil
	}
}

// SomeArgs checks that a command got between least and most arguments.
func SomeArgs(least, most int, names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		return Args(names[:min(max(least, len(given)), most)]...)(c, given)
	}
}
