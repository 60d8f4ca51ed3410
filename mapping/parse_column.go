package mapping

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"dropline/ingest"
	"dropline/schema"
)

// columns reads what a rule says about the columns of its table.
func (p *parser) columns(n *yaml.Node, r *rule) map[*schema.Column]*columnRule {
	out := map[*schema.Column]*columnRule{}
	if n.Kind != yaml.MappingNode {
		p.fault(n, "columns must be a mapping from columns of %s to headers", r.table.Name)
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		column := columnNamed(r.table, key.Value)
		switch {
		case column == nil:
			p.fault(key, "table %s has no column %q%s", r.table.Name, brief(key.Value), didYouMean(nearColumns(r.table, key.Value)))
		case out[column] != nil:
			p.fault(key, "column %s is given twice, first in line %d", column.Name, out[column].line)
		default:
			out[column] = p.column(key, value, r, column)
		}
	}
	return out
}

// column reads what a rule says about one column.
func (p *parser) column(key, n *yaml.Node, r *rule, c *schema.Column) *columnRule {
	rule := &columnRule{line: key.Line}
	if n.Kind != yaml.MappingNode {
		rule.headers = p.headers(n, r)
		return rule
	}
	f := p.fields(n, "column "+c.Name, "from", "join", "product", "constant", "expr", "hash", "lookup", "default", "map", "else", "keep_unmatched",
		"format", "number", "trim", "case", "null", "prefix")
	p.origin(rule, n, f, r, c)
	rule.fallback = p.literal(f["default"], r.table, c)
	rule.nulls = p.nulls(f["null"])
	p.valueTable(rule, f, r.table, c)
	if n := f["lookup"]; n != nil {
		if rule.lookup = p.text(n, "lookup"); p.tables[rule.lookup] == nil {
			p.fault(n, "the mapping has no lookup %q", brief(rule.lookup))
		}
		if f["map"] != nil {
			p.fault(n, "column %s has both map and lookup", c.Name)
		}
	}
	p.syntaxOf(rule, f, c)
	p.lettersOf(rule, f, c)
	for _, option := range []string{"default", "map", "lookup", "else", "keep_unmatched", "format", "number", "trim", "case", "null", "prefix"} {
		if f[option] != nil && rule.combine == fixed {
			p.fault(f[option], "column %s is a constant: %s has no effect", c.Name, option)
		}
	}
	return rule
}

// origin reads where the value comes from.
func (p *parser) origin(rule *columnRule, n *yaml.Node, f map[string]*yaml.Node, r *rule, c *schema.Column) {
	given := 0
	for _, option := range []string{"from", "product", "constant", "expr", "hash"} {
		if f[option] != nil {
			given++
		}
	}
	if given > 1 {
		p.fault(n, "column %s may have only one of from, product, constant, expr and hash", c.Name)
	}
	if f["join"] != nil && f["from"] == nil {
		p.fault(f["join"], "column %s has join without from", c.Name)
	}
	switch {
	case f["constant"] != nil:
		rule.combine, rule.constant = fixed, p.literal(f["constant"], r.table, c)
		if rule.constant.absent && c.Required {
			p.fault(f["constant"], "column %s is required: it cannot be always absent", c.Name)
		}
	case f["product"] != nil:
		rule.combine, rule.headers = multiplied, p.headers(f["product"], r)
		if !isNumeric(c.Kind) {
			p.fault(f["product"], "column %s is not a number: it cannot be a product", c.Name)
		}
		if len(rule.headers) < 2 {
			p.fault(f["product"], "a product needs at least two headers")
		}
	case f["expr"] != nil:
		rule.combine = computed
		fits, want := fitsColumn(c)
		var err error
		if rule.expr, err = p.expression(p.text(f["expr"], "expr"), f["expr"].Line, r.split != nil, fits, want); err != nil {
			p.fault(f["expr"], "column %s: %s", c.Name, err)
		}
		if !r.dialect.header {
			p.fault(f["expr"], "expr needs a file with a header")
		}
	case f["hash"] != nil:
		rule.combine, rule.headers = hashed, p.headers(f["hash"], r)
		if c.Kind != schema.Text && c.Kind != schema.Reference {
			p.fault(f["hash"], "column %s is not a text: it cannot be a hash", c.Name)
		}
	case f["from"] != nil:
		rule.headers = p.headers(f["from"], r)
		if f["join"] != nil {
			rule.combine, rule.separator = joined, p.text(f["join"], "join")
		}
	}
}

// headers reads the headers that make a value: names, or the numbers of fields in a file without a header.
func (p *parser) headers(n *yaml.Node, r *rule) []string {
	headers := p.texts(n, "from")
	for i, h := range headers {
		h = strings.TrimSpace(h)
		headers[i] = h
		if r.dialect.header {
			switch {
			case h == "":
				p.fault(n, "a header is empty")
			case (h == partHeader || h == indexHeader || h == originHeader) && r.split == nil:
				p.fault(n, "%s is of a record that is split, and there is no split here", h)
			}
			continue
		}
		if v, err := strconv.Atoi(h); err != nil || v < 1 || v > maxColumns {
			p.fault(n, "the file has no header: name its fields by number, from 1, not %q", brief(h))
		}
	}
	return headers
}

func isNumeric(k schema.Kind) bool {
	return k == schema.Decimal || k == schema.Integer || k == schema.BigInt
}

