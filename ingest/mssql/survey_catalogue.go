package mssql

import (
	"context"
	"fmt"
	"strings"
)

// listed is a relation as the catalogue lists it.
type listed struct {
	Relation
	id int64 // object_id; 0 is unknown
}

// catalogue is what the catalogue views say, as far as they can be read.
type catalogue struct {
	relations []*listed
	hidden    map[string]bool // by full name: what is no client's data
	columns   map[int64]map[string]columnFacts
	named     map[string]map[string]columnFacts // by full name, of INFORMATION_SCHEMA
	keys      map[int64]string
	counts    map[int64]int64
	collation string // of the database; "" is unknown
}

// columnFacts is what a catalogue says of a column.
type columnFacts struct {
	id                             int64
	rowversion, computed, nullable bool
	collation                      string
}

func fullName(schema, name string) string { return schema + "\x00" + name }

// catalogue reads the views, the plainest statement for each. It returns an error only where the session is lost.
func (q *querier) catalogue(ctx context.Context) (*catalogue, error) {
	cat := &catalogue{
		hidden: map[string]bool{}, columns: map[int64]map[string]columnFacts{}, named: map[string]map[string]columnFacts{},
		keys: map[int64]string{}, counts: map[int64]int64{},
	}
	q.relations(ctx, cat)
	q.standard(ctx, cat)
	if len(cat.relations) == 0 {
		q.notes.add("no catalogue view lists any table: tables are looked for by name")
	}
	q.columns(ctx, cat)
	q.keys(ctx, cat)
	q.counts(ctx, cat)
	return cat, q.err
}

// relations lists tables and views from sys.tables, sys.views and sys.schemas.
func (q *querier) relations(ctx context.Context, cat *catalogue) {
	schemas := map[int64]string{}
	q.view(ctx, "sys.schemas", "schema_id, name", func(r record) {
		if id, ok := r.integer("schema_id"); ok && len(schemas) < mostRelations {
			schemas[id] = r.text("name")
		}
	})
	add := func(kind string) func(r record) {
		return func(r record) {
			id, ok := r.integer("schema_id")
			schema, found := schemas[id]
			if !found && ok && id == 1 {
				schema, found = "dbo", true // which it is in every database
			}
			l := &listed{Relation: Relation{Schema: schema, Name: r.text("name"), Kind: kind}}
			l.id, _ = r.integer("object_id")
			temporal, _ := r.integer("temporal_type")
			if found {
				cat.add(l, r.is("is_ms_shipped") || temporal == 1)
			}
		}
	}
	if !q.view(ctx, "sys.tables", "object_id, schema_id, name, is_ms_shipped, temporal_type", add("table")) {
		return
	}
	q.view(ctx, "sys.views", "object_id, schema_id, name, is_ms_shipped", add("view"))
}

// standard adds what INFORMATION_SCHEMA lists and sys.tables did not.
func (q *querier) standard(ctx context.Context, cat *catalogue) {
	known := map[string]bool{}
	for _, l := range cat.relations {
		known[fullName(l.Schema, l.Name)] = true
	}
	q.view(ctx, "INFORMATION_SCHEMA.TABLES", "TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE", func(r record) {
		l := &listed{Relation: Relation{Schema: r.text("TABLE_SCHEMA"), Name: r.text("TABLE_NAME"), Kind: "table"}}
		if strings.EqualFold(r.text("TABLE_TYPE"), "VIEW") {
			l.Kind = "view"
		}
		if !known[fullName(l.Schema, l.Name)] {
			cat.add(l, false)
		}
	})
}

// add takes a relation in, unless it is a system's or a tool's.
func (cat *catalogue) add(l *listed, hidden bool) {
	const longestName = 128 // characters; SQL Server has no longer ones
	name := fullName(l.Schema, l.Name)
	switch {
	case hidden || isTools(l.Schema, l.Name):
		cat.hidden[name] = true
	case l.Name == "" || cat.hidden[name] || len(l.Schema) > 4*longestName || len(l.Name) > 4*longestName:
	case len(cat.relations) < 2*mostRelations:
		cat.relations = append(cat.relations, l)
	}
}

