package mapping

import (
	"fmt"
	"strings"

	"dropline/ingest"
)

func (p *planner) missingColumns() *ingest.FileRefusal {
	what := "column"
	if len(p.missing) > 1 {
		what = "columns"
	}
	remedy := "add to its header what is missing, or say in the mapping which headers to take"
	if p.from != ofFile {
		remedy = "say in the mapping's database which of its columns to take, or read it by a query that has them"
	}
	message := fmt.Sprintf("the %s lacks the required %s %s of %s: %s; the %s has %s",
		p.from.noun(), what, strings.Join(p.missing, ", "), p.table.Name, remedy, p.from.noun(), p.headerSays())
	return &ingest.FileRefusal{Code: ingest.CodeMissingColumn, Columns: p.missing, Message: message}
}

func (p *planner) headerSays() string {
	if p.from != ofFile {
		return relationSays(p.header)
	}
	const most = 30
	if rest, ok := strings.CutPrefix(strings.ToLower(strings.Join(p.header, ",")), "sep="); ok {
		delimiter := "tab" // which was taken for white space
		if rest != "" {
			delimiter = rest[:1]
		}
		return fmt.Sprintf("%q, a note for Excel: set skip_lines: 1 and delimiter: %q in the mapping, or leave that line out", "sep="+rest, delimiter)
	}
	if strings.Trim(strings.Join(p.header, ""), " ") == "" {
		return "no names at all there"
	}
	if len(p.header) == 1 && strings.ContainsAny(p.header[0], ";\t|") {
		return fmt.Sprintf("a single one, %q: if another character than the comma separates its fields, set delimiter in the mapping", brief(p.header[0]))
	}
	if len(p.header) <= most {
		return strings.Join(p.header, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(p.header[:most], ", "), len(p.header)-most)
}

// relationSays names the columns of a relation, whose names are a server's.
func relationSays(header []string) string {
	const most = 30
	if len(header) == 0 {
		return "none"
	}
	names := make([]string, 0, most)
	for _, h := range header[:min(len(header), most)] {
		names = append(names, shown(h))
	}
	says := strings.Join(names, ", ")
	if len(header) > most {
		says += fmt.Sprintf(" and %d more", len(header)-most)
	}
	return says
}