// literal reads a value that the mapping writes itself, and checks that the column can hold it. Null is an absent value.
func (p *parser) literal(n *yaml.Node, t *schema.Table, c *schema.Column) *literal {
	if n == nil {
		return nil
	}
	l := &literal{line: n.Line}
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Value == "") {
		l.absent = true
		return l
	}
	l.text = p.text(n, "a value")
	if l.text == "" {
		l.absent = true
		return l
	}
	g := newTarget(t, c)
	var v ingest.Value
	if code := newConverter(p.schema, time.UTC).convert(&g, []byte(l.text), &v); code != "" {
		p.fault(n, "column %s: %s", c.Name, describe(&g, code, []byte(l.text)))
	}
	return l
}

// valueTable reads map, else and keep_unmatched.
func (p *parser) valueTable(rule *columnRule, f map[string]*yaml.Node, t *schema.Table, c *schema.Column) {
	n := f["map"]
	rule.otherwise, rule.keep = p.literal(f["else"], t, c), p.boolean(f["keep_unmatched"], "keep_unmatched", false)
	if n == nil {
		for _, option := range []string{"else", "keep_unmatched"} {
			if f[option] != nil && f["lookup"] == nil {
				p.fault(f[option], "column %s has %s without map or lookup", c.Name, option)
			}
		}
		return
	}
	if rule.keep && rule.otherwise != nil {
		p.fault(f["else"], "column %s has both else and keep_unmatched", c.Name)
	}
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		p.fault(n, "map must be a mapping from values of the file to values of %s", c.Name)
		return
	}
	rule.values = map[string]*literal{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode {
			p.fault(key, "a value to be mapped must be a text")
			continue
		}
		folded := string(lowerInto(nil, trimSpace([]byte(key.Value))))
		if key.Tag == "!!null" && key.Value == "~" {
			folded = ""
		}
		if rule.values[folded] != nil {
			p.fault(key, "%q is mapped twice: case does not matter", brief(key.Value))
		}
		rule.values[folded] = p.literal(n.Content[i+1], t, c)
	}
}

// syntaxOf reads format and number.
func (p *parser) syntaxOf(rule *columnRule, f map[string]*yaml.Node, c *schema.Column) {
	if n := f["format"]; n != nil {
		if c.Kind != schema.Date && c.Kind != schema.Timestamp {
			p.fault(n, "column %s is neither a date nor a timestamp: format has no effect", c.Name)
		}
		for _, text := range p.texts(n, "format") {
			l, err := parseLayout(text)
			if err != nil {
				p.fault(n, "%s", err)
				continue
			}
			rule.layouts = append(rule.layouts, l)
		}
	}
	n := f["number"]
	if n == nil {
		return
	}
	if !isNumeric(c.Kind) {
		p.fault(n, "column %s is not a number: number has no effect", c.Name)
	}
	o := p.fields(n, "number", "decimal", "group", "round")
	syntax := defaultNumber
	syntax.round = p.boolean(o["round"], "round", false)
	if o["decimal"] != nil {
		d := p.text(o["decimal"], "decimal")
		if d != "." && d != "," {
			p.fault(o["decimal"], "decimal must be \".\" or \",\"")
		} else {
			syntax.decimal = d[0]
			if d == "," {
				syntax.group = '.'
			}
		}
	}
	if o["group"] != nil {
		switch g := p.text(o["group"], "group"); {
		case g == "" || g == "none":
			syntax.group = 0
		case utf8.RuneCountInString(g) == 1 && strings.Contains(".,' ’\u00A0\u202F_", g):
			syntax.group, _ = utf8.DecodeRuneInString(g)
			if g == "\u00A0" || g == "\u202F" {
				syntax.group = ' '
			}
		default:
			p.fault(o["group"], "group must be one of . , ' _ and a space, or \"none\"")
		}
	}
	if rune(syntax.decimal) == syntax.group {
		p.fault(n, "decimal and group are the same character")
	}
	rule.number = &syntax
}

// lettersOf reads trim, case and prefix.
func (p *parser) lettersOf(rule *columnRule, f map[string]*yaml.Node, c *schema.Column) {
	if n := f["trim"]; n != nil {
		modes := map[string]trimming{"both": trimBoth, "left": trimLeft, "right": trimRight, "none": trimNone}
		mode, ok := modes[p.text(n, "trim")]
		if !ok {
			p.fault(n, "trim must be both, left, right or none")
		}
		rule.trim = mode
	}
	if n := f["case"]; n != nil {
		modes := map[string]letterCase{"lower": caseLower, "upper": caseUpper}
		mode, ok := modes[p.text(n, "case")]
		if !ok {
			p.fault(n, "case must be lower or upper")
		}
		rule.letters = mode
	}
	rule.prefix = p.text(f["prefix"], "prefix")
	if c.Kind == schema.Text || c.Kind == schema.Reference || c.Kind == schema.List {
		return
	}
	for _, option := range []string{"case", "prefix"} {
		if f[option] != nil {
			p.fault(f[option], "column %s is not a text: %s has no effect", c.Name, option)
		}
	}
}

// didYouMean offers names that are near to one that does not exist.
func didYouMean(near []string) string {
	if len(near) == 0 {
		return "."
	}
	return fmt.Sprintf(": did you mean %s?", strings.Join(near, " or "))
}
