package mapping

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode"

	"dropline/schema"
)

// tableNamed finds a table by any of its names, however they are written.
func tableNamed(s *schema.Schema, name string) *schema.Table {
	folded := schema.NormalizeName(name)
	for _, t := range s.Tables {
		if slices.Contains(t.MatchNames(), folded) {
			return t
		}
	}
	return nil
}

// columnNamed finds a column by its published or SQL name, however it is written. Aliases are for headers.
func columnNamed(t *schema.Table, name string) *schema.Column {
	folded := schema.NormalizeName(name)
	for _, c := range t.Columns {
		if schema.NormalizeName(c.Name) == folded || schema.NormalizeName(c.SQLName) == folded {
			return c
		}
	}
	return nil
}

// candidate is a table that a part of a file's name stands for.
type candidate struct {
	table      *schema.Table
	from, till int // words
}

// tablesFor finds the tables for which a file's name stands: those of whose names it has the words one after another,
// unless they are part of a longer name that it has too. "InvoiceLines" is InvoiceLine, not Invoice.
func tablesFor(s *schema.Schema, file string) []*schema.Table {
	return newTableNames(s).find(stem(file))
}

// tableNames finds the tables of a schema by their names, normalised.
type tableNames struct {
	tables  map[string]*schema.Table
	longest int // bytes of a name
}

func newTableNames(s *schema.Schema) *tableNames {
	n := &tableNames{tables: map[string]*schema.Table{}}
	for _, t := range s.Tables {
		for _, name := range t.MatchNames() {
			n.tables[name] = t
			n.longest = max(n.longest, len(name))
		}
	}
	return n
}

// find finds the tables for which the words of a name stand.
func (n *tableNames) find(name string) []*schema.Table {
	words := nameWords(name)
	var found []candidate
	for from := range words {
		run := ""
		for till := from; till < len(words) && len(run) <= n.longest; till++ {
			run += words[till]
			if t := n.tables[run]; t != nil {
				found = append(found, candidate{table: t, from: from, till: till})
			}
		}
	}
	var out []*schema.Table
	for _, c := range found {
		within := func(o candidate) bool { return o != c && o.from <= c.from && o.till >= c.till }
		if !slices.ContainsFunc(found, within) && !slices.Contains(out, c.table) {
			out = append(out, c.table)
		}
	}
	return out
}

// stem is a file's name without its folder and its extensions.
func stem(file string) string {
	const extensions = " csv tsv tab txt dat psv asc pgp gpg gz zst bz2 xz zip xlsx xlsm bak "
	name := path.Base(strings.ReplaceAll(file, `\`, "/"))
	for {
		ext := path.Ext(name)
		if len(ext) < 2 || ext == name || !strings.Contains(extensions, " "+strings.ToLower(ext[1:])+" ") {
			return name
		}
		name = strings.TrimSuffix(name, ext)
	}
}

// maxWords bounds the words of a file's name that are looked at; its length is bounded where it is received.
const maxWords = 64

// nameWords splits a name into words in lower case: at what is neither a letter nor a digit, between letters and digits,
// and before a capital that begins a word.
func nameWords(name string) []string {
	runes := []rune(name)
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 && len(words) < maxWords {
			words = append(words, schema.NormalizeName(string(word)))
		}
		word = word[:0]
	}
	for i, r := range runes {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			end()
			continue
		}
		if i > 0 {
			last := runes[i-1]
			capital := unicode.IsUpper(r) &&
				(unicode.IsLower(last) || unicode.IsUpper(last) && i+1 < len(runes) && unicode.IsLower(runes[i+1]))
			if capital || unicode.IsDigit(r) != unicode.IsDigit(last) {
				end()
			}
		}
		word = append(word, r)
	}
	end()
	return words
}

// nearTables returns the tables whose names are most like that of a file.
func nearTables(s *schema.Schema, name string) []string {
	folded := withoutDigits(schema.NormalizeName(stem(name)))
	return nearest(folded, func(yield func(published, name string)) {
		for _, t := range s.Tables {
			for _, n := range t.MatchNames() {
				yield(t.Name, n)
			}
		}
	})
}

// nearColumns returns the columns whose names are most like name.
func nearColumns(t *schema.Table, name string) []string {
	return nearest(schema.NormalizeName(name), func(yield func(published, name string)) {
		for _, c := range t.Columns {
			for _, n := range c.MatchNames() {
				yield(c.Name, n)
			}
		}
	})
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, s)
}

const (
	maxSuggestions = 3
	maxCompared    = 64 // characters of a name; longer ones are like nothing
)

// nearest returns, best first, the published names of which one is at most a third of its length away from name.
func nearest(name string, each func(yield func(published, name string))) []string {
	best := map[string]int{}
	each(func(published, other string) {
		if len(name) > maxCompared || name == "" {
			return
		}
		d := schema.EditDistance(name, other)
		if d > max(1, len(other)/3) {
			return
		}
		if old, ok := best[published]; !ok || d < old {
			best[published] = d
		}
	})
	out := make([]string, 0, len(best))
	for published := range best {
		out = append(out, published)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(best[a], best[b]), strings.Compare(a, b)) })
	return out[:min(len(out), maxSuggestions)]
}

// brief shortens what a file says for use in a message.
func brief(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most]) + "…"
}
