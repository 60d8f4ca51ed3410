package schema

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// tree parses the text and refuses what no definition needs: aliases, which can blow a small file up, several documents,
// own tags, and nesting beyond measure.
func (p *reader) tree(text []byte) (*yaml.Node, bool) {
	if !utf8.Valid(text) {
		p.faults = append(p.faults, Fault{File: p.file, Line: firstInvalid(text), Reason: "is not UTF-8"})
		return nil, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			p.faults = append(p.faults, Fault{File: p.file, Line: 1, Reason: "is empty: a definition has at least schema, version and tables"})
			return nil, false
		}
		p.syntax(text, err)
		return nil, false
	}
	var second yaml.Node
	switch err := decoder.Decode(&second); {
	case err == nil:
		p.fault(&second, "a second document begins here: a definition is a single one")
		return nil, false
	case !errors.Is(err, io.EOF):
		p.syntax(text, err)
		return nil, false
	}
	nodes := 0
	p.plain(&document, 0, &nodes)
	return document.Content[0], len(p.faults) == 0
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line \d+: )?`)

func (p *reader) syntax(text []byte, err error) {
	reason := "not YAML: " + yamlLine.ReplaceAllString(err.Error(), "")
	p.faults = append(p.faults, Fault{File: p.file, Line: FaultyYAMLLine(text), Reason: reason})
}

// firstInvalid is the line of the first byte that is not UTF-8.
func firstInvalid(text []byte) int {
	line := 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		text = text[size:]
	}
	return line
}

const (
	lookAhead = 30 // lines after which a construct that goes over several, such as a flow mapping, should have ended
	maxTries  = 80 // parsings to find the line of a fault: a few seconds for the largest file, next to nothing for others
)

// FaultyYAMLLine finds the line at which a text stops being YAML. The parser names the line where the construct began that it
// was reading, if any: of a wrong indentation, the beginning of the whole table.
func FaultyYAMLLine(text []byte) int {
	var ends []int // of each line
	for at, c := range text {
		if c == '\n' {
			ends = append(ends, at+1)
		}
	}
	ends = append(ends, len(text))
	tries := 0
	isSound := func(lines int) bool {
		tries++
		return isYAML(text[:ends[lines-1]])
	}
	for sound := 0; ; { // so many lines are YAML
		low, high := sound, len(ends)
		for high-low > 1 {
			if middle := (low + high) / 2; isSound(middle) {
				low = middle
			} else {
				high = middle
			}
		}
		// The text may be sound again once a construct that this line begins has ended: then the fault is beyond.
		sound = 0
		for n := high + 1; n < len(ends) && n <= high+lookAhead && tries < maxTries; n++ {
			if isSound(n) {
				sound = n
				break
			}
		}
		if sound == 0 {
			return high
		}
	}
}

func isYAML(text []byte) bool {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

func (p *reader) plain(n *yaml.Node, depth int, nodes *int) {
	*nodes++
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.fault(n, "anchors and aliases are not allowed in a definition: write the value out")
		return
	case depth > maxDepth:
		p.fault(n, "is nested more than %d deep", maxDepth)
		return
	case *nodes == maxNodes:
		p.fault(n, "more than %d values", maxNodes)
		return
	case *nodes > maxNodes:
		return
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n, "tags such as %s are not allowed in a definition", brief(n.Tag))
		return
	}
	for _, child := range n.Content {
		p.plain(child, depth+1, nodes)
	}
}
