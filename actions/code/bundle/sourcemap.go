package bundle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"zflow/actions/code/pipedream"
)

// mapping says of where in the code a piece begins what it was made of.
type mapping struct{ column, source, line, fromColumn int }

// sourceMap is what the map of a bundle says, by line of the code.
type sourceMap struct {
	sources []string
	lines   [][]mapping
}

// Positions finds the user's own lines in what Node.js tells.
type Positions struct {
	bundle *Bundle
	from   *sourceMap
}

// Positions reads the bundle's source map.
func (b *Bundle) Positions() (*Positions, error) {
	var m struct {
		Sources  []string
		Mappings string
	}
	if err := json.Unmarshal(b.Map, &m); err != nil {
		return nil, fmt.Errorf("reading a source map: %w", err)
	}
	lines, err := decodeMappings(m.Mappings)
	return &Positions{b, &sourceMap{m.Sources, lines}}, err
}

// decodeMappings reads numbers of which each is told relative to the one before.
func decodeMappings(text string) (lines [][]mapping, err error) {
	var last mapping
	for line := range strings.SplitSeq(text, ";") {
		last.column = 0
		var all []mapping
		for segment := range strings.SplitSeq(line, ",") {
			if segment == "" {
				continue
			}
			n, err := decodeVLQ(segment)
			if err != nil {
				return nil, err
			}
			last.column += n[0]
			if len(n) >= 4 {
				last.source, last.line, last.fromColumn = last.source+n[1], last.line+n[2], last.fromColumn+n[3]
				all = append(all, last)
			}
		}
		lines = append(lines, all)
	}
	return lines, nil
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// decodeVLQ reads numbers in base 64, five bits a digit, the sign in the last bit.
func decodeVLQ(text string) (numbers []int, err error) {
	value, shift := 0, 0
	for i := range len(text) {
		d := strings.IndexByte(digits, text[i])
		if d < 0 || shift > 60 {
			return nil, fmt.Errorf("reading a source map: %q is no number", text)
		}
		value |= d & 31 << shift
		if shift += 5; d&32 != 0 {
			continue
		}
		n := value >> 1
		if value&1 != 0 {
			n = -n
		}
		numbers, value, shift = append(numbers, n), 0, 0
	}
	return numbers, nil
}

// At returns where a place of the code, from 1, comes from: file, line and column. What is
// ours comes from no file.
func (p *Positions) At(line, column int) (place string, ok bool) {
	if line < 1 || line > len(p.from.lines) {
		return "", false
	}
	all := p.from.lines[line-1]
	i, exact := slices.BinarySearchFunc(all, column-1, func(m mapping, c int) int { return cmp.Compare(m.column, c) })
	if !exact {
		i--
	}
	if i < 0 || all[i].source >= len(p.from.sources) {
		return "", false
	}
	m := all[i]
	file := p.from.sources[m.source]
	if strings.HasPrefix(file, pipedream.Ours) {
		return "", false
	}
	if file != inline {
		return fmt.Sprintf("%s:%d:%d", file, m.line+1, m.fromColumn+1), true
	}
	if m.line >= len(p.bundle.Lines) {
		return "", false
	}
	at := p.bundle.Lines[m.line]
	return fmt.Sprintf("%s:%d:%d", p.bundle.Name, at[0], at[1]+m.fromColumn+1), true
}

// own is how Node.js names a place of ours.
var own = regexp.MustCompile(`zflow-code/[0-9a-f]+:(\d+):(\d+)`)

// Stack returns the places of an error's stack that are the user's, the innermost first.
func (p *Positions) Stack(stack string) []string {
	var all []string
	for _, m := range own.FindAllStringSubmatch(stack, -1) {
		line, _ := strconv.Atoi(m[1]) // of digits
		column, _ := strconv.Atoi(m[2])
		if at, ok := p.At(line, column); ok {
			all = append(all, at)
		}
	}
	return all
}
