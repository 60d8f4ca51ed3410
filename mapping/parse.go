package mapping

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"gopkg.in/yaml.v3"

	"dropline/schema"
)

// The bounds of a mapping file: not meant to be met, only to keep a broken or hostile file from costing more than a moment.
const (
	maxMappingBytes = 256 << 10
	maxDepth        = 12
	maxNodes        = 50_000
	maxFaults       = 50 // enough to mend a file in one go, few enough to read
	maxSkipLines    = 1000
	maxPatternParts = 3  // "**" in one pattern: each multiplies the work of matching by the depth of the path
	maxTexts        = 50 // in a list of patterns, headers, formats or nulls
	mappingVersion  = "1"
)

// parser walks a mapping's YAML tree and collects what is wrong with it.
type parser struct {
	file   string
	schema *schema.Schema
	faults schema.Faults
	more   bool               // there were more than maxFaults
	env    *cel.Env           // of expressions, once there is one
	tables map[string]*lookup // the mapping's lookup tables
}

// Parse reads a mapping file, whose name is used in faults only. An error is of type schema.Faults: it names every fault
// as file:line: reason.
func Parse(name string, text []byte, s *schema.Schema) (*Mapping, error) {
	p := &parser{file: name, schema: s}
	if len(text) > maxMappingBytes {
		return nil, schema.Faults{{File: name, Reason: "is larger than 256 KiB, the most a mapping may be"}}
	}
	m := &Mapping{schema: s}
	if root, ok := p.tree(text); ok {
		f := p.fields(root, "the mapping", "version", "schema", "lookups", "files", "database")
		if f["version"] == nil || f["version"].Value != mappingVersion {
			p.fault(or(f["version"], root), "version must be %s, the version of this format", mappingVersion)
		}
		if n := f["schema"]; n != nil && !strings.EqualFold(p.text(n, "schema"), s.ID()) {
			p.fault(n, "the mapping is for the schema %s, and the tenant's is %s", brief(n.Value), s.ID())
		}
		p.lookups(f["lookups"], m)
		files := p.items(f["files"], "files", maxNodes)
		if len(files) == 0 && (f["files"] != nil || f["database"] == nil) {
			p.fault(or(f["files"], root), "files must list at least one pattern with what holds for its files")
		}
		for _, n := range files {
			m.rules = append(m.rules, p.rule(n))
		}
		p.database(f["database"], m)
	}
	if len(p.faults) > 0 {
		slices.SortStableFunc(p.faults, func(a, b schema.Fault) int { return cmp.Compare(a.Line, b.Line) })
		if p.more {
			p.faults = append(p.faults, schema.Fault{File: name, Reason: "and more: too many faults to list"})
		}
		return nil, p.faults
	}
	return m, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// tree parses the text and refuses what no mapping needs: aliases, which can blow a small file up, several documents, own
// tags, and nesting beyond measure.
func (p *parser) tree(text []byte) (*yaml.Node, bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			p.faults = append(p.faults, schema.Fault{File: p.file, Reason: "is empty: a mapping has at least version and files"})
			return nil, false
		}
		p.syntax(text, err)
		return nil, false
	}
	if err := decoder.Decode(&second); err == nil {
		p.fault(&second, "a second document begins here: a mapping is a single one")
	} else if !errors.Is(err, io.EOF) {
		p.syntax(text, err)
	}
	nodes := 0
	p.plain(&document, 0, &nodes)
	return document.Content[0], len(p.faults) == 0
}

// syntax takes in what makes the text no YAML. The library names the line where the block began that the fault is in, or none.
func (p *parser) syntax(text []byte, err error) {
	message, line := yamlFault(err)
	if len(text) <= maxRetried {
		line = schema.FaultyYAMLLine(text)
	}
	p.faults = append(p.faults, schema.Fault{File: p.file, Line: line, Reason: "not YAML: " + message + yamlHints[message]})
}

// maxRetried is the size of the largest mapping that is parsed again, some forty times, to find the line of a fault. Mappings
// come from clients.
const maxRetried = 32 << 10

