package tdstest_test

import (
	"errors"
	"fmt"
	"testing"

	mssql "github.com/microsoft/go-mssqldb"

	"dropline/internal/tdstest"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	view := tdstest.Table{Schema: "etl", Name: "Names", View: true, Columns: []tdstest.Column{{Name: "name", Type: "varchar(max)"}}}
	heap := tdstest.Table{
		Name: "heap", PrimaryKey: []string{"a", "b"}, Nonclustered: true, Rows: [][]any{{1, "x"}},
		Columns: []tdstest.Column{{Name: "a", Type: "int", NotNull: true}, {Name: "b", Type: "nvarchar(20)", NotNull: true}},
	}
	o := tdstest.Options{Tables: []tdstest.Table{people(), view, heap, numbers(1_000_000)}}
	s := tdstest.Start(t, o)
	db := open(t, s.URL())
	for query, want := range map[string]string{
		"SELECT s.name, t.name FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id ORDER BY 1, 2": "[[dbo heap] [dbo numbers] [etl Person]]",
		"SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE = 'VIEW'":  "[[etl Names VIEW]]",
		`SELECT c.name, ty.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity
			FROM sys.columns AS c INNER JOIN sys.types AS ty ON ty.user_type_id = c.user_type_id
			WHERE c.object_id = OBJECT_ID(N'[etl].[Person]') ORDER BY c.column_id`: "[[id int 4 10 0 false true] [name nvarchar 100 0 0 false false] [born date 3 10 0 true false] [rate decimal 9 10 2 true false] [version timestamp 8 0 0 false false]]",
		`SELECT o.name, SUM(p.row_count) FROM sys.objects o LEFT JOIN sys.dm_db_partition_stats p
			ON p.object_id = o.object_id AND p.index_id IN (0, 1) GROUP BY o.name ORDER BY o.name`: "[[heap 1] [Names NULL] [numbers 1000000] [Person 3]]",
		`SELECT t.name, (SELECT SUM(p.rows) FROM sys.partitions p WHERE p.object_id = t.object_id AND p.index_id < 2) AS n
			FROM sys.tables t WHERE EXISTS (SELECT 1 FROM sys.indexes i WHERE i.object_id = t.object_id AND i.type = 1) ORDER BY t.name`: "[[numbers 1000000] [Person 3]]",
		`SELECT c.name FROM sys.indexes i JOIN sys.index_columns ic ON ic.object_id = i.object_id AND ic.index_id = i.index_id
			JOIN sys.columns c ON c.object_id = ic.object_id AND c.column_id = ic.column_id
			WHERE i.is_primary_key = 1 AND i.object_id = OBJECT_ID('heap') ORDER BY ic.key_ordinal`: "[[a] [b]]",
		`SELECT k.COLUMN_NAME FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS c JOIN INFORMATION_SCHEMA.KEY_COLUMN_USAGE k
			ON k.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND k.TABLE_NAME = c.TABLE_NAME WHERE c.CONSTRAINT_TYPE = 'PRIMARY KEY'
			AND c.TABLE_NAME = 'person'`: "[[id]]",
		`SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE
			FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Names' OR COLUMN_NAME = 'rate'`: "[[rate decimal NULL 10 2 YES] [name varchar -1 NULL NULL YES]]",
		"SELECT DISTINCT SCHEMA_NAME(schema_id) FROM sys.views":                                                     "[[etl]]",
		"SELECT TYPE_NAME(system_type_id), OBJECT_NAME(object_id) FROM practice.sys.columns WHERE name = 'version'": "[[timestamp Person]]",
	} {
		if got := fmt.Sprint(texts(t, db, query)); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
}

// TestPoorCatalogue is a server that says less than it could.
func TestPoorCatalogue(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{
		Tables: []tdstest.Table{people()}, NoCatalog: true, ZeroPartitions: true, HideNullability: true,
	})
	db := open(t, s.URL())
	var e mssql.Error
	if _, err := readAll(within(t), db, "SELECT * FROM sys.partitions"); !errors.As(err, &e) || e.Number != 208 {
		t.Error(err)
	}
	if got := fmt.Sprint(texts(t, db, "SELECT DISTINCT IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS")); got != "[[YES]]" {
		t.Error(got)
	}
	rows, err := db.QueryContext(within(t), "SELECT id FROM etl.Person")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	if nullable, _ := types[0].Nullable(); !nullable || rows.Err() != nil {
		t.Error("the result says what the catalogue hides")
	}
	s = tdstest.Start(t, tdstest.Options{
		Tables: []tdstest.Table{people()}, NoInformationSchema: true, ZeroPartitions: true, Denied: []string{"sys.dm_db_partition_stats"},
	})
	db = open(t, s.URL())
	for query, number := range map[string]int32{
		"SELECT * FROM INFORMATION_SCHEMA.TABLES": 208, "SELECT * FROM sys.dm_db_partition_stats": 229,
	} {
		if _, err := readAll(within(t), db, query); !errors.As(err, &e) || e.Number != number {
			t.Errorf("%s: %v", query, err)
		}
	}
	if got := fmt.Sprint(texts(t, db, "SELECT rows FROM sys.partitions")); got != "[[0]]" {
		t.Error(got)
	}
}

// TestDenied hides what may not be read, or shows it.
func TestDenied(t *testing.T) {
	t.Parallel()
	for shown, want := range map[bool]string{false: "[]", true: "[[Person]]"} {
		s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}, Denied: []string{"etl.*"}, ShowDenied: shown})
		db := open(t, s.URL())
		if got := fmt.Sprint(texts(t, db, "SELECT name FROM sys.tables")); got != want {
			t.Errorf("shown %v: %s", shown, got)
		}
		var e mssql.Error
		if _, err := readAll(within(t), db, "SELECT * FROM etl.Person"); !errors.As(err, &e) || e.Number != 229 {
			t.Error(err)
		}
		if got := fmt.Sprint(texts(t, db, "SELECT HAS_PERMS_BY_NAME('etl.Person', 'OBJECT', 'SELECT')")); got != "[[0]]" {
			t.Error(got)
		}
	}
}
