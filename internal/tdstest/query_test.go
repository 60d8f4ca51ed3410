package tdstest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	mssql "github.com/microsoft/go-mssqldb"

	"dropline/internal/tdstest"
)

// TestParameters sends values of every type a reader needs and gets them back.
func TestParameters(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}})
	db := open(t, s.URL())
	var guid mssql.UniqueIdentifier
	if err := guid.Scan("6F9619FF-8B86-D011-B42D-00C04FC964FF"); err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2024, 2, 29, 1, 2, 3, 123_456_700, time.FixedZone("", 2*3600))
	for _, c := range []struct{ give, want any }{
		{int64(math.MinInt64), nil},
		{int32(-1), int64(-1)},
		{int8(7), int64(7)},
		{true, nil},
		{1.25, nil},
		{"Ünï😀", nil},
		{"", nil},
		{mssql.VarChar("plain"), "plain"},
		{strings.Repeat("long", 3000), nil},
		{[]byte{0, 0, 0, 0, 0, 0, 7, 0xd3}, nil},
		{[]byte(strings.Repeat("x", 9000)), nil},
		{moment, nil},
		{mssql.DateTime1(time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)), time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)},
		{guid, []byte("\xff\x19\x96\x6f\x86\x8b\x11\xd0\xb4\x2d\x00\xc0\x4f\xc9\x64\xff")},
		{nil, nil},
		{sql.NullInt64{}, nil},
	} {
		want := c.want
		if _, null := c.give.(sql.NullInt64); want == nil && !null {
			want = c.give
		}
		var got any
		if err := db.QueryRowContext(within(t), "SELECT @p1", c.give).Scan(&got); err != nil {
			t.Errorf("%.40v: %v", c.give, err)
		} else if !same(got, want) {
			t.Errorf("%T %.40v came back %T %.40v", c.give, c.give, got, got)
		}
	}
	got := texts(t, db, "SELECT name FROM etl.Person WHERE rate = CAST(@p1 AS decimal(10,2)) OR born = @p2", "12.50", "1980-01-02")
	if fmt.Sprint(got) != "[[Ann] [Çelik]]" {
		t.Error(got)
	}
}

// TestPrepared goes through the procedures by which other drivers prepare.
func TestPrepared(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}})
	conn, err := open(t, s.URL()).Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var first, second int64
	if _, err := conn.ExecContext(within(t), "sp_prepexec", sql.Named("handle", sql.Out{Dest: &first}), "@id int", "SELECT name FROM etl.Person WHERE id = @id", 1); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(within(t), "sp_prepare", sql.Named("handle", sql.Out{Dest: &second}), "@id int", "SELECT born FROM etl.Person WHERE id = @id"); err != nil {
		t.Fatal(err)
	}
	name := ""
	if err := conn.QueryRowContext(within(t), "sp_execute", first, 3).Scan(&name); err != nil || name != "Çelik" {
		t.Error(name, err)
	}
	if first == second || first == 0 {
		t.Errorf("handles %d and %d", first, second)
	}
	if _, err := conn.ExecContext(within(t), "sp_unprepare", first); err != nil {
		t.Error(err)
	}
	var e mssql.Error
	if _, err := conn.ExecContext(within(t), "sp_execute", first, 3); !errors.As(err, &e) || e.Number != 8179 {
		t.Error(err)
	}
	if n, err := readAll(within(t), conn, "sp_describe_first_result_set", "SELECT * FROM etl.Person"); n != 5 || err != nil {
		t.Error(n, err)
	}
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	for _, allowed := range []bool{true, false} {
		s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}, Snapshot: allowed})
		db := open(t, s.URL())
		tx, err := db.BeginTx(within(t), &sql.TxOptions{Isolation: sql.LevelSnapshot})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = tx.QueryRowContext(within(t), "SELECT COUNT(*) FROM sys.tables").Scan(&n)
		if n != 1 || err != nil {
			t.Errorf("the catalogue in a snapshot: %d, %v", n, err)
		}
		level := 0
		err = tx.QueryRowContext(within(t), "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID").Scan(&level)
		if level != 5 || err != nil {
			t.Errorf("the session reads under %d, %v", level, err)
		}
		err = tx.QueryRowContext(within(t), "SELECT COUNT(*) FROM etl.Person").Scan(&n)
		var e mssql.Error
		if !allowed {
			if !errors.As(err, &e) || e.Number != 3952 {
				t.Errorf("snapshot is not allowed: %v", err)
			}
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
			continue
		}
		if err := s.SetRows("Person", nil); err != nil {
			t.Fatal(err)
		}
		var after, outside, open int
		err = tx.QueryRowContext(within(t), "SELECT COUNT(*), @@TRANCOUNT FROM etl.Person").Scan(&after, &open)
		if n != 3 || after != 3 || open != 1 || err != nil {
			t.Errorf("the snapshot saw %d and then %d, in %d, %v", n, after, open, err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		if err := db.QueryRowContext(within(t), "SELECT COUNT(*) FROM etl.Person").Scan(&outside); outside != 0 || err != nil {
			t.Errorf("%d rows are left, %v", outside, err)
		}
		got := texts(t, db, "SELECT snapshot_isolation_state, is_read_committed_snapshot_on FROM sys.databases WHERE name = DB_NAME()")
		if fmt.Sprint(got) != "[[1 false]]" {
			t.Error(got)
		}
		if _, err := db.ExecContext(within(t), "COMMIT TRAN"); !errors.As(err, &e) || e.Number != 3902 {
			t.Error(err)
		}
		if q := s.Queries(); q[0] != "BEGIN TRANSACTION SNAPSHOT" {
			t.Error(q)
		}
	}
}

