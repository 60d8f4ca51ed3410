package suggest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dropline/mapping"
	"dropline/schema"
)

// derive adds what is made of several columns, or follows from others.
func (p *proposer) derive(f *file, o *output) {
	for _, c := range o.table.Columns {
		switch {
		case c == o.table.Key:
		case !o.has(c) && isWholeName(c):
			first, last := o.from("firstname", "givenname"), o.from("lastname", "surname", "familyname")
			if first != "" && last != "" {
				p.line(o, c, last+", "+first, 0.8, "the parts of the name are there", fmt.Sprintf("{from: [%s, %s], join: \", \"}", quote(last), quote(first)))
			}
		case c.Kind == schema.Text && strings.HasSuffix(c.Name, "Address"):
			p.address(f, o, c)
		case !o.has(c) && c.Kind == schema.Decimal && isTotal(c):
			price, quantity := o.from("unitprice", "price", "rate"), o.from("quantity", "units", "qty")
			if price != "" && quantity != "" {
				p.line(o, c, price+" × "+quantity, 0.75, "a price and a quantity are there", fmt.Sprintf("{product: [%s, %s]}", quote(price), quote(quantity)))
			}
		case !o.has(c) && c.Kind == schema.Text && f.key != nil && isNumber(o.table, c):
			p.line(o, c, f.key.header, 0.6, "nothing else numbers them", "")
		}
	}
}

// from is the header that feeds the first of some columns that an output has, by their normalised names.
func (o *output) from(columns ...string) string {
	for _, l := range o.lines {
		if slices.Contains(columns, schema.NormalizeName(l.Column)) && !strings.Contains(l.yaml, "{") {
			return l.From
		}
	}
	return ""
}

func isWholeName(c *schema.Column) bool {
	n := schema.NormalizeName(c.Name)
	return c.Kind == schema.Text && (n == "sortname" || n == "fullname" || n == "displayname")
}

func isTotal(c *schema.Column) bool {
	n := schema.NormalizeName(c.Name)
	return n == "total" || n == "amount" || n == "linetotal"
}

// isNumber tells a column of numbers that people know the rows by.
func isNumber(t *schema.Table, c *schema.Column) bool {
	return schema.NormalizeName(c.Name) == "number" || schema.NormalizeName(c.Name) == schema.NormalizeName(t.Name)+"number"
}

// address puts the parts of an address together where the file has them one by one and the table has one column.
func (p *proposer) address(f *file, o *output, c *schema.Column) {
	words := expand(mapping.NameWords(c.Name))
	prefix := words[:len(words)-1]
	parts := map[string]string{}
	order := []string{"address", "street", "line", "city", "town", "state", "region", "county", "post", "postcode", "country"}
	for _, col := range f.columns {
		w := expand(col.words)
		if len(w) <= len(prefix) || !slices.Equal(w[:len(prefix)], prefix) {
			continue
		}
		if part := w[len(prefix)]; slices.Contains(order, part) && parts[part] == "" {
			parts[part] = col.header
		}
	}
	if len(parts) < 3 {
		return
	}
	var headers, quoted []string
	for _, part := range order {
		if h := parts[part]; h != "" {
			headers, quoted = append(headers, h), append(quoted, quote(h))
		}
	}
	for _, col := range f.columns {
		if slices.Contains(headers, col.header) {
			col.used = true
		}
	}
	o.lines = slices.DeleteFunc(o.lines, func(l Line) bool { return l.Column == c.Name })
	p.line(o, c, strings.Join(headers, ", "), 0.88, "the parts of the address", "{from: ["+strings.Join(quoted, ", ")+`], join: ", "}`)
}

// switches are the words that say whether something is on, beside those that every column of that kind takes.
var switches = map[string]bool{
	"active": true, "inactive": false, "enabled": true, "disabled": false, "current": true, "former": false, "open": true, "closed": false,
	"ja": true, "nein": false, "oui": true, "non": false, "si": true, "sí": true,
}

// switched is the translation of a column's values into true and false, where all of them are such words.
func switched(c *column) string {
	var pairs []string
	for _, v := range slices.Sorted(maps.Keys(c.set)) {
		on, ok := switches[strings.ToLower(v)]
		if !ok {
			return ""
		}
		pairs = append(pairs, fmt.Sprintf("%s: %t", quote(v), on))
	}
	if len(pairs) == 0 || len(pairs) > 4 {
		return ""
	}
	return "{from: " + quote(c.header) + ", map: {" + strings.Join(pairs, ", ") + "}}"
}

// missing asks about required columns that nothing feeds.
func (p *proposer) missing(f *file, o *output) {
	for _, c := range o.table.Columns {
		if !c.Required || o.has(c) {
			continue
		}
		if c == o.table.Key {
			continue // it was asked already
		}
		q := Question{File: f.path, Table: o.table.Name, Column: c.Name, Text: "it is required, and no header is like it: name one, or give a constant or an expr"}
		if c.Enum != nil && len(c.Enum.Values) > 0 {
			guess, sure := c.Enum.Values[0].Name, 0.5
			for _, m := range c.Enum.Values { // "Students.csv": role student
				if slices.Contains(o.words(f), strings.ToLower(m.Name)) {
					guess, sure = m.Name, 0.92
				}
			}
			p.line(o, c, guess, sure, "the file's name says so", "{constant: "+quote(guess)+"}")
			if sure >= Confident {
				continue
			}
			o.lines[len(o.lines)-1].Reason = "it is required, and this is its first value"
			q.Text = "which " + c.Enum.Name + " are they? " + guess + " is only its first value"
		}
		p.ask(q)
	}
}

// words are those of a file's name, or of the header that its rows name something by.
func (o *output) words(f *file) []string {
	if o.key != nil {
		return expand(o.key.words)
	}
	return expand(f.stem)
}

// left asks about headers that nothing uses.
func (p *proposer) left(f *file) {
	for _, c := range f.columns {
		if !c.used && c.filled > 0 {
			p.ask(Question{File: f.path, Header: c.header, Text: "nothing uses it: is it meant for anything?"})
		}
	}
}
