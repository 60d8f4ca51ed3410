package tdstest

// indexViews are the views about keys and about how many rows there are.
func indexViews() []catalogueView {
	return []catalogueView{
		{schema: "sys", name: "indexes", columns: `object_id int!; name sysname; index_id int!; type tinyint!; type_desc nvarchar(60); is_unique bit;
			data_space_id int!; ignore_dup_key bit; is_primary_key bit; is_unique_constraint bit; fill_factor tinyint!;
			is_padded bit; is_disabled bit; is_hypothetical bit; allow_row_locks bit; allow_page_locks bit; has_filter bit;
			filter_definition nvarchar(max)`, rows: indexRows},
		{schema: "sys", name: "index_columns", columns: `object_id int!; index_id int!; index_column_id int!; column_id int!; key_ordinal tinyint!;
			partition_ordinal tinyint!; is_descending_key bit; is_included_column bit`, rows: indexColumnRows},
		{schema: "sys", name: "key_constraints", columns: `name sysname!; object_id int!; schema_id int!; parent_object_id int!; type char(2)!;
			type_desc nvarchar(60)!; unique_index_id int; is_system_named bit!`, rows: keyRows},
		{schema: "sys", name: "partitions", columns: `partition_id bigint!; object_id int!; index_id int!; partition_number int!; hobt_id bigint!;
			rows bigint; filestream_filegroup_id smallint!; data_compression tinyint; data_compression_desc nvarchar(60)`, rows: partitionRows},
		{schema: "sys", name: "dm_db_partition_stats", columns: `partition_id bigint; object_id int!; index_id int!; partition_number int!;
			in_row_data_page_count bigint; in_row_used_page_count bigint; used_page_count bigint; reserved_page_count bigint;
			row_count bigint`, rows: partitionStatsRows},
		{schema: "sys", name: "foreign_keys", columns: "name sysname!; object_id int!; parent_object_id int!; referenced_object_id int", rows: noRows},
		{schema: "sys", name: "extended_properties", columns: `class tinyint!; class_desc nvarchar(60); major_id int!; minor_id int!; name sysname!;
			value sql_variant`, rows: noRows},
	}
}

func noRows(*Server, *state) [][]any { return nil }

// indexes are a table's: 0 the heap or 1 the clustered key, and 2 a key that is not clustered.
func (d *definition) indexes() []int64 {
	switch {
	case d.view:
		return nil
	case len(d.key) > 0 && !d.nonclustered:
		return []int64{1}
	case len(d.key) > 0:
		return []int64{0, 2}
	default:
		return []int64{0}
	}
}

func (d *definition) keyIndex() int64 {
	if d.nonclustered {
		return 2
	}
	return 1
}

func (d *definition) keyName() string { return "PK_" + d.name }

func indexRows(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for _, id := range d.indexes() {
			var name any
			if id > 0 {
				name = d.keyName()
			}
			text := [...]string{"HEAP", "CLUSTERED", "NONCLUSTERED"}[id]
			out = append(out, []any{
				d.id, name, id, id, text, id > 0, int64(1), false, id > 0, false, int64(0), false, false, false, true, true, false, nil,
			})
		}
	}
	return out
}

func indexColumnRows(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for i, at := range d.key {
			out = append(out, []any{d.id, d.keyIndex(), int64(i + 1), int64(at + 1), int64(i + 1), int64(0), false, false})
		}
	}
	return out
}

func keyRows(s *Server, _ *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		if len(d.key) > 0 {
			out = append(out, []any{
				d.keyName(), d.id + 1, s.store.schemaID(d.schema), d.id, "PK", "PRIMARY_KEY_CONSTRAINT", d.keyIndex(), false,
			})
		}
	}
	return out
}

// counted is how many rows the catalogue says there are.
func (s *Server) counted(st *state, d *definition) int64 {
	if s.o.ZeroPartitions {
		return 0
	}
	return st.rowsOf(d)
}

func partitionRows(s *Server, st *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for _, id := range d.indexes() {
			number := 72057594000000000 + d.id*16 + id
			out = append(out, []any{number, d.id, id, int64(1), number, s.counted(st, d), int64(0), int64(0), "NONE"})
		}
	}
	return out
}

func partitionStatsRows(s *Server, st *state) [][]any {
	var out [][]any
	for _, d := range s.visible() {
		for _, id := range d.indexes() {
			rows := s.counted(st, d)
			pages := rows/50 + 1
			out = append(out, []any{72057594000000000 + d.id*16 + id, d.id, id, int64(1), pages, pages, pages, pages, rows})
		}
	}
	return out
}
