package mapping

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	celparser "cel.dev/cel-go/parser"
	"gopkg.in/yaml.v3"

	"dropline/ingest"
	"dropline/schema"
)

// Bounds of a lookup table. It is held in memory while files are read.
const (
	maxLookups       = 50
	maxLookupEntries = 500_000
	maxLookupBytes   = 32 << 20 // of all keys and values
)

// lookup is a table of values by keys that a mapping has, or a file that it names.
type lookup struct {
	name   string
	values map[string]string // written in the mapping; keys in lower case
	file   string            // pattern of the file; "" where the values are written in the mapping
	key    string            // header of the keys
	value  string            // header of the values
}

// lookups reads the mapping's lookup tables.
func (p *parser) lookups(n *yaml.Node, m *Mapping) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode || len(n.Content) > 2*maxLookups {
		p.fault(n, "lookups must be a mapping from at most %d names to tables of values", maxLookups)
		return
	}
	m.lookups = map[string]*lookup{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name := p.text(key, "the name of a lookup")
		if m.lookups[name] != nil || name == "" {
			p.fault(key, "the lookup %q is given twice, or has no name", brief(name))
			continue
		}
		m.lookups[name] = p.lookup(name, n.Content[i+1])
	}
	p.tables = m.lookups
}

func (p *parser) lookup(name string, n *yaml.Node) *lookup {
	l := &lookup{name: name}
	f := p.fields(n, "lookup "+brief(name), "values", "file", "key", "value")
	if (f["values"] == nil) == (f["file"] == nil) {
		p.fault(n, "lookup %s needs either values or a file with key and value", brief(name))
		return l
	}
	if v := f["values"]; v != nil {
		if v.Kind != yaml.MappingNode {
			p.fault(v, "values must be a mapping from keys to values")
			return l
		}
		l.values = map[string]string{}
		for i := 0; i+1 < len(v.Content); i += 2 {
			folded := foldKey(v.Content[i].Value)
			if _, there := l.values[folded]; there {
				p.fault(v.Content[i], "%q is given twice: case does not matter", brief(v.Content[i].Value))
			}
			l.values[folded] = p.text(v.Content[i+1], "a value")
		}
		return l
	}
	l.file = strings.ToLower(p.text(f["file"], "file"))
	p.pattern(f["file"], l.file)
	l.key, l.value = p.text(f["key"], "key"), p.text(f["value"], "value")
	if l.key == "" || l.value == "" {
		p.fault(n, "lookup %s needs key and value, the headers of its file", brief(name))
	}
	return l
}

func foldKey(key string) string { return string(lowerInto(nil, trimSpace([]byte(key)))) }

// LookupFiles are the patterns of files that the mapping looks values up in. They are tables' files only if IsTable says so.
func (m *Mapper) LookupFiles() []string {
	if m.mapping == nil {
		return nil
	}
	var files []string
	for _, l := range m.mapping.lookups {
		if l.file != "" && !slices.Contains(files, l.file) {
			files = append(files, l.file)
		}
	}
	slices.Sort(files)
	return files
}

// IsTable reports whether an item of the mapping's files is of a file: one that values are looked up in may be a table's as well.
func (m *Mapper) IsTable(file string) bool { return m.mapping.ruleFor(file) != nil }

// IsLookup reports whether a file is one that the mapping looks values up in.
func (m *Mapper) IsLookup(file string) bool {
	file = strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(file, inboxPrefix), "/"))
	return slices.ContainsFunc(m.LookupFiles(), func(pattern string) bool { return matchPath(pattern, file) })
}

// lookupTables are a mapping's lookup tables, read. It is a value of CEL so that expressions can be given it.
type lookupTables struct{ tables map[string]map[string]string }

// readLookups reads what the mapping looks values up in.
func readLookups(m *Mapping, o Options) (*lookupTables, error) {
	t := &lookupTables{tables: map[string]map[string]string{}}
	if m == nil {
		return t, nil
	}
	room := maxLookupBytes
	for _, l := range m.lookups {
		if l.file == "" {
			t.tables[l.name] = l.values
			continue
		}
		if o.Lookup == nil {
			return nil, &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: fmt.Sprintf("the lookup %s needs the file %s", l.name, l.file)}
		}
		values, err := l.read(o, &room)
		if err != nil {
			return nil, err
		}
		t.tables[l.name] = values
	}
	return t, nil
}

