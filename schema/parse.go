package schema

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// The bounds of a definition file. Efimis-1.0, with its 29 tables, is a tenth of the largest of them: they are not meant
// to be met, only to keep a broken or hostile file from costing more than a moment.
const (
	maxFileBytes   = 1 << 20
	maxDepth       = 12
	maxNodes       = 200_000
	maxTables      = 200
	maxColumns     = 250 // and SQL Server allows 1,024, PostgreSQL 1,600 less the system's
	maxEnums       = 200
	maxEnumValues  = 1000
	maxChecks      = 50
	maxAliases     = 50
	maxSeeds       = 5000
	maxName        = 60 // two of them and "CK__" are a constraint of SQL Server, which allows 128, with or without the schema's
	maxTableSQL    = 40 // leaves room in PostgreSQL's 63 bytes for the suffixes of indexes and staging tables
	maxColumnSQL   = 50 // PostgreSQL cuts a name off at 63 bytes
	maxText        = 4000
	maxOpenValue   = 200  // of an open enumeration, the sender's own included
	maxTextLength  = 4000 // nvarchar(n) ends here; longer text has no length at all
	maxKeyLength   = 400  // an index key of SQL Server holds 900 bytes, two to a character
	maxUniqueSets  = 10
	maxUniqueWidth = 5
)

// reader walks a definition's YAML tree and collects what is wrong with it.
type reader struct {
	file   string
	faults Faults
	schema *Schema
	enums  map[string]*Enum
	tables map[string]*Table
	nodes  map[any]*yaml.Node // where a table, a column or an enumeration was declared
	later  []func()           // work that needs every table to be known: references, then checks and seeds
}

// Parse reads the definition of one schema version. The file's name is used in faults only. An error is of type Faults if
// it is the definition's, and says file, line and reason of each thing that is wrong.
func Parse(file string, r io.Reader) (*Schema, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(text) > maxFileBytes {
		line := bytes.Count(text, []byte("\n")) + 1
		return nil, Faults{{File: file, Line: line, Reason: "here the file is larger than 1 MiB, the most a definition may be"}}
	}
	p := &reader{
		file: file, schema: &Schema{},
		enums: map[string]*Enum{}, tables: map[string]*Table{}, nodes: map[any]*yaml.Node{},
	}
	root, ok := p.tree(text)
	if ok {
		p.definition(root)
	}
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return p.schema, nil
}

func (p *reader) fault(n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	switch len(p.faults) {
	case maxFaults:
	case maxFaults - 1:
		p.faults = append(p.faults, Fault{File: p.file, Line: line, Reason: "and more: too many faults to list"})
	default:
		p.faults = append(p.faults, Fault{File: p.file, Line: line, Reason: fmt.Sprintf(format, args...)})
	}
}

// mapping returns the values of a mapping by key. Unknown and repeated keys are faults.
func (p *reader) mapping(n *yaml.Node, what string, allowed ...string) map[string]*yaml.Node {
	values := make(map[string]*yaml.Node, len(allowed))
	if n == nil {
		return values
	}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "%s must be a mapping of %s", what, strings.Join(allowed, ", "))
		return values
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case !contains(allowed, key.Value):
			p.fault(key, "unknown key %q in %s: it may have %s", brief(key.Value), what, strings.Join(allowed, ", "))
		case values[key.Value] != nil:
			p.fault(key, "%q is given twice in %s", key.Value, what)
		default:
			values[key.Value] = n.Content[i+1]
		}
	}
	return values
}

// items returns the items of a sequence; an absent one has none.
func (p *reader) items(n *yaml.Node, what string, most int) []*yaml.Node {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fault(n, "%s must be a list", what)
		return nil
	}
	if len(n.Content) > most {
		p.fault(n, "%s has %d items, more than %d", what, len(n.Content), most)
		return nil
	}
	return n.Content
}

// text returns the text of a scalar; of an absent one, none.
func (p *reader) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.fault(n, "%s must be a text", what)
		return ""
	}
	if len(n.Value) > maxText {
		p.fault(n, "%s is longer than %d bytes", what, maxText)
		return ""
	}
	if strings.ContainsFunc(n.Value, isHidden) {
		p.fault(n, "%s has a control character", what)
		return ""
	}
	return strings.TrimSpace(n.Value)
}

// isHidden reports whether a character steers a terminal or turns the reading direction around, so that a text would not be
// what is seen of it.
func isHidden(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r)
}

func (p *reader) texts(n *yaml.Node, what string, most int) []string {
	items := p.items(n, what, most)
	out := make([]string, 0, len(items))
	for _, item := range items {
		if s := p.text(item, what); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (p *reader) boolean(n *yaml.Node, what string) bool {
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.fault(n, "%s must be true or false", what)
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// brief shortens what a file says for use in a message.
func brief(s string) string {
	const most = 60
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}
