package mapping

import (
	"path"
	"strings"

	"dropline/schema"
)

// Mapping says how files and relations of a database become rows where their names and headers do not say it themselves. It is read from a mapping
// file, whose format is described in docs/mapping.md. It is immutable and safe for concurrent use.
type Mapping struct {
	schema  *schema.Schema
	rules   []*rule
	entries []*entry  // of relations of a database
	skips   []skipped // relations that are not to be read
	lookups map[string]*lookup
}

// rule is what a mapping says about the files of some patterns.
type rule struct {
	line     int
	patterns []string      // in lower case
	table    *schema.Table // nil: by the file's name
	dialect  dialect
	only     bool     // columns not named have no value, whatever the headers
	nulls    []string // texts that mean an absent value, in every column
	columns  map[*schema.Column]*columnRule
	distinct bool        // rows that come again are left out
	where    *expression // rows for which it does not hold are left out; nil: none
	split    *splitRule  // of records into rows; nil: one each
	outputs  []*rule     // the tables that the files feed, where they are named one by one
}

// output is the rule for one of the tables that a file feeds, from 1; 0 is the first.
func (r *rule) output(n int) *rule {
	if r == nil || len(r.outputs) == 0 {
		return r
	}
	return r.outputs[min(max(n, 1), len(r.outputs))-1]
}

// dialect is how a file is written.
type dialect struct {
	encoding  charEncoding
	delimiter string
	quote     byte // '\n' where nothing quotes
	escape    byte // 0 where a quote within quotes is doubled
	header    bool
	skipLines int
	keep      bool // headers that come again and what stands below the table are rows
	ragged    ragged
	given     given
}

// given says what of a dialect a mapping sets. The rest is found out from the file.
type given struct{ encoding, delimiter, quote, escape, header, skipLines bool }

func defaultDialect() dialect {
	e, _ := encodingNamed("utf-8")
	return dialect{encoding: e, delimiter: ",", quote: '"', header: true}
}

// combination says how the headers of a column make its value.
type combination uint8

const (
	firstPresent combination = iota // the first of them that the file has
	joined
	multiplied
	fixed    // no header: a constant
	computed // by an expression
	hashed   // a digest of them
)

// trimming says which ends of a value lose their white space.
type trimming uint8

const (
	trimBoth trimming = iota
	trimLeft
	trimRight
	trimNone
)

// letterCase says what becomes of a value's letters.
type letterCase uint8

const (
	caseKept letterCase = iota
	caseLower
	caseUpper
)

// literal is a value that a mapping writes itself. It is converted as the default forms have it, and is final: neither
// trimmed nor prefixed.
type literal struct {
	text   string
	absent bool
	line   int
}

// columnRule is what a mapping says about one column.
type columnRule struct {
	line      int
	headers   []string
	combine   combination
	separator string      // joined
	constant  *literal    // fixed
	expr      *expression // computed
	lookup    string      // name of the table in which the value is looked up; "" for none
	fallback  *literal    // where the value is absent
	values    map[string]*literal
	otherwise *literal // for values that are not in values
	keep      bool     // values that are not in values stay as they are
	layouts   []*layout
	number    *numberSyntax
	trim      trimming
	letters   letterCase
	nulls     []string
	prefix    string
}

// inboxPrefix begins the path of a delivered file. Patterns are of what follows it.
const inboxPrefix = "/inbox/"

// ruleFor returns the first rule with a pattern for the file, or nil.
func (m *Mapping) ruleFor(file string) *rule {
	if m == nil {
		return nil
	}
	file = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(file, inboxPrefix), "/"))
	for _, r := range m.rules {
		for _, p := range r.patterns {
			if matchPath(p, file) {
				return r
			}
		}
	}
	return nil
}

// MatchFile reports whether a file's path below the inbox is one of a pattern's, whatever the case of either.
func MatchFile(pattern, file string) bool {
	return matchPath(strings.ToLower(pattern), strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(file, inboxPrefix), "/")))
}

// matchPath matches a pattern against a path below the inbox. A pattern without a slash is of the file's name, in any
// folder; "**" stands for any number of folders.
func matchPath(pattern, file string) bool {
	pattern = strings.TrimPrefix(pattern, "/")
	if !strings.Contains(pattern, "/") {
		ok, _ := path.Match(pattern, path.Base(file))
		return ok
	}
	return matchSegments(strings.Split(pattern, "/"), strings.Split(file, "/"))
}

func matchSegments(pattern, file []string) bool {
	for len(pattern) > 0 {
		if pattern[0] == "**" {
			for i := range len(file) + 1 {
				if matchSegments(pattern[1:], file[i:]) {
					return true
				}
			}
			return false
		}
		if len(file) == 0 {
			return false
		}
		if ok, _ := path.Match(pattern[0], file[0]); !ok {
			return false
		}
		pattern, file = pattern[1:], file[1:]
	}
	return len(file) == 0
}
