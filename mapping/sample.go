package mapping

import (
	"io"
	"strings"
	"time"

	"dropline/ingest"
	"dropline/mapping/detect"
	"dropline/schema"
)

// Sample is the beginning of a file of which nobody knows yet to which table it belongs.
type Sample struct {
	Header []string   // nil where the file has none
	Rows   [][]string // values, trimmed; of records with as many fields as most
	Notes  []string   // on how the file is written
	Whole  bool       // the rows are all of the file
}

// ReadSample reads the beginning of a file: at most detect.HeadBytes, and so many rows. The error is a *ingest.FileRefusal if it is no
// table of texts, and otherwise r's own.
func (m *Mapper) ReadSample(f File, r io.Reader, rows int) (*Sample, error) {
	reader := &Reader{mapper: m, bytes: &counter{source: io.LimitReader(r, detect.HeadBytes)}, names: m.anyName()}
	d, err := reader.look(nil, f.Exact)
	if err != nil {
		return nil, err
	}
	reader.convert = newConverter(m.schema, time.UTC)
	header, err := reader.readHeader(d)
	if err != nil {
		return nil, err
	}
	s := &Sample{Notes: reader.notes, Whole: reader.whole}
	if d.header {
		s.Header = header
	}
	pending := reader.pending
	for len(s.Rows) < rows {
		o := scannedRecord
		if !pending {
			o = reader.scan.next()
		}
		pending = false
		if o == scannedEnd {
			return s, nil
		}
		if o != scannedRecord || reader.isBlank() || reader.scan.count < len(header)-1 || reader.scan.count > len(header)+1 {
			continue
		}
		row := make([]string, len(header))
		text := reader.scan.bytes()
		for i := range row {
			if i < reader.scan.count && i < len(reader.scan.fields) {
				reader.convert.arena = reader.convert.arena[:0]
				row[i] = strings.ToValidUTF8(string(trimSpace(reader.text(text, &reader.scan.fields[i], &reader.convert.arena))), "\uFFFD")
			}
		}
		s.Rows = append(s.Rows, row)
	}
	s.Whole = false
	return s, nil
}

// anyName tells the names of any of the schema's columns.
func (m *Mapper) anyName() func([]byte) bool {
	names := map[string]bool{}
	for _, t := range m.schema.Tables {
		for _, c := range t.Columns {
			for _, name := range c.MatchNames() {
				names[name] = true
			}
			for _, name := range c.Synonyms {
				names[schema.NormalizeName(name)] = true
			}
		}
	}
	delete(names, "")
	return func(cell []byte) bool {
		const longest = 200
		return len(cell) <= longest && names[schema.NormalizeName(string(cell))]
	}
}

// Fit is the share of values, of those that are there, that a column would take in some form that files may have. -1 where there are
// none.
func (m *Mapper) Fit(t *schema.Table, c *schema.Column, values []string) float64 {
	g := newTarget(t, c)
	convert := newConverter(m.schema, time.UTC)
	comma := numberSyntax{decimal: ',', group: '.', round: true}
	point := defaultNumber
	point.round = true
	all, fit := 0, 0
	for _, v := range values {
		if v == "" {
			continue
		}
		all++
		var value ingest.Value
		convert.arena = convert.arena[:0]
		switch c.Kind {
		case schema.Date, schema.Timestamp:
			_, ok := shapeOf(v)
			if ok || isEvidentSerial([]byte(v)) || convert.convert(&g, []byte(v), &value) == "" {
				fit++
			}
		case schema.Decimal, schema.Integer, schema.BigInt:
			for _, syntax := range []*numberSyntax{&point, &comma} {
				g.number = syntax
				if c.Kind == schema.Decimal {
					syntax.round = true
				} else {
					syntax.round = false
				}
				if convert.convert(&g, []byte(v), &value) == "" {
					fit++
					break
				}
			}
		default:
			if convert.convert(&g, []byte(v), &value) == "" {
				fit++
			}
		}
	}
	if all == 0 {
		return -1
	}
	return float64(fit) / float64(all)
}

// TablesNamed are the tables for which the words of a file's name stand.
func (m *Mapper) TablesNamed(file string) []*schema.Table { return tablesFor(m.schema, file) }

// Stem is a file's name without its folder and its extensions.
func Stem(file string) string { return stem(file) }

// NameWords are the words of a name, in lower case: they begin with a capital, or after what is neither letter nor digit.
func NameWords(name string) []string { return nameWords(name) }
