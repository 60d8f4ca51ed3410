package tdstest_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "github.com/microsoft/go-mssqldb"

	"dropline/internal/tdstest"
)

// within bounds a test in time.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// open connects to a server with the driver.
func open(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlserver", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func people() tdstest.Table {
	return tdstest.Table{
		Schema: "etl", Name: "Person", PrimaryKey: []string{"id"},
		Columns: []tdstest.Column{
			{Name: "id", Type: "int", NotNull: true, Identity: true},
			{Name: "name", Type: "nvarchar(50)", NotNull: true},
			{Name: "born", Type: "date"},
			{Name: "rate", Type: "decimal(10,2)"},
			{Name: "version", Type: "rowversion"},
		},
		Rows: [][]any{
			{3, "Çelik", "1990-02-28", "12.5", nil},
			{1, "Ann", time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC), "100", nil},
			{2, "Bob", nil, nil, nil},
		},
	}
}

// texts runs a query and gives its rows as text, "NULL" for NULL.
func texts(t *testing.T, db *sql.DB, query string, args ...any) [][]string {
	t.Helper()
	rows, err := db.QueryContext(within(t), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	cols, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := [][]string{}
	for rows.Next() {
		values, refs := make([]any, len(cols)), make([]any, len(cols))
		for i := range values {
			refs[i] = &values[i]
		}
		if err := rows.Scan(refs...); err != nil {
			t.Fatal(err)
		}
		line := make([]string, len(cols))
		for i, v := range values {
			switch x := v.(type) {
			case nil:
				line[i] = "NULL"
			case []byte:
				line[i] = string(x)
			case time.Time:
				line[i] = x.Format("2006-01-02T15:04:05.999999999Z07:00")
			default:
				line[i] = fmt.Sprint(x)
			}
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return out
}

func TestSelect(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}})
	db := open(t, s.URL())
	for _, c := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT 1", nil, "[[1]]"},
		{"SELECT * FROM etl.Person", nil, ""},
		{"SELECT id, name, born, rate FROM etl.Person ORDER BY id", nil, "[[1 Ann 1980-01-02T00:00:00Z 100.00] [2 Bob NULL NULL] [3 Çelik 1990-02-28T00:00:00Z 12.50]]"},
		{"select top (2) [ID], \"name\" as n from [practice].[etl].[person] with (nolock) where id > @p1 order by id option (maxdop 1)", []any{1}, "[[2 Bob] [3 Çelik]]"},
		{"SELECT TOP (@p2) id FROM etl.Person WHERE id > @p1 ORDER BY id DESC", []any{1, 1}, "[[3]]"},
		{"SELECT COUNT(*), COUNT_BIG(rate), MIN(id), MAX(name) FROM etl.Person", nil, "[[3 2 1 Çelik]]"},
		{"SELECT name FROM etl.Person WHERE name LIKE 'a%' OR id IN (3, 9)", nil, "[[Ann] [Çelik]]"},
		{"SELECT id FROM etl.Person WHERE born IS NULL AND NOT (rate > 5)", nil, "[]"},
		{"SELECT id FROM etl.Person WHERE born >= '1985-01-01'", nil, "[[3]]"},
		{"SELECT * FROM etl.Person WHERE 1=0", nil, "[]"},
		{"SELECT q.x FROM (SELECT id AS x FROM etl.Person) AS q WHERE q.x BETWEEN 2 AND 3 ORDER BY 1 DESC", nil, "[[3] [2]]"},
		{"SELECT id FROM etl.Person ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", nil, "[[2]]"},
		{"SELECT DB_NAME(), SCHEMA_NAME(), @@TRANCOUNT, SUSER_SNAME()", nil, "[[practice dbo 0 reader]]"},
		{"SELECT CAST('12' AS int) + 1, CONVERT(varchar(10), 5), N'x' + 'y', 7 / 2, 7.0 / 2", nil, "[[13 5 xy 3 3.500000]]"},
		{"SET NOCOUNT ON; SELECT CASE WHEN 1 = 2 THEN 'a' ELSE 'b' END", nil, "[[b]]"},
		{"SELECT CASE WHEN MIN_ACTIVE_ROWVERSION() > @@DBTS THEN 1 ELSE 0 END", nil, "[[1]]"},
		{"SELECT MAX(version) FROM etl.Person", nil, "[[\x00\x00\x00\x00\x00\x00\x07\xd3]]"},
		{"SELECT CONVERT(varchar(30), version, 1) FROM etl.Person WHERE version > @p1", []any{[]byte("\x00\x00\x00\x00\x00\x00\x07\xd2")}, "[[0x00000000000007D3]]"},
		{"SELECT id FROM etl.Person UNION ALL SELECT 7 ORDER BY id DESC", nil, "[[7] [3] [2] [1]]"},
		{"SELECT SERVERPROPERTY('ProductVersion'), DATABASEPROPERTYEX('practice', 'Updateability')", nil, "[[16.0.1000.6 READ_WRITE]]"},
		{"SELECT HAS_PERMS_BY_NAME('etl.Person', 'OBJECT', 'SELECT'), OBJECT_ID('nothing')", nil, "[[1 NULL]]"},
	} {
		got := fmt.Sprint(texts(t, db, c.query, c.args...))
		if c.want != "" && got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.query, got, c.want)
		}
	}
}
