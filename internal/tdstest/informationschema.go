package tdstest

// informationViews are the views of INFORMATION_SCHEMA.
func informationViews() []catalogueView {
	const schema = "INFORMATION_SCHEMA"
	return []catalogueView{
		{schema: schema, name: "SCHEMATA", columns: "CATALOG_NAME nvarchar(128); SCHEMA_NAME sysname!; SCHEMA_OWNER nvarchar(128)", rows: func(s *Server, _ *state) [][]any {
			var out [][]any
			for _, n := range s.store.schemas {
				out = append(out, []any{s.o.Database, n, "dbo"})
			}
			return out
		}},
		{schema: schema, name: "TABLES", columns: `TABLE_CATALOG nvarchar(128); TABLE_SCHEMA nvarchar(128); TABLE_NAME sysname!;
			TABLE_TYPE varchar(10)`, rows: func(s *Server, _ *state) [][]any {
			var out [][]any
			for _, d := range s.visible() {
				out = append(out, []any{s.o.Database, d.schema, d.name, map[bool]string{true: "VIEW", false: "BASE TABLE"}[d.view]})
			}
			return out
		}},
		{schema: schema, name: "VIEWS", columns: `TABLE_CATALOG nvarchar(128); TABLE_SCHEMA nvarchar(128); TABLE_NAME sysname!;
			VIEW_DEFINITION nvarchar(4000)`, rows: func(s *Server, _ *state) [][]any {
			var out [][]any
			for _, d := range s.visible() {
				if d.view {
					out = append(out, []any{s.o.Database, d.schema, d.name, nil})
				}
			}
			return out
		}},
		{schema: schema, name: "COLUMNS", columns: `TABLE_CATALOG nvarchar(128); TABLE_SCHEMA nvarchar(128); TABLE_NAME sysname!; COLUMN_NAME sysname;
			ORDINAL_POSITION int; COLUMN_DEFAULT nvarchar(4000); IS_NULLABLE varchar(3); DATA_TYPE nvarchar(128);
			CHARACTER_MAXIMUM_LENGTH int; CHARACTER_OCTET_LENGTH int; NUMERIC_PRECISION tinyint;
			NUMERIC_PRECISION_RADIX smallint; NUMERIC_SCALE int; DATETIME_PRECISION smallint; CHARACTER_SET_NAME sysname;
			COLLATION_NAME sysname`, rows: informationColumns},
		{schema: schema, name: "TABLE_CONSTRAINTS", columns: `CONSTRAINT_CATALOG nvarchar(128); CONSTRAINT_SCHEMA nvarchar(128);
			CONSTRAINT_NAME sysname!; TABLE_CATALOG nvarchar(128); TABLE_SCHEMA nvarchar(128); TABLE_NAME sysname!;
			CONSTRAINT_TYPE varchar(11); IS_DEFERRABLE varchar(2)!; INITIALLY_DEFERRED varchar(2)!`, rows: func(s *Server, _ *state) [][]any {
			var out [][]any
			for _, d := range s.visible() {
				if len(d.key) > 0 {
					out = append(out, []any{s.o.Database, d.schema, d.keyName(), s.o.Database, d.schema, d.name, "PRIMARY KEY", "NO", "NO"})
				}
			}
			return out
		}},
		{schema: schema, name: "KEY_COLUMN_USAGE", columns: `CONSTRAINT_CATALOG nvarchar(128); CONSTRAINT_SCHEMA nvarchar(128);
			CONSTRAINT_NAME nvarchar(128)!; TABLE_CATALOG nvarchar(128); TABLE_SCHEMA nvarchar(128); TABLE_NAME nvarchar(128)!;
			COLUMN_NAME nvarchar(128); ORDINAL_POSITION int!`, rows: func(s *Server, _ *state) [][]any {
			var out [][]any
			for _, d := range s.visible() {
				for i, at := range d.key {
					out = append(out, []any{s.o.Database, d.schema, d.keyName(), s.o.Database, d.schema, d.name, d.cols[at].name, int64(i + 1)})
				}
			}
			return out
		}},
	}
}

func informationColumns(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for i := range d.cols {
			c := &d.cols[i]
			row := []any{s.o.Database, d.schema, d.name, c.name, int64(i + 1), nil, "NO", c.typ.name()}
			if c.nullable {
				row[6] = "YES"
			}
			row = append(row, c.typ.informationSizes()...)
			var charset any
			switch {
			case c.typ.isWide():
				charset = "UNICODE"
			case c.typ.isNarrow():
				charset = "iso_1"
			}
			out = append(out, append(row, charset, c.collationName()))
		}
	}
	return out
}

// informationSizes are the columns from CHARACTER_MAXIMUM_LENGTH to DATETIME_PRECISION.
func (t sqlType) informationSizes() []any {
	var chars, octets, precision, radix, scale, moment any
	switch {
	case t.kind == kindXML:
		chars, octets = int64(-1), int64(-1)
	case t.kind == kindNText:
		chars, octets = int64(1<<30-1), int64(1<<31-2)
	case t.isLOB():
		chars, octets = int64(1<<31-1), int64(1<<31-1)
	case t.isText() || t.kind == kindBinary || t.kind == kindVarBinary:
		chars, octets = int64(t.length), t.maxLength()
	case t.kind == kindFloat || t.kind == kindReal:
		precision, radix = int64(t.prec), int64(2)
	case t.isInteger() || t.isDecimal():
		precision, radix, scale = int64(t.prec), int64(10), int64(t.scale)
	case t.kind == kindDateTime:
		moment = int64(3)
	case t.kind >= kindDate && t.kind <= kindDateTimeOffset:
		moment = int64(t.scale)
	}
	return []any{chars, octets, precision, radix, scale, moment}
}
