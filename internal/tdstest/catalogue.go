package tdstest

import "strings"

// catalogueView describes a view of the catalogue: its columns, as "name type, …", and its rows.
type catalogueView struct {
	schema, name, columns string
	rows                  func(s *Server, st *state) [][]any
	own                   func(c *session) [][]any // instead, for what differs between sessions
}

// newCatalogue makes the definitions of the catalogue's views. A type followed by ! is NOT NULL.
func newCatalogue(db *collation) []*definition {
	var out []*definition
	for i, v := range catalogueViews() {
		d := &definition{schema: v.schema, name: v.name, id: -int64(i) - 100, view: true, version: -1, catalogue: true}
		for _, c := range strings.Split(v.columns, ";") {
			name, text, _ := strings.Cut(strings.TrimSpace(c), " ")
			bare := strings.TrimSuffix(text, "!")
			t, err := parseType(bare, db)
			if err != nil {
				t = textType(128)
			}
			d.cols = append(d.cols, resultColumn{name: name, typ: t, nullable: bare == text, notNull: bare != text, base: true, table: []string{v.schema, v.name}})
		}
		rows := v.rows
		d.build = func(c *session, st *state) [][]any { return rows(c.server, st) }
		if v.own != nil {
			d.build = func(c *session, _ *state) [][]any { return v.own(c) }
		}
		out = append(out, d)
	}
	return out
}

// lookup finds a relation by its name; nil where there is none.
func (s *Server) lookup(parts []string, database string) (*definition, *Error) {
	if len(parts) == 0 {
		return nil, nil
	}
	name := parts[len(parts)-1]
	schema := ""
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	if len(parts) > 2 && parts[len(parts)-3] != "" {
		database = parts[len(parts)-3]
	}
	if len(parts) > 3 && parts[0] != "" && !sameName(parts[0], serverName) {
		return nil, &Error{7202, 2, 11, "Could not find server '" + parts[0] + "' in sys.servers."}
	}
	if sameName(schema, "sys") && !s.o.NoCatalog || sameName(schema, "INFORMATION_SCHEMA") && !s.o.NoInformationSchema {
		for _, d := range s.catalogue {
			if sameName(d.name, name) && sameName(d.schema, schema) {
				return d, nil
			}
		}
		return nil, nil
	}
	if !sameName(database, s.o.Database) {
		return nil, nil
	}
	if schema == "" {
		schema = "dbo"
	}
	for _, d := range s.store.tables {
		if sameName(d.name, name) && sameName(d.schema, schema) {
			return d, nil
		}
	}
	return nil, nil
}

// denied says whether SELECT is denied on a relation.
func (s *Server) denied(schema, name string) bool {
	for _, d := range s.o.Denied {
		if namesTable(d, schema, name) {
			return true
		}
	}
	return false
}

// visible are the tables the catalogue shows.
func (s *Server) visible() []*definition {
	var out []*definition
	for _, d := range s.store.tables {
		if s.o.ShowDenied || !s.denied(d.schema, d.name) {
			out = append(out, d)
		}
	}
	return out
}

func (s *store) byID(id int64) *definition {
	for _, d := range s.tables {
		if d.id == id {
			return d
		}
	}
	return nil
}

const firstSchemaID = 5

// schemaID is 1 for dbo, and nil for one that is not there.
func (s *store) schemaID(name string) any {
	switch strings.ToLower(name) {
	case "sys":
		return int64(4)
	case "information_schema":
		return int64(3)
	}
	for i, n := range s.schemas {
		if sameName(n, name) {
			if i == 0 {
				return int64(1)
			}
			return int64(firstSchemaID + i - 1)
		}
	}
	return nil
}

func (s *store) schemaName(id int64) any {
	for _, n := range append([]string{"sys", "INFORMATION_SCHEMA"}, s.schemas...) {
		if s.schemaID(n) == id {
			return n
		}
	}
	return nil
}

// rowsOf is how many rows a table has.
func (st *state) rowsOf(d *definition) int64 {
	if d.generate != nil {
		return int64(d.count)
	}
	return int64(len(st.rows[d]))
}

func typeNameOf(id int64) any {
	if id == sysnameID {
		return "sysname"
	}
	for _, f := range facts {
		if f.id == id {
			return f.name
		}
	}
	return nil
}

// sysnameID is sysname in sys.types.user_type_id.
const sysnameID = 256

func (t sqlType) userTypeID() int64 {
	if t.sysname {
		return sysnameID
	}
	return facts[t.kind].id
}
