package tdstest

import "time"

// created is when every object of the test server was made.
var created = time.Date(2024, 2, 29, 12, 30, 0, 0, time.UTC)

const objectColumns = `name sysname!; object_id int!; principal_id int; schema_id int!; parent_object_id int!; type char(2)!;
	type_desc nvarchar(60)!; create_date datetime!; modify_date datetime!; is_ms_shipped bit!; is_published bit!;
	is_schema_published bit!`

func catalogueViews() []catalogueView {
	views := []catalogueView{
		{schema: "sys", name: "databases", columns: `name sysname!; database_id int!; create_date datetime!; compatibility_level tinyint!;
			collation_name sysname; state tinyint!; state_desc nvarchar(60); is_read_only bit!; snapshot_isolation_state tinyint!;
			snapshot_isolation_state_desc nvarchar(60); is_read_committed_snapshot_on bit!; recovery_model tinyint!;
			recovery_model_desc nvarchar(60)`, rows: databaseRows},
		{schema: "sys", name: "schemas", columns: "name sysname!; schema_id int!; principal_id int", rows: func(s *Server, _ *state) [][]any {
			out := [][]any{{"INFORMATION_SCHEMA", int64(3), int64(3)}, {"sys", int64(4), int64(4)}}
			for _, n := range s.store.schemas {
				out = append(out, []any{n, s.store.schemaID(n), int64(1)})
			}
			return out
		}},
		{schema: "sys", name: "types", columns: `name sysname!; system_type_id tinyint!; user_type_id int!; schema_id int!; principal_id int;
			max_length smallint!; precision tinyint!; scale tinyint!; collation_name sysname; is_nullable bit!;
			is_user_defined bit!; is_assembly_type bit!; default_object_id int!; rule_object_id int!; is_table_type bit!`, rows: typeRows},
		{schema: "sys", name: "objects", columns: objectColumns, rows: func(s *Server, _ *state) [][]any { return objectRows(s, true, true) }},
		{schema: "sys", name: "all_objects", columns: objectColumns, rows: func(s *Server, _ *state) [][]any { return objectRows(s, true, true) }},
		{schema: "sys", name: "views", columns: objectColumns, rows: func(s *Server, _ *state) [][]any { return objectRows(s, false, true) }},
		{schema: "sys", name: "tables", columns: objectColumns + `; lob_data_space_id int!; filestream_data_space_id int; max_column_id_used int!;
			is_memory_optimized bit; temporal_type tinyint; is_external bit!; is_edge bit!; is_node bit!; uses_ansi_nulls bit`, rows: tableRows},
		{schema: "sys", name: "columns", columns: `object_id int!; name sysname; column_id int!; system_type_id tinyint!; user_type_id int!;
			max_length smallint!; precision tinyint!; scale tinyint!; collation_name sysname; is_nullable bit; is_ansi_padded bit!;
			is_rowguidcol bit!; is_identity bit!; is_computed bit!; is_filestream bit!; is_replicated bit; is_sparse bit;
			is_column_set bit; is_hidden bit; is_masked bit!; generated_always_type tinyint; encryption_type int;
			default_object_id int!`, rows: columnRows},
		{schema: "sys", name: "identity_columns", columns: "object_id int!; name sysname; column_id int!", rows: func(s *Server, _ *state) [][]any {
			return someColumns(s, func(c *resultColumn) bool { return c.identity })
		}},
		{schema: "sys", name: "computed_columns", columns: "object_id int!; name sysname; column_id int!", rows: func(s *Server, _ *state) [][]any {
			return someColumns(s, func(c *resultColumn) bool { return c.computed })
		}},
	}
	views = append(views, catalogueView{schema: "sys", name: "dm_exec_sessions", columns: `session_id smallint!;
		login_time datetime!; host_name nvarchar(128); program_name nvarchar(128); client_interface_name nvarchar(32);
		login_name nvarchar(128)!; status nvarchar(30)!; transaction_isolation_level smallint!; database_id smallint!;
		open_transaction_count int!`, own: sessionRows})
	return append(append(views, indexViews()...), informationViews()...)
}

// sessionRows is the session itself: a login without VIEW SERVER STATE sees no other.
func sessionRows(c *session) [][]any {
	open := int64(0)
	if c.tran != 0 {
		open = 1
	}
	return [][]any{{
		int64(c.spid), created, c.who.Host, c.who.AppName, c.who.Library, c.who.User, "running", int64(c.isolation),
		databaseID(c.database), open,
	}}
}

func databaseRows(s *Server, _ *state) [][]any {
	row := func(name string, id int64, snapshot, committed bool) []any {
		state, text := int64(0), "OFF"
		if snapshot {
			state, text = 1, "ON"
		}
		return []any{name, id, created, int64(160), string(s.o.Collation), int64(0), "ONLINE", false, state, text, committed, int64(3), "SIMPLE"}
	}
	return [][]any{row("master", 1, true, false), row(s.o.Database, databaseID(s.o.Database), s.o.Snapshot, s.o.ReadCommittedSnapshot)}
}

func typeRows(s *Server, _ *state) [][]any {
	var out [][]any
	row := func(name string, t sqlType, userID int64) []any {
		var collation any
		if t.isNarrow() || t.isWide() {
			collation = string(s.o.Collation)
		}
		return []any{
			name, facts[t.kind].id, userID, int64(4), nil, t.maxLength(), t.precision(), int64(t.scale), collation,
			t.kind != kindRowversion && userID != sysnameID, false, false, int64(0), int64(0), false,
		}
	}
	for k := range facts {
		t := sqlType{kind: kind(k), length: facts[k].bytes, prec: facts[k].prec, scale: facts[k].scale}
		if facts[k].hasLength {
			t.length = 8000
			if t.isWide() {
				t.length = 4000
			}
		}
		if facts[k].hasPS {
			t.prec, t.scale = 38, 38
		}
		out = append(out, row(facts[k].name, t, facts[k].id))
	}
	return append(out, row("sysname", sqlType{kind: kindNVarChar, length: 128}, sysnameID))
}

func objectRow(s *Server, d *definition) []any {
	kind, text := "U ", "USER_TABLE"
	if d.view {
		kind, text = "V ", "VIEW"
	}
	return []any{d.name, d.id, nil, s.store.schemaID(d.schema), int64(0), kind, text, created, created, false, false, false}
}

func objectRows(s *Server, tables, views bool) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		if d.view && views || !d.view && tables {
			out = append(out, objectRow(s, d))
		}
	}
	return out
}

func tableRows(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		if !d.view {
			out = append(out, append(objectRow(s, d), int64(0), nil, int64(len(d.cols)), false, int64(0), false, false, false, true))
		}
	}
	return out
}

func columnRows(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for i := range d.cols {
			c := &d.cols[i]
			out = append(out, []any{
				d.id, c.name, int64(i + 1), facts[c.typ.kind].id, c.typ.userTypeID(), c.typ.maxLength(), c.typ.precision(),
				int64(c.typ.scale), c.collationName(), c.nullable, true, false, c.identity, c.computed, false, false, false,
				false, false, false, int64(0), nil, int64(0),
			})
		}
	}
	return out
}

// collationName is NULL for what is no text.
func (r *resultColumn) collationName() any {
	if (r.typ.isNarrow() || r.typ.isWide()) && r.typ.collation != nil {
		return string(r.typ.collation.name)
	}
	return nil
}

func someColumns(s *Server, which func(*resultColumn) bool) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for i := range d.cols {
			if which(&d.cols[i]) {
				out = append(out, []any{d.id, d.cols[i].name, int64(i + 1)})
			}
		}
	}
	return out
}