// yamlHints say what to do about what the library's messages leave dark.
var yamlHints = map[string]string{
	"did not find expected alphabetic or numeric character": ": put a text that begins with * or & between quotes, such as \"*.csv\"",
	"found character that cannot start any token":           ": indent with spaces, not tabs, and put a text that begins with @, % or ` between quotes",
	"mapping values are not allowed in this context":        ": put a text with a colon and a space in it between quotes",
	"found unexpected end of stream":                        ": a quote or bracket is not closed",
}

func yamlFault(err error) (message string, line int) {
	if err == nil {
		return "", 0
	}
	message = err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		line, _ = strconv.Atoi(m[1])
		message = message[len(m[0]):]
	}
	return message, line
}

func (p *parser) plain(n *yaml.Node, depth int, nodes *int) {
	*nodes++
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		p.fault(n, "anchors and aliases are not allowed in a mapping: write the value out")
		return
	case depth > maxDepth:
		p.fault(n, "is nested more than %d deep", maxDepth)
		return
	case *nodes > maxNodes:
		if *nodes == maxNodes+1 {
			p.fault(n, "more than %d values", maxNodes)
		}
		return
	case n.Style&yaml.TaggedStyle != 0:
		p.fault(n, "tags such as %s are not allowed in a mapping", brief(n.Tag))
		return
	}
	for _, child := range n.Content {
		p.plain(child, depth+1, nodes)
	}
}

func (p *parser) fault(n *yaml.Node, format string, args ...any) {
	if len(p.faults) == maxFaults {
		p.more = true
		return
	}
	p.faults = append(p.faults, schema.Fault{File: p.file, Line: n.Line, Reason: fmt.Sprintf(format, args...)})
}

// fields returns the values of a mapping by key. Unknown and repeated keys are faults.
func (p *parser) fields(n *yaml.Node, what string, allowed ...string) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node, len(allowed))
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s must be a mapping of %s", what, strings.Join(allowed, ", "))
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !slices.Contains(allowed, key.Value):
			p.fault(key, "unknown key %q in %s: it may have %s", brief(key.Value), what, strings.Join(allowed, ", "))
		case values[key.Value] != nil:
			p.fault(key, "%q is given twice in %s", key.Value, what)
		default:
			values[key.Value] = n.Content[i+1]
		}
	}
	return values
}

func (p *parser) items(n *yaml.Node, what string, most int) []*yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind != yaml.SequenceNode:
		p.fault(n, "%s must be a list", what)
		return nil
	case len(n.Content) > most:
		p.fault(n, "%s has %d items, more than %d", what, len(n.Content), most)
		return nil
	}
	return n.Content
}

// text returns the text of a scalar exactly as written: numbers and dates are not interpreted.
func (p *parser) text(n *yaml.Node, what string) string {
	switch {
	case n == nil:
		return ""
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		p.fault(n, "%s must be a text", what)
		return ""
	case !utf8.ValidString(n.Value) || strings.ContainsRune(n.Value, 0):
		p.fault(n, "%s has a character that no value may have", what)
		return ""
	}
	return n.Value
}

// texts returns the text of a scalar, or of each item of a list.
func (p *parser) texts(n *yaml.Node, what string) []string {
	if n == nil {
		return nil
	}
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = p.items(n, what, maxTexts)
		if len(n.Content) == 0 {
			p.fault(n, "%s is an empty list", what)
		}
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		out = append(out, p.text(item, what))
	}
	return out
}

// nulls returns the texts that mean an absent value. A bare NULL is YAML's own null, but means the text here.
func (p *parser) nulls(n *yaml.Node) []string {
	if n == nil {
		return nil
	}
	for _, item := range append([]*yaml.Node{n}, n.Content...) {
		if item.Kind == yaml.ScalarNode && item.Tag == "!!null" {
			item.Tag = "!!str"
		}
	}
	return p.texts(n, "null")
}

func (p *parser) boolean(n *yaml.Node, what string, otherwise bool) bool {
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.fault(n, "%s must be true or false", what)
		return otherwise
	}
	return strings.EqualFold(n.Value, "true")
}
