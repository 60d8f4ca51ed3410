package suggest

import (
	"fmt"
	"path"
	"strings"
	"unicode"
)

// finish writes the draft and decides whether it is clear.
func (p *proposer) finish() {
	out := p.out
	out.Clear = len(p.files) > 0
	var b strings.Builder
	fmt.Fprintf(&b, "# A draft: each line has its confidence, from 0 to 1, and the reason. Look at what is below %.1f, and try it on the files.\n", Confident)
	fmt.Fprintf(&b, "version: 1\nschema: %s\nfiles:\n", p.schema.ID())
	any := false
	for _, f := range p.files {
		if len(f.outputs) == 0 {
			out.Clear = false
			continue
		}
		any = true
		p.writeFile(&b, f)
	}
	for _, q := range out.Open {
		if q.Header == "" { // a header that nothing uses may be left out
			out.Clear = false
		}
	}
	if len(out.Open) > 0 {
		b.WriteString("# Open:\n")
	}
	for _, q := range out.Open {
		fmt.Fprintf(&b, "#   %s\n", oneLine(strings.Join(compact(q.File, q.Table, q.Column, q.Header), " · ")+": "+q.Text))
	}
	if any {
		out.YAML = []byte(b.String())
	}
}

func compact(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

func (p *proposer) writeFile(b *strings.Builder, f *file) {
	fmt.Fprintf(b, "  - pattern: %s\n", quote(pattern(f.path)))
	indent := "    "
	if len(f.outputs) > 1 {
		b.WriteString("    tables:\n")
	}
	for _, o := range f.outputs {
		lead := indent
		if len(f.outputs) > 1 {
			lead = "      - "
		}
		p.out.Lines = append(p.out.Lines, Line{File: f.path, Table: o.table.Name, Confidence: round(o.share), Reason: o.why})
		p.out.Clear = p.out.Clear && o.share >= Confident
		fmt.Fprintf(b, "%stable: %s # %.2f %s\n", lead, o.table.Name, o.share, oneLine(o.why))
		if len(f.outputs) > 1 {
			lead = "        "
		}
		if o.distinct {
			fmt.Fprintf(b, "%sdistinct: true\n", lead)
		}
		if o.where != "" {
			fmt.Fprintf(b, "%swhere: %s\n", lead, quote(o.where))
		}
		if len(o.split) > 0 {
			var headers []string
			for _, h := range o.split {
				headers = append(headers, quote(h))
			}
			fmt.Fprintf(b, "%ssplit: {columns: [%s]}\n", lead, strings.Join(headers, ", "))
		}
		fmt.Fprintf(b, "%sonly: true\n%scolumns:\n", lead, lead)
		for _, l := range o.lines {
			l.File = f.path
			p.out.Lines = append(p.out.Lines, l)
			fmt.Fprintf(b, "%s  %s: %s # %.2f %s\n", lead, l.Column, l.yaml, l.Confidence, oneLine(l.Reason))
			if c := o.table.Column(l.Column); c.Required && l.Confidence < Confident {
				p.out.Clear = false
			}
		}
	}
}

// pattern is what matches the file, and the next of its kind: dates and numbers at the end of its name do not matter.
func pattern(file string) string {
	base := path.Base(file)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	short := strings.TrimRightFunc(stem, func(r rune) bool { return unicode.IsDigit(r) || r == '-' || r == '_' || r == ' ' || r == '.' })
	if short == "" {
		short = stem
	}
	escaped := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(short)
	if short == stem {
		return escaped + ext
	}
	return escaped + "*" + ext
}

// oneLine is text as a comment has room for it.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\uFEFF' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, s)
}

// quote is a text in YAML: as it is where it is a plain word, else between quotes.
func quote(s string) string {
	plain := s != ""
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		later := i > 0 && (r >= '0' && r <= '9' || r == '_')
		first := i == 0 && r == '$'
		plain = plain && (letter || later || first)
	}
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		plain = false
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\uFEFF':
			if r > 0xFFFF {
				fmt.Fprintf(&b, `\U%08X`, r)
			} else {
				fmt.Fprintf(&b, `\u%04X`, r)
			}
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
