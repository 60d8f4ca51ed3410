package suggest

import (
	"slices"
	"strings"

	"dropline/mapping"
	"dropline/schema"
)

// names compares names of files and headers with those of tables and columns.
type names struct {
	tables  map[*schema.Table][]string // by any name, as words put together
	columns map[*schema.Column][]named
}

// named is a name of a column and how sure it is.
type named struct {
	folded string
	words  []string
	sure   float64
	why    string
}

func newNames(s *schema.Schema) *names {
	n := &names{tables: map[*schema.Table][]string{}, columns: map[*schema.Column][]named{}}
	for _, t := range s.Tables {
		n.tables[t] = t.MatchNames()
		for _, name := range t.Synonyms {
			n.tables[t] = append(n.tables[t], schema.NormalizeName(name))
		}
		for _, c := range t.Columns {
			add := func(name string, sure float64, why string) {
				n.columns[c] = append(n.columns[c], named{schema.NormalizeName(name), expand(mapping.NameWords(name)), sure, why})
			}
			add(c.Name, 0.98, "the same name")
			for _, a := range c.Aliases {
				add(a, 0.96, "the schema knows it by that name")
			}
			for _, a := range c.Synonyms {
				add(a, 0.93, "other systems call it so")
			}
		}
	}
	return n
}

// abbreviations are words as headers shorten them.
var abbreviations = map[string]string{
	"no": "number", "nr": "number", "num": "number", "nbr": "number", "addr": "address", "qty": "quantity", "amt": "amount", "desc": "description",
	"tel": "phone", "telephone": "phone", "mob": "mobile", "cust": "customer", "emp": "employee", "inv": "invoice", "acct": "account", "dept": "department",
	"org": "organisation", "organization": "organisation", "dob": "birthdate", "fname": "firstname", "lname": "lastname", "zip": "postcode", "zipcode": "postcode",
	"postal": "post", "cd": "code", "dt": "date", "ref": "reference", "mgr": "manager", "st": "street", "ident": "id", "identifier": "id", "stud": "student",
	"tchr": "teacher", "sch": "school",
}

// expand writes abbreviations out, and puts plurals into the singular.
func expand(words []string) []string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		if full, ok := abbreviations[w]; ok {
			w = full
		}
		out = append(out, singular(w))
	}
	return out
}

func singular(w string) string {
	switch {
	case len(w) > 4 && strings.HasSuffix(w, "ies"):
		return w[:len(w)-3] + "y"
	case len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") && !strings.HasSuffix(w, "us") && !strings.HasSuffix(w, "is"):
		return w[:len(w)-1]
	}
	return w
}

// tableScore says how far a file's name means a table.
func (n *names) tableScore(f *file, t *schema.Table) float64 {
	whole := strings.Join(f.stem, "")
	single := strings.Join(expand(f.stem), "")
	best := 0.0
	for i, name := range n.tables[t] {
		sure := 1.0
		if i >= len(n.tables[t])-len(t.Synonyms) {
			sure = 0.92
		}
		switch {
		case name == whole || name == single || singular(name) == single:
			best = max(best, sure)
		case len(name) > 3 && (strings.HasSuffix(single, singular(name)) || strings.HasPrefix(single, singular(name))):
			best = max(best, sure*0.8)
		}
	}
	return best
}

// columnScore says how far a header means a column, and why.
func (n *names) columnScore(f *file, c *column, t *schema.Table, target *schema.Column) (float64, string) {
	best, why := 0.0, ""
	words := expand(c.words)
	short := withoutPrefix(words, f, t)
	for _, name := range n.columns[target] {
		sure, reason := 0.0, name.why
		switch {
		case c.folded == name.folded:
			sure = name.sure
		case slices.Equal(words, name.words) || strings.Join(words, "") == strings.Join(name.words, ""):
			sure, reason = name.sure-0.02, "the same name, abbreviated"
		case len(short) < len(words) && len(short) > 0 && strings.Join(short, "") == strings.Join(name.words, ""):
			sure, reason = name.sure-0.03, "the same name, but for the table's before it"
		default:
			sure, reason = overlap(words, name.words)*0.7, "some of its words"
		}
		if sure > best {
			best, why = sure, reason
		}
	}
	return best, why
}

// withoutPrefix takes the table's or the file's name off the beginning of a header: CustomerFirstName, of customers.
func withoutPrefix(words []string, f *file, t *schema.Table) []string {
	for _, prefix := range [][]string{expand(f.stem), expand(mapping.NameWords(t.Name))} {
		if len(prefix) > 0 && len(words) > len(prefix) && slices.Equal(words[:len(prefix)], prefix) {
			return words[len(prefix):]
		}
	}
	return words
}

// overlap is the share of words that two names have in common.
func overlap(a, b []string) float64 {
	common := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			common++
		}
	}
	all := len(a) + len(b) - common
	if all == 0 {
		return 0
	}
	return float64(common) / float64(all)
}

// keyOf is the column by which a file's rows are told apart; nil where there is none.
func keyOf(f *file, n *names) *column {
	var best *column
	bestScore := 0.0
	for i, c := range f.columns {
		if !c.unique || c.filled == 0 {
			continue
		}
		words := expand(c.words)
		last := words[len(words)-1]
		score := 0.0
		rest := strings.Join(words[:len(words)-1], "")
		stem := strings.Join(expand(f.stem), "")
		isID := last == "id" || last == "number" || last == "code" || last == "key" || last == "guid" || last == "uuid"
		switch {
		case c.folded == "importid" || c.folded == "sourcedid":
			score = 1
		case isID && (rest == "" || rest == stem || rest != "" && strings.HasPrefix(stem, rest) || rest == "sis" || rest == "record" || rest == "row"):
			score = 0.95
		case isID && f.main != nil && slices.ContainsFunc(n.tables[f.main], func(name string) bool { return singular(name) == rest }):
			score = 0.94
		case isID && i == 0 && len(f.columns) > 3:
			score = 0.6
		case isID:
		case i == 0:
			score = 0.6
		}
		if last == "id" {
			score += 0.01
		}
		if score > bestScore {
			best, bestScore = c, score
		}
	}
	if bestScore < 0.55 {
		return nil
	}
	best.keyed(bestScore)
	return best
}

func (c *column) keyed(score float64) { c.sure = min(score, 0.97) }
