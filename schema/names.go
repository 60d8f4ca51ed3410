package schema

import (
	"strings"
	"unicode"
)

// NormalizeName folds a header or the stem of a file name for matching: lower case, letters and digits only. "Fee Earner",
// "fee_earner" and "FEE-EARNER" are the same name.
func NormalizeName(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// MatchNames returns every normalised name by which a file may be known as the table's: the singular and plural of its
// name, then its aliases, without repeats. No two tables of a schema share one.
func (t *Table) MatchNames() []string {
	return distinctNames(append([]string{t.Name, t.Plural, t.File}, t.Aliases...))
}

// MatchNames returns every normalised name by which a header may be known as the column's: its name, then its aliases,
// without repeats. No two columns of a table share one.
func (c *Column) MatchNames() []string {
	return distinctNames(append([]string{c.Name, c.SQLName}, c.Aliases...))
}

func distinctNames(names []string) []string {
	out := make([]string, 0, len(names))
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if n := NormalizeName(name); n != "" && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// plural is the English plural of a PascalCase name; what it gets wrong a definition says itself with "plural".
func plural(name string) string {
	switch {
	case hasAnySuffix(name, "s", "x", "z", "ch", "sh"):
		return name + "es"
	case strings.HasSuffix(name, "y") && !hasAnySuffix(name, "ay", "ey", "iy", "oy", "uy"):
		return strings.TrimSuffix(name, "y") + "ies"
	default:
		return name + "s"
	}
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}

// snakeCase turns a PascalCase name into a PostgreSQL one: "WorkItem" into "work_item", "BankBSB" into "bank_bsb".
func snakeCase(name string) string {
	var b strings.Builder
	for i := range len(name) {
		c := name[i]
		upper := isUpper(c)
		if upper && i > 0 {
			afterWord := !isUpper(name[i-1])
			startsWord := i+1 < len(name) && isLower(name[i+1])
			if afterWord || startsWord {
				b.WriteByte('_')
			}
		}
		if upper {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isPascalCase reports whether s can be the published name of a table or an enumeration.
func isPascalCase(s string) bool { return isPublished(s) && isUpper(s[0]) }

// isOpenName reports whether s can be a value of an open enumeration, or what further ones begin with.
func isOpenName(s string) bool {
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return s != "" && len(s) <= maxName && NormalizeName(s) != "" && strings.TrimSpace(s) == s
}

// isPublished reports whether s can be the published name of a column.
func isPublished(s string) bool {
	if s == "" || !isUpper(s[0]) && !isLower(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isUpper(s[i]) && !isLower(s[i]) && !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isSnakeCase reports whether s can be a PostgreSQL name, a prefix or the name of a check.
func isSnakeCase(s string) bool {
	if s == "" || !isLower(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isLower(s[i]) && !isDigit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return true
}

// EditDistance counts the bytes to change, add or drop to make b of a, by Levenshtein. It takes time in proportion to the product
// of their lengths, which the caller bounds.
func EditDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
