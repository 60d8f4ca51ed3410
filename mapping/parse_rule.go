package mapping

import (
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// rule reads one item of files.
func (p *parser) rule(n *yaml.Node) *rule {
	f := p.fields(n, "an item of files", "pattern", "delimiter", "encoding", "quote", "escape", "header", "skip_lines", "leave_out", "ragged",
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
	if n := f["ragged"]; n != nil {
		var ok bool
		if d.ragged, ok = raggedNames[p.text(n, "ragged")]; !ok {
			p.fault(n, "ragged must be refuse, fill (a record may lack fields at its end) or fit (and what it has more than the header is left out)")
		}
	}
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