// isTools tells whether a relation is the system's, or some tool's book-keeping.
func isTools(schema, name string) bool {
	switch strings.ToLower(schema) {
	case "sys", "information_schema", "cdc", "guest":
		return true
	}
	switch strings.ToLower(name) {
	case "sysdiagrams", "dtproperties", "__efmigrationshistory", "__migrationhistory", "__refactorlog", "schemaversions",
		"flyway_schema_history", "databasechangelog", "databasechangeloglock":
		return true
	}
	return false
}

// columns learns what the metadata of results may lack.
func (q *querier) columns(ctx context.Context, cat *catalogue) {
	const typeRowversion = 189
	if q.view(ctx, "sys.columns", "object_id, column_id, name, system_type_id, is_nullable, is_computed, collation_name", func(r record) {
		id, ok := r.integer("object_id")
		if !ok {
			return
		}
		if cat.columns[id] == nil {
			cat.columns[id] = map[string]columnFacts{}
		}
		f := columnFacts{computed: r.is("is_computed"), collation: r.text("collation_name")}
		f.id, _ = r.integer("column_id")
		kind, _ := r.integer("system_type_id")
		f.rowversion = kind == typeRowversion
		nullable, known := r.integer("is_nullable")
		f.nullable = !known || nullable != 0
		cat.columns[id][r.text("name")] = f
	}) {
		return
	}
	q.view(ctx, "INFORMATION_SCHEMA.COLUMNS", "TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, IS_NULLABLE", func(r record) {
		name := fullName(r.text("TABLE_SCHEMA"), r.text("TABLE_NAME"))
		if cat.named[name] == nil {
			cat.named[name] = map[string]columnFacts{}
		}
		kind := strings.ToLower(r.text("DATA_TYPE"))
		cat.named[name][r.text("COLUMN_NAME")] = columnFacts{
			rowversion: kind == "timestamp" || kind == "rowversion",
			nullable:   !strings.EqualFold(r.text("IS_NULLABLE"), "NO"),
		}
	})
}

// keys finds the clustered primary keys of one column.
func (q *querier) keys(ctx context.Context, cat *catalogue) {
	type index struct{ object, id int64 }
	const clustered = 1
	primary := map[index]bool{}
	if !q.view(ctx, "sys.indexes", "object_id, index_id, type, is_primary_key", func(r record) {
		object, ok1 := r.integer("object_id")
		id, ok2 := r.integer("index_id")
		kind, ok3 := r.integer("type")
		if ok1 && ok2 && ok3 && kind == clustered && r.is("is_primary_key") {
			primary[index{object, id}] = true
		}
	}) {
		return
	}
	members := map[index][]int64{}
	q.view(ctx, "sys.index_columns", "object_id, index_id, column_id, key_ordinal", func(r record) {
		object, _ := r.integer("object_id")
		id, _ := r.integer("index_id")
		ordinal, known := r.integer("key_ordinal")
		column, ok := r.integer("column_id")
		if x := (index{object, id}); ok && primary[x] && (!known || ordinal > 0) {
			members[x] = append(members[x], column)
		}
	})
	for x, columns := range members {
		if len(columns) != 1 {
			continue
		}
		for name, f := range cat.columns[x.object] {
			if f.id == columns[0] {
				cat.keys[x.object] = name
			}
		}
	}
	if v, err := q.session.scalar(ctx, q.client.options.QueryTimeout, "SELECT CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))"); err == nil {
		cat.collation, _ = v.(string)
	} else if q.session.lost(ctx, err) {
		q.err = q.survive(ctx, "the database's collation", err)
	}
}

// counts learns the numbers of rows, from the view that needs a right of its own or from the one that needs none.
func (q *querier) counts(ctx context.Context, cat *catalogue) {
	for _, v := range []struct{ view, rows string }{{"sys.dm_db_partition_stats", "row_count"}, {"sys.partitions", "rows"}} {
		counts := map[int64]int64{}
		quiet := notes{}
		noted := q.notes
		if v.view != "sys.partitions" {
			q.notes = &quiet // few logins may, and nothing is missing without
		}
		ok := q.view(ctx, v.view, fmt.Sprintf("object_id, index_id, %s", v.rows), func(r record) {
			object, ok := r.integer("object_id")
			index, known := r.integer("index_id")
			rows, _ := r.integer(v.rows)
			if ok && (!known || index <= 1) && rows > 0 {
				counts[object] += rows
			}
		})
		q.notes = noted
		if ok && len(counts) > 0 {
			cat.counts = counts
			return
		}
	}
}