// TestIsolation sets the level by statements: a transaction cannot become a snapshot once it has begun as another.
func TestIsolation(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}, Snapshot: true})
	conn, err := open(t, s.URL()).Conn(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(within(t), "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; BEGIN TRAN; SET TRANSACTION ISOLATION LEVEL SNAPSHOT"); err != nil {
		t.Fatal(err)
	}
	var e mssql.Error
	if _, err := readAll(within(t), conn, "SELECT * FROM etl.Person"); !errors.As(err, &e) || e.Number != 3951 {
		t.Error(err)
	}
	if _, err := conn.ExecContext(within(t), "ROLLBACK; BEGIN TRAN"); err != nil {
		t.Fatal(err)
	}
	if n, err := readAll(within(t), conn, "SELECT * FROM etl.Person"); n != 3 || err != nil {
		t.Error(n, err)
	}
}

// TestReset returns a connection in the middle of a transaction to the pool.
func TestReset(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{})
	db := open(t, s.URL())
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(within(t), "USE master; BEGIN TRAN"); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(texts(t, db, "SELECT @@TRANCOUNT, DB_NAME()")); got != "[[0 practice]]" || s.MaxConnections() != 1 {
		t.Error(got, s.MaxConnections())
	}
}

// TestChange changes rows between two reads: only what is new gets a new rowversion.
func TestChange(t *testing.T) {
	t.Parallel()
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{people()}})
	db := open(t, s.URL())
	var mark []byte
	if err := db.QueryRowContext(within(t), "SELECT @@DBTS").Scan(&mark); err != nil {
		t.Fatal(err)
	}
	err := s.Change("etl.Person", func(rows [][]any) [][]any {
		rows[1][1] = "Bert"
		return append(rows[1:], []any{4, "Dora", nil, nil, nil})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(texts(t, db, "SELECT name FROM etl.Person WHERE version > @p1 ORDER BY id", mark)); got != "[[Bert] [Dora]]" {
		t.Error(got)
	}
	if got := fmt.Sprint(texts(t, db, "SELECT COUNT(*) FROM etl.Person")); got != "[[3]]" {
		t.Error(got)
	}
	if s.Change("nothing", nil) == nil || s.SetRows("Person", [][]any{{1}}) == nil {
		t.Error("a table that is not there or a row too short was taken")
	}
}

// TestCollations reads text of several code pages; what is UTF-8 on the wire the driver reads only once it is cast.
func TestCollations(t *testing.T) {
	t.Parallel()
	table := tdstest.Table{
		Name: "t", Columns: []tdstest.Column{
			{Name: "db", Type: "varchar(20)"},
			{Name: "latin", Type: "text COLLATE SQL_Latin1_General_CP1_CI_AS"},
			{Name: "utf8", Type: "varchar(20) COLLATE Latin1_General_100_CI_AS_SC_UTF8"},
		},
		Rows: [][]any{{"Жук", "naïve", "Жук ü"}},
	}
	s := tdstest.Start(t, tdstest.Options{Tables: []tdstest.Table{table}, Collation: tdstest.Cyrillic})
	db := open(t, s.URL())
	got := texts(t, db, "SELECT db, latin, CAST(utf8 AS nvarchar(20)), CAST(utf8 AS varbinary(20)), DATALENGTH(utf8), LEN(utf8) FROM t WHERE db = N'жук'")
	if fmt.Sprint(got) != "[[Жук naïve Жук ü Жук ü 9 5]]" {
		t.Error(got)
	}
	got = texts(t, db, "SELECT name, collation_name FROM sys.columns WHERE collation_name IS NOT NULL ORDER BY column_id")
	if fmt.Sprint(got) != "[[db Cyrillic_General_CI_AS] [latin SQL_Latin1_General_CP1_CI_AS] [utf8 Latin1_General_100_CI_AS_SC_UTF8]]" {
		t.Error(got)
	}
}