func (l *lookup) read(o Options, room *int) (values map[string]string, err error) {
	text, err := o.Lookup(l.file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, text.Close()) }()
	wrong := func(format string, args ...any) error {
		return &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: fmt.Sprintf("the lookup "+l.name+", of the file "+l.file+": "+format, args...)}
	}
	rows := csv.NewReader(io.LimitReader(text, maxLookupBytes*2))
	rows.FieldsPerRecord, rows.ReuseRecord, rows.LazyQuotes = -1, true, true
	header, err := rows.Read()
	if err != nil {
		return nil, wrong("it has no header")
	}
	if len(header) == 1 && strings.Contains(header[0], ";") {
		return nil, wrong("its fields must be separated by commas")
	}
	key, value := -1, -1
	for i, h := range header {
		switch h = strings.TrimPrefix(h, "\uFEFF"); schema.NormalizeName(h) {
		case schema.NormalizeName(l.key):
			key = i
		case schema.NormalizeName(l.value):
			value = i
		}
	}
	if key < 0 || value < 0 {
		return nil, wrong("it lacks the header %q or %q; it has %s", l.key, l.value, strings.Join(header, ", "))
	}
	values = map[string]string{}
	for {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, wrong("%v", err)
		}
		if key >= len(record) || value >= len(record) {
			continue
		}
		line, _ := rows.FieldPos(key)
		folded := foldKey(record[key])
		if other, there := values[folded]; there && other != record[value] {
			return nil, wrong("line %d has another value for %q", line, brief(folded))
		}
		if *room -= len(folded) + len(record[value]); *room < 0 || len(values) == maxLookupEntries {
			return nil, wrong("it is too large: at most %d entries and %d MB for all lookups", maxLookupEntries, maxLookupBytes>>20)
		}
		values[folded] = strings.TrimSpace(record[value])
	}
}

var lookupsType = cel.OpaqueType("dropline.Lookups")

// lookupFunctions make lookup("name", key) and lookup("name", key, otherwise). The tables, which are the file's reader's and not the
// mapping's, are handed over as a value.
func (p *parser) lookupFunctions() []cel.EnvOption {
	s := cel.StringType
	return []cel.EnvOption{
		cel.Function("@lookup", cel.Overload("lookup_tables", []*cel.Type{lookupsType, s, s}, s, cel.FunctionBinding(lookUp)),
			cel.Overload("lookup_tables_otherwise", []*cel.Type{lookupsType, s, s, s}, s, cel.FunctionBinding(lookUp))),
		cel.Macros(cel.GlobalMacro("lookup", 2, p.expandLookup), cel.GlobalMacro("lookup", 3, p.expandLookup)),
	}
}

func (p *parser) expandLookup(h celparser.ExprHelper, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
	name, ok := types.String(""), false
	if args[0].Kind() == ast.LiteralKind {
		name, ok = args[0].AsLiteral().(types.String)
	}
	if !ok {
		return nil, h.NewError(args[0].ID(), "the name of a lookup must be a text, such as \"countries\"")
	}
	if p.tables[string(name)] == nil {
		return nil, h.NewError(args[0].ID(), fmt.Sprintf("the mapping has no lookup %q", brief(string(name))))
	}
	return h.NewCall("@lookup", append([]ast.Expr{h.NewIdent(lookupsVariable)}, args...)...), nil
}

func lookUp(args ...ref.Val) ref.Val {
	t, name, key := args[0].(*lookupTables), string(args[1].(types.String)), string(args[2].(types.String))
	if value, ok := t.tables[name][foldKey(key)]; ok {
		return types.String(value)
	}
	if len(args) > 3 {
		return args[3]
	}
	return types.NewErr("the lookup %s has nothing for %q", name, brief(key))
}

// ConvertToNative implements ref.Val.
func (t *lookupTables) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("lookups cannot become a %s", to)
}

// ConvertToType implements ref.Val.
func (t *lookupTables) ConvertToType(to ref.Type) ref.Val {
	return types.NewErr("lookups cannot become a %s", to.TypeName())
}

// Equal implements ref.Val.
func (t *lookupTables) Equal(other ref.Val) ref.Val { return types.Bool(t == other) }

// Type implements ref.Val.
func (t *lookupTables) Type() ref.Type { return lookupsType }

// Value implements ref.Val.
func (t *lookupTables) Value() any { return t }
