package mapping

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
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

// rule reads one item of files.
func (p *parser) rule(n *yaml.Node) *rule {
	f := p.fields(n, "an item of files", "pattern", "delimiter", "encoding", "quote", "escape", "header", "skip_lines", "leave_out",
		"null", "only", "table", "where", "distinct", "split", "columns", "tables")
	r := &rule{line: n.Line, dialect: p.dialect(f), only: p.boolean(f["only"], "only", false)}
	r.nulls = p.nulls(f["null"])
	for _, pattern := range p.texts(f["pattern"], "pattern") {
		p.pattern(f["pattern"], pattern)
		r.patterns = append(r.patterns, strings.ToLower(pattern))
	}
	if f["pattern"] == nil {
		p.fault(n, "a pattern is missing, such as \"Customer*.csv\"")
	}
	p.rows(f, r)
	for _, item := range p.items(f["tables"], "tables", maxOutputs) {
		o := p.fields(item, "an item of tables", "table", "where", "distinct", "split", "null", "only", "columns")
		out := &rule{line: item.Line, patterns: r.patterns, dialect: r.dialect, only: p.boolean(o["only"], "only", r.only), nulls: r.nulls}
		if o["null"] != nil {
			out.nulls = p.nulls(o["null"])
		}
		if o["table"] == nil {
			p.fault(item, "an item of tables needs a table")
		}
		p.rows(o, out)
		r.outputs = append(r.outputs, out)
	}
	if t := f["tables"]; t != nil {
		for _, key := range []string{"table", "where", "distinct", "split", "columns"} {
			if f[key] != nil {
				p.fault(f[key], "%s belongs into each item of tables, where there are tables", key)
			}
		}
		if len(r.outputs) == 0 {
			p.fault(t, "tables must list at least one table")
		}
	}
	return r
}

// maxOutputs is how many tables a file may feed. It is read once for each.
const maxOutputs = 30

// rows reads which table a file's records go to, and which rows they make.
func (p *parser) rows(f map[string]*yaml.Node, r *rule) {
	p.ruleTable(f["table"], r)
	r.split = p.split(f["split"], r)
	r.where = p.condition(f["where"], r.split != nil)
	r.distinct = p.boolean(f["distinct"], "distinct", false)
	for _, key := range []string{"columns", "where", "distinct", "split"} {
		if f[key] != nil && f["table"] == nil && f["tables"] == nil {
			p.fault(f[key], "a table is missing for %s: say which with table", key)
		}
	}
	if r.where != nil && !r.dialect.header {
		p.fault(f["where"], "where needs a file with a header")
	}
	if columns := f["columns"]; columns != nil && r.table != nil {
		r.columns = p.columns(columns, r)
	}
}

// ruleTable reads the name of the table that a rule is of.
func (p *parser) ruleTable(n *yaml.Node, r *rule) {
	if n == nil {
		return
	}
	name := p.text(n, "table")
	if r.table = tableNamed(p.schema, name); r.table == nil {
		p.fault(n, "%s has no table %q%s", p.schema.ID(), brief(name), didYouMean(nearTables(p.schema, name)))
	}
}

func (p *parser) pattern(n *yaml.Node, pattern string) {
	for _, part := range strings.Split(pattern, "/") {
		if _, err := path.Match(part, ""); err != nil {
			p.fault(n, "pattern %q is not well-formed: * stands for any text, ? for a character, [a-z] for one of several", brief(pattern))
			return
		}
	}
	switch {
	case strings.Trim(pattern, "/ ") == "":
		p.fault(n, "a pattern is empty")
	case strings.Count(pattern, "**") > maxPatternParts:
		p.fault(n, "pattern %q has more than %d times **", brief(pattern), maxPatternParts)
	}
}

func isAlphanumeric(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' }

// maxDelimiter is the most bytes of a delimiter.
const maxDelimiter = 8

// dialect reads how a rule's files are written.
func (p *parser) dialect(f map[string]*yaml.Node) dialect {
	d := defaultDialect()
	if n := f["encoding"]; n != nil {
		e, ok := encodingNamed(p.text(n, "encoding"))
		if !ok {
			p.fault(n, "unknown encoding %q: it may be utf-8, windows-1252 and its relatives, iso-8859-1 to 16, cp437, cp850, macintosh, koi8-r, utf-16le, utf-16be, shift-jis, gb18030, big5, euc-jp or euc-kr", brief(n.Value))
		}
		d.encoding, d.given.encoding = e, true
	}
	if n := f["delimiter"]; n != nil {
		text := p.text(n, "delimiter")
		if text == "tab" || text == `\t` {
			text = "\t"
		}
		if text == "" || len(text) > maxDelimiter || strings.ContainsAny(text, "\r\n\x00\"") {
			p.fault(n, "delimiter must be one to %d characters, such as \";\", \"\\t\" or \"||\", and no quote or line end", maxDelimiter)
		} else {
			d.delimiter, d.given.delimiter = text, true
		}
	}
	if n := f["quote"]; n != nil {
		d.given.quote = true
		switch text := p.text(n, "quote"); {
		case text == "" || text == "none":
			d.quote = '\n'
		case len(text) != 1 || text[0] >= utf8.RuneSelf || strings.ContainsAny(text, "\r\n\t \x00"):
			p.fault(n, "quote must be one ASCII character, or \"none\" where nothing quotes")
		default:
			d.quote = text[0]
		}
	}
	if n := f["escape"]; n != nil {
		d.given.escape = true
		switch text := p.text(n, "escape"); {
		case text == "doubled":
		case len(text) != 1 || text[0] >= utf8.RuneSelf || strings.ContainsAny(text, "\r\n\t \x00") || isAlphanumeric(text[0]):
			p.fault(n, "escape must be one character, such as \"\\\\\", or \"doubled\" where a quote within quotes is doubled")
		case text[0] != d.quote:
			d.escape = text[0]
		}
	}
	if d.delimiter == string(d.quote) {
		p.fault(or(f["quote"], f["delimiter"]), "delimiter and quote are the same character")
	}
	d.keep = !p.boolean(f["leave_out"], "leave_out", true)
	d.header, d.given.header = p.boolean(f["header"], "header", true), f["header"] != nil
	if n := f["skip_lines"]; n != nil {
		d.given.skipLines = true
		v, err := strconv.Atoi(p.text(n, "skip_lines"))
		if err != nil || v < 0 || v > maxSkipLines {
			p.fault(n, "skip_lines must be a number from 0 to %d", maxSkipLines)
		} else {
			d.skipLines = v
		}
	}
	return d
}

// or is the node to blame: the one that is wrong, or if it is missing, the one that should have it.
func or(n, parent *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return parent
}
